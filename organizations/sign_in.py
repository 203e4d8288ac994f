"""Signing in: what is typed, who is locked out, and what a user's last sign-ins were."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass

from axes.models import AccessFailureLog, AccessLog
from axes.utils import reset
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.audit import record
from organizations.choices import Act
from organizations.lockout import account_failures
from organizations.models import User

#: So many of the last sign-ins are shown.
SHOWN = 20

#: In this order: Edge also calls itself Chrome, and Chrome Safari.
_BROWSERS = {
    "MicroMessenger": _("微信"),
    "DingTalk": _("钉钉"),
    "Edg": "Edge",
    "QQBrowser": _("QQ浏览器"),
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "OpenHarmony": _("鸿蒙"),
    "Android": _("安卓"),
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


def typed_username(text: str) -> str:
    """What was meant: without blanks, invisible characters and full-width forms."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(one for one in text if not one.isspace() and unicodedata.category(one) != "Cf")


def is_locked(username: str) -> bool:
    """Whether the account, existing or not, is locked out after too many failures."""
    return account_failures(username) >= settings.AXES_FAILURE_LIMIT


@transaction.atomic
def unlock(user: User, *, by: User) -> None:
    """Let the user try again at once."""
    reset(username=user.username)
    record(action=Act.UNLOCKED, by=by, subject=user)


@dataclass(frozen=True)
class SignIn:
    at: dt.datetime
    succeeded: bool
    address: str
    browser: str


def recent(user: User) -> list[SignIn]:
    """The last sign-ins under the user's name, also those that failed; the newest first."""
    lines = [
        SignIn(entry.attempt_time, succeeded, entry.ip_address or "", browser(entry.user_agent))
        for log, succeeded in ((AccessLog, True), (AccessFailureLog, False))
        for entry in log.objects.filter(username=user.username).order_by("-attempt_time")[:SHOWN]
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:SHOWN]


def browser(user_agent: str) -> str:
    """In short: Chrome · Windows."""
    parts = (
        next((name for mark, name in names.items() if mark in user_agent), "")
        for names in (_BROWSERS, _SYSTEMS)
    )
    return " · ".join(str(part) for part in parts if part) or gettext("未知")
