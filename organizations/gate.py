"""What stands between a session and the pages: it may have been left alone for too long, its user
may owe an own password or the second factor. Whatever is not named here stays shut meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from organizations import acting, second_factor, sessions

#: Open to somebody who is held at a page, besides that page and what needs no sign-in at all.
_ALWAYS_OPEN = {"logout", "alive"}


class Gate:
    """Middleware. Sets `request.held_at` to the name of the page that must be passed first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.held_at = ""
        if request.user.is_authenticated:
            if not sessions.keep_alive(request.session):
                return _sign_out(request)
            acting.apply(request.session, request.user)
            request.held_at = _held_at(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        page = request.held_at
        needs_no_sign_in = not getattr(view, "login_required", True)
        if (
            not page
            or needs_no_sign_in
            or request.resolver_match.view_name in _ALWAYS_OPEN | {page}
        ):
            return None
        return redirect_to_login(_page_asked_for(request), reverse(page))


def _held_at(request: HttpRequest) -> str:
    if request.user.must_change_password:
        return "password_change"
    if second_factor.is_pending(request.user, request.session):
        return "second_factor_verify"
    if second_factor.must_enrol(request.user, request.session):
        return "second_factor_enrol"
    return ""


def _sign_out(request: HttpRequest) -> HttpResponse:
    page = _page_asked_for(request)
    logout(request)
    messages.warning(request, gettext("因长时间未操作已自动退出，请重新登录。"))
    return redirect_to_login(page)


def _page_asked_for(request: HttpRequest) -> str:
    """The page to come back to; for a form that was sent, the one on which it stood."""
    referer = request.META.get("HTTP_REFERER", "")
    if request.method == "POST" and url_has_allowed_host_and_scheme(referer, request.get_host()):
        return urlsplit(referer)._replace(scheme="", netloc="", fragment="").geturl()
    return request.get_full_path()
