"""Setting the second factor up, asking for it, and taking it away again."""

from __future__ import annotations

import segno
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from organizations import second_factor
from organizations.forms.sign_in import CodeForm, ConfirmForm, EnrolForm
from organizations.views.returning import next_page

#: In the session, while the app has not been confirmed: reloads and other tabs show the same key.
_KEY = "second_factor_key"


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Scan, type the code: for the first time, or with a new phone in place of the old one."""
    if not second_factor.is_offered():
        raise Http404
    key = request.session.setdefault(_KEY, second_factor.new_key())
    form = EnrolForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = second_factor.enrol(request.user, key=key, typed=form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            del request.session[_KEY]
            update_session_auth_hash(request, request.user)
            second_factor.mark_passed(request.session)
            request.held_at = ""
            return _show_codes(request, codes)
    picture = segno.make(second_factor.app_address(request.user, key), error="m")
    return render(
        request,
        "registration/second_factor_enrol.html",
        {
            "form": form,
            "picture": picture.svg_data_uri(scale=4, border=2),
            "secret": second_factor.readable(key),
            "is_required": second_factor.is_required(request.user),
            "next": next_page(request, "profile"),
        },
    )


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(
        request,
        "registration/second_factor_codes.html",
        {"codes": codes, "next": next_page(request, "profile")},
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The second half of signing in."""
    if not second_factor.is_pending(request.user, request.session):
        raise Http404
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.verify(request.user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            request.session.cycle_key()
            second_factor.mark_passed(request.session)
            return redirect(next_page(request))
    context = {"form": form, "next": next_page(request)}
    return render(request, "registration/second_factor_verify.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def disable(request: HttpRequest) -> HttpResponse:
    """Where it is required, this page does not exist."""
    if not second_factor.is_enrolled(request.user) or second_factor.is_required(request.user):
        raise Http404
    form = ConfirmForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        second_factor.disable(request.user)
        messages.success(request, gettext("二次验证已关闭。"))
        return redirect("profile")
    return render(request, "registration/second_factor_disable.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def renew_codes(request: HttpRequest) -> HttpResponse:
    if not second_factor.is_enrolled(request.user):
        raise Http404
    form = ConfirmForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _show_codes(request, second_factor.renew_recovery_codes(request.user))
    return render(request, "registration/second_factor_renew.html", {"form": form})
