"""Small guards around every request."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

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
