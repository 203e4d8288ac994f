"""The sign-in page, the own password, and the sign of life of a page that is being filled in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from organizations.forms.sign_in import ChangeOwnPasswordForm, SetOwnPasswordForm, SignInForm
from organizations.lockout import address_is_locked
from organizations.views.returning import next_page


class SignIn(LoginView):
    form_class = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """The same for an account that exists and for one that does not."""
        if not getattr(self.request, "axes_locked_out", False):
            return super().form_invalid(form)
        minutes = settings.AXES_COOLOFF_TIME // dt.timedelta(minutes=1)
        response = self.render_to_response(
            self.get_context_data(
                form=form,
                minutes=minutes,
                is_address=address_is_locked(self.request.axes_ip_address),
            ),
            status=429,
        )
        response["Retry-After"] = str(minutes * 60)
        return response


class OwnPassword(PasswordChangeView):
    """Other sessions end with the old password, this one goes on."""

    def get_form_class(self) -> type[SetOwnPasswordForm]:
        known = self.request.user.has_usable_password()
        return ChangeOwnPasswordForm if known else SetOwnPasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_first = self.request.user.must_change_password
        return super().get_context_data(is_first=is_first, next=next_page(self.request), **kwargs)

    def form_valid(self, form: SetOwnPasswordForm) -> HttpResponse:
        was_first = self.request.user.must_change_password
        response = super().form_valid(form)
        if not was_first:
            return response
        messages.success(self.request, gettext("密码已设定，以后请用它登录；初始密码不再有效。"))
        return HttpResponseRedirect(next_page(self.request))


@require_POST
def alive(request: HttpRequest) -> HttpResponse:
    """Somebody is typing: the request by itself keeps the session from growing idle."""
    return HttpResponse(status=204)
