"""How long sessions last, and how a user's sessions end, wherever they are."""

from __future__ import annotations

import datetime as dt
import math
import time

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from organizations.audit import record
from organizations.choices import Act
from organizations.models import User

_LAST_SEEN = "last_seen"


def idle_seconds() -> int:
    """Without a sign of life for so long a session is over; 0 when none ends that way."""
    limit = settings.IDLE_MINUTES * 60
    return math.ceil(limit + _step(limit))


def _step(limit: float) -> float:
    """Use is noted in steps of a minute, rather than with every request."""
    return min(60, limit / 10)


def keep_alive(session: SessionBase) -> bool:
    """Note that the session is in use; False when it was idle for too long. However busy, it ends
    SESSION_COOKIE_AGE after the sign-in."""
    limit = settings.IDLE_MINUTES * 60
    now, seen = time.time(), session.get(_LAST_SEEN)
    if seen is None:
        session.set_expiry(timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE))
    elif limit and now - seen > limit + _step(limit):
        return False
    if seen is None or (limit and now - seen > _step(limit)):
        session[_LAST_SEEN] = now
    return True


def end_all(user: User) -> None:
    """End every session of the user at once. The session of the request that asks for it goes on
    if its view calls `update_session_auth_hash`."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])


@transaction.atomic
def end_others(user: User) -> None:
    """The user has left a computer without signing out, or suspects somebody."""
    end_all(user)
    record(action=Act.SESSIONS_ENDED, by=user, subject=user)
