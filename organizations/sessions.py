"""How long sessions last, and how a user's sessions end, wherever they are."""

from __future__ import annotations

import datetime as dt
import time

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from organizations.audit import record
from organizations.models import User
from organizations.security_acts import SecurityAct

_LAST_SEEN = "last_seen"


def keep_alive(session: SessionBase) -> bool:
    """Note that the session is in use, in steps rather than with every request; False when it was
    idle for too long. However busy, it ends SESSION_COOKIE_AGE after the sign-in."""
    limit = settings.IDLE_MINUTES * 60
    if not limit:
        return True
    step = min(60, limit / 10)
    now, seen = time.time(), session.get(_LAST_SEEN)
    if seen is None:
        session.set_expiry(timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE))
    elif now - seen > limit + step:
        return False
    if seen is None or now - seen > step:
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
    record(action=SecurityAct.SESSIONS_ENDED, by=user, subject=user)
