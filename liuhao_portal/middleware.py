"""Small guards around every request."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

Handler = Callable[[HttpRequest], HttpResponse]


def refuse_nul(get_response: Handler) -> Handler:
    """PostgreSQL takes no NUL in a text: an address with one is a bad request, not a fault."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path:
            raise BadRequest("NUL in the address")
        return get_response(request)

    return middleware


def private_pages(get_response: Handler) -> Handler:
    """Pages of somebody who has signed in are not kept by the browser: on a shared computer,
    “back” shows nothing after signing out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response

    return middleware


def sign_in_aloud(get_response: Handler) -> Handler:
    """A request in the background (htmx) follows a redirect silently and would put the sign-in
    page into a form: it is told 401 instead, and the page that sent it says so."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        turned_away = response.status_code == 302 and not request.user.is_authenticated
        if turned_away and request.headers.get("HX-Request"):
            return HttpResponse(status=401)
        return response

    return middleware


def chosen_language(get_response: Handler) -> Handler:
    """Chinese, unless it was chosen otherwise on this browser. What the browser itself asks for
    does not count: on an office PC it says little of who sits there."""

    def middleware(request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        known = chosen in dict(settings.LANGUAGES)
        request.LANGUAGE_CODE = chosen if known else settings.LANGUAGE_CODE
        with translation.override(request.LANGUAGE_CODE):
            response = get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        patch_vary_headers(response, ["Cookie"])
        return response

    return middleware
