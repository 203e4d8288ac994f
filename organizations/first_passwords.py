"""First passwords (初始密码): issued by an administrator, shown once on a slip, good until the
user sets an own password or until they expire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from organizations.audit import record
from organizations.choices import Act
from organizations.models import FirstPassword, User
from organizations.one_time_codes import digest, random_code


@transaction.atomic
def issue(user: User, *, by: User) -> str:
    """A new first password for one account. The password that the user had, an earlier slip and
    all sessions end with it."""
    password = _issue([user], by=by)[user]
    record(action=Act.FIRST_PASSWORD_ISSUED, by=by, subject=user)
    return password


@transaction.atomic
def issue_all(users: Collection[User], *, by: User) -> dict[User, str]:
    """The same for many accounts, with one event and a number of queries that does not grow."""
    passwords = _issue(users, by=by)
    details = {"count": len(passwords), "keys": sorted(user.pk for user in passwords)}
    record(action=Act.FIRST_PASSWORD_ISSUED, by=by, details=details)
    return passwords


def _issue(users: Collection[User], *, by: User) -> dict[User, str]:
    now = timezone.now()
    passwords = {user: random_code(groups=3, size=4) for user in users}
    FirstPassword.objects.bulk_create(
        [
            FirstPassword(
                user=user,
                digest=_digest(user, password),
                issued_at=now,
                expires_at=now + dt.timedelta(days=settings.FIRST_PASSWORD_DAYS),
                issued_by=by,
            )
            for user, password in passwords.items()
        ],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["digest", "issued_at", "expires_at", "issued_by"],
    )
    unusable = make_password(None)
    User.objects.filter(pk__in=[user.pk for user in passwords]).update(
        password=unusable,
        must_change_password=True,
        session_generation=F("session_generation") + 1,
    )
    for user in passwords:  # a later save() of these objects must not undo it
        user.password, user.must_change_password = unusable, True
        user.session_generation += 1
    return passwords


def matches(user: User, typed: str) -> bool:
    """Whether this is the user's first password and still holds. A real password voids it."""
    first = getattr(user, "first_password", None)
    if first is None or user.has_usable_password() or first.expires_at <= timezone.now():
        return False
    return constant_time_compare(first.digest, _digest(user, typed))


def link(request: HttpRequest, user: User, password: str) -> str:
    """The address that fills in the sign-in page. What stands behind the # never reaches a
    server, nor its logs: `static/js/first_sign_in.js` reads it."""
    fragment = f"{quote(user.get_username())}.{password}"
    return request.build_absolute_uri(f"{reverse('login')}#{fragment}")


def _digest(user: User, password: str) -> str:
    return digest(password, purpose="first_password", owner=user.pk)
