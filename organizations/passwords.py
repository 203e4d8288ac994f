"""Passwords: how they are hashed, what they must be like, and how a user sets an own one."""

from __future__ import annotations

import unicodedata

from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    check_password,
    is_password_usable,
)
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.audit import record
from organizations.choices import Act
from organizations.models import FirstPassword, PasswordRecord, User


class PortalArgon2Hasher(Argon2PasswordHasher):
    """OWASP's lean setting: some 20 ms and 19 MiB each, so that a morning's rush of sign-ins
    cannot exhaust a small server; Django's own takes 100 MiB and eight threads."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1


class LengthValidator(MinimumLengthValidator):
    """Django's, which speaks no Chinese."""

    def get_error_message(self) -> str:
        return gettext("密码太短，至少要有 {min_length} 个字符。").format(
            min_length=self.min_length
        )

    def get_help_text(self) -> str:
        return gettext("密码至少要有 {min_length} 个字符。").format(min_length=self.min_length)


class CompositionValidator:
    """Letters and digits, and three of the four kinds: what level-2 classified protection asks."""

    _HELP = _("密码须同时包含字母和数字，并且在大写字母、小写字母、数字、符号四类中至少占三类。")

    def validate(self, password: str, user: User | None = None) -> None:
        if any(unicodedata.category(character) == "Cc" for character in password):
            raise ValidationError(gettext("密码中有不能使用的控制字符。"), code="password_control")
        kinds = {_kind(character) for character in password}
        if len(kinds) < 3 or "digit" not in kinds or not kinds & {"upper", "lower"}:
            raise ValidationError(self._HELP, code="password_composition")

    def get_help_text(self) -> str:
        return self._HELP


def _kind(character: str) -> str:
    if character.isdecimal():
        return "digit"
    if character.isupper():
        return "upper"
    return "lower" if character.islower() else "symbol"


class HistoryValidator:
    """None of the last few passwords again, the present one included."""

    def __init__(self, remembered: int = 5) -> None:
        self.remembered = remembered

    def validate(self, password: str, user: User | None = None) -> None:
        if user is None or user.pk is None:
            return
        hashes = {*self._records(user).values_list("password", flat=True)[: self.remembered]}
        if is_password_usable(user.password):
            hashes.add(user.password)
        if any(check_password(password, one) for one in hashes):
            raise ValidationError(
                gettext("不能与最近 {remembered} 次用过的密码相同。").format(
                    remembered=self.remembered
                ),
                code="password_history",
            )

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Django calls this after each save of a new password, wherever it was set."""
        if user is None or user.pk is None:
            return
        PasswordRecord.objects.create(user=user, password=user.password)
        kept = [*self._records(user).values_list("pk", flat=True)[: self.remembered]]
        PasswordRecord.objects.filter(user=user).exclude(pk__in=kept).delete()

    def get_help_text(self) -> str:
        return gettext("密码不能与最近 {remembered} 次用过的相同。").format(
            remembered=self.remembered
        )

    @staticmethod
    def _records(user: User):
        return PasswordRecord.objects.filter(user=user).order_by("-pk")


@transaction.atomic
def set_own(user: User, password: str) -> None:
    """The user's own choice, validated before: it takes the place of a first password and ends
    the user's sessions, but for the one whose view calls `update_session_auth_hash`."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    FirstPassword.objects.filter(user=user).delete()
    record(action=Act.PASSWORD_SET, by=user, subject=user)
