"""The second factor (二次验证): a code from an app on the phone, or one of the recovery codes that
were printed when it was set up."""

from __future__ import annotations

import time
from base64 import b32encode
from binascii import unhexlify

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from organizations import sessions
from organizations.audit import record
from organizations.choices import Act, Tier
from organizations.models import User
from organizations.one_time_codes import digest, plain, random_code

RECOVERY_CODES = 10
#: What a session knows: that the code was given, or that there was none to give.
_STATE, _PASSED, _NOT_ENROLLED = "second_factor", "passed", "not enrolled"
_WRONG = _("验证码或恢复码不正确，或者已经用过。手机上的验证码每 30 秒更换一次，请输入新的一个。")


def is_offered() -> bool:
    return settings.SECOND_FACTOR != "off"


def is_required(user: User) -> bool:
    """Where the portal is set so: whoever acts for the city federation, in any of their roles."""
    return settings.SECOND_FACTOR == "city" and (
        user.is_superuser or any(role.organization.tier == Tier.CITY for role in user.all_roles)
    )


def is_enrolled(user: User) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def begin(user: User, session: SessionBase) -> None:
    """At sign-in, so that no page has to ask whether there is a code to give."""
    if is_offered() and not is_enrolled(user):
        session[_STATE] = _NOT_ENROLLED


def is_pending(user: User, session: SessionBase) -> bool:
    """Whether this session still owes the code."""
    if is_offered() and _STATE not in session:
        begin(user, session)
    return is_offered() and _STATE not in session


def must_enrol(user: User, session: SessionBase) -> bool:
    return session.get(_STATE) != _PASSED and is_required(user)


def mark_passed(session: SessionBase) -> None:
    session[_STATE] = _PASSED


def new_key() -> str:
    """A secret for an app, in hexadecimal; nothing is stored until it is confirmed."""
    return default_key()


def app_address(user: User, key: str) -> str:
    """What the app reads from the picture."""
    return TOTPDevice(user=user, key=key).config_url


def readable(key: str) -> str:
    """For typing it into an app by hand: JBSW Y3DP …"""
    text = b32encode(unhexlify(key)).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


@transaction.atomic
def enrol(user: User, *, key: str, typed: str) -> list[str]:
    """Take up the app that holds the key and shows this code; return the recovery codes, which are
    shown this once. Other sessions end. Raises ValidationError for a wrong code."""
    app = TOTP(unhexlify(key))
    app.time = time.time()
    code = plain(typed)
    if not (code.isascii() and code.isdecimal() and app.verify(int(code), tolerance=1)):
        raise ValidationError(
            gettext("验证码不正确。请核对手机的时间是否准确，再输入当前显示的验证码。")
        )
    _forget(user)
    TOTPDevice.objects.create(user=user, name="手机", key=key, drift=app.drift, last_t=app.t())
    codes = _new_recovery_codes(user)
    sessions.end_all(user)
    record(action=Act.SECOND_FACTOR_ENROLLED, by=user, subject=user)
    return codes


def verify(user: User, typed: str) -> None:
    """Raises ValidationError unless this is the app's code or an unused recovery code. Each is
    accepted once; after a failure one must wait, longer each time."""
    code = plain(typed)
    is_from_app = len(code) == 6 and code.isascii() and code.isdecimal()
    with transaction.atomic():
        model = TOTPDevice if is_from_app else StaticDevice
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            raise ValidationError(_WRONG)
        wait = _seconds_to_wait(device)
        accepted = device.verify_token(code if is_from_app else _stored(user, code))
        if accepted and not is_from_app:
            record(action=Act.RECOVERY_CODE_USED, by=user, subject=user)
    # Outside of the transaction: the failure stays counted.
    if wait:
        raise ValidationError(gettext("尝试太频繁，请 {wait} 秒后再试。").format(wait=wait))
    if not accepted:
        raise ValidationError(_WRONG)


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


@transaction.atomic
def renew_recovery_codes(user: User) -> list[str]:
    """New recovery codes; the old ones are void."""
    StaticDevice.objects.filter(user=user).delete()
    codes = _new_recovery_codes(user)
    record(action=Act.RECOVERY_CODES_RENEWED, by=user, subject=user)
    return codes


@transaction.atomic
def disable(user: User) -> None:
    """The user's own decision, where it is not required."""
    _forget(user)
    record(action=Act.SECOND_FACTOR_DISABLED, by=user, subject=user)


@transaction.atomic
def reset(user: User, *, by: User | None) -> None:
    """An administrator's help after a lost phone: the user's sessions end, and where a second
    factor is required it is set up anew at the next sign-in."""
    _forget(user)
    sessions.end_all(user)
    record(action=Act.SECOND_FACTOR_RESET, by=by, subject=user)


def _forget(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def _new_recovery_codes(user: User) -> list[str]:
    codes = [random_code(groups=2, size=5) for _ in range(RECOVERY_CODES)]
    device = StaticDevice.objects.create(user=user, name="恢复码")
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_stored(user, code)) for code in codes
    )
    return codes


def _stored(user: User, code: str) -> str:
    """django-otp keeps tokens of 16 characters: 64 bits of the digest stand for the code."""
    return digest(code, purpose="recovery_code", owner=user.pk)[:16]


def _seconds_to_wait(device: Device) -> int:
    allowed, reasons = device.verify_is_allowed()
    if allowed:
        return 0
    return int((reasons["locked_until"] - timezone.now()).total_seconds()) + 1
