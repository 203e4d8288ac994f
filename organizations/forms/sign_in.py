"""Signing in, an own password, and the second factor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    SetPasswordForm,
    UsernameField,
)
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations import first_passwords, passwords, sign_in
from organizations.models import User


class SignInForm(AuthenticationForm):
    """Django's, with a limit to the username, which is written down when the sign-in fails."""

    username = UsernameField(max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))

    def clean_username(self) -> str:
        return sign_in.typed_username(self.cleaned_data["username"])


class SetOwnPasswordForm(SetPasswordForm):
    """In place of a first password, with which the user has just signed in."""

    def clean_new_password1(self) -> str:
        password = self.cleaned_data["new_password1"]
        if first_passwords.matches(self.user, password):
            raise ValidationError(gettext("不能用通知单上的初始密码，请另设一个只有自己知道的。"))
        return password

    def validate_password_for_user(self, user: User, password_field_name: str = "") -> None:
        """What is wrong with it stands where it is typed first, beside the rules."""
        super().validate_password_for_user(user, "new_password1")

    def save(self, commit: bool = True) -> User:
        passwords.set_own(self.user, self.cleaned_data["new_password1"])
        return self.user


class ChangeOwnPasswordForm(SetOwnPasswordForm, PasswordChangeForm):
    """In place of an own password, which must be known."""


class EmailForm(forms.ModelForm):
    """One's address, and whether messages go there too."""

    class Meta:
        model = User
        fields = ["email", "wants_mail"]
        labels = {"email": _("电子邮箱")}
        help_texts = {
            "email": _("可不填。"),
            "wants_mail": _("填了邮箱时，有新消息发邮件提醒，合成一封，不逐条打扰。"),
        }


def _code_field(**attrs: Any) -> forms.CharField:
    """Taken as typed: `second_factor` knows what a code looks like."""
    attrs |= {"autocomplete": "one-time-code", "spellcheck": "false"}
    return forms.CharField(label=_("验证码"), max_length=40, widget=forms.TextInput(attrs=attrs))


class CodeForm(forms.Form):
    code = _code_field(autofocus=True)


class ConfirmForm(forms.Form):
    """The password once more, so that an unattended computer is not enough. Wrong ones count
    towards the lock-out."""

    password = forms.CharField(
        label=_("登录密码"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        username = self.request.user.get_username()
        if authenticate(self.request, username=username, password=password) is None:
            raise ValidationError(gettext("密码不正确，或者输错次数过多，账号已暂时锁定。"))
        return password


class EnrolForm(ConfirmForm):
    """The code that the app shows, below the instructions: those are read first."""

    code = _code_field()
    field_order = ["code", "password"]
