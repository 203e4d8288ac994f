"""Counting failed sign-ins (django-axes) and locking out: an account after a few, an address
after many, because a whole office may share one."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessFailureLog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.http import HttpRequest
from django.utils import timezone

from organizations import second_factor, sessions
from organizations.models import User

log = logging.getLogger(__name__)


def client_address(request: HttpRequest) -> str | None:
    """Who asks. The proxy in front appends its client to X-Forwarded-For: only the last entry is
    its word, all before it anybody may have written."""
    claimed = [request.META.get("REMOTE_ADDR", "")]
    if settings.BEHIND_PROXY:
        claimed.insert(0, request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2])
    return next(filter(None, map(_address, claimed)), None)


def _address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def account_failures(username: str) -> int:
    return _recent_failures(username=username)


def address_is_locked(address: str | None) -> bool:
    """A request that comes without an address is held by the accounts' limit alone."""
    limit = settings.LOCKOUT_ADDRESS_FAILURES
    return address is not None and _recent_failures(ip_address=address) >= limit


def _recent_failures(**whose: str) -> int:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    recent = AccessAttempt.objects.filter(attempt_time__gte=since, **whose)
    return recent.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


class Handler(AxesDatabaseHandler):
    """Axes' handler with two limits. It keeps nothing of a request's body or query string, which
    may hold a password typed into the wrong field."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Those of the account; of a locked address, as many as lock an account."""
        if address_is_locked(request.axes_ip_address):
            return settings.AXES_FAILURE_LIMIT
        return account_failures(get_client_username(request, credentials) or "")

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count the failure, unless it was refused unseen: that would prolong the lock."""
        if request.axes_locked_out:
            return
        self.clean_expired_user_attempts(request, credentials)
        seen = {
            "username": get_client_username(request, credentials),
            "ip_address": request.axes_ip_address,
            "user_agent": request.axes_user_agent,
        }
        with transaction.atomic():
            attempt, _ = AccessAttempt.objects.select_for_update().get_or_create(
                **seen, defaults={"failures_since_start": 0}
            )
            attempt.failures_since_start = F("failures_since_start") + 1
            attempt.attempt_time = request.axes_attempt_time
            attempt.save(update_fields=["failures_since_start", "attempt_time"])
            request.axes_locked_out = self.is_locked(request, credentials)
            AccessFailureLog.objects.create(**seen, locked_out=request.axes_locked_out)
        if request.axes_locked_out:
            log.warning("locked out: %r from %s", seen["username"], seen["ip_address"])

    def user_logged_in(self, sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
        """Every sign-in comes through here: the session starts with what the gate wants to know."""
        super().user_logged_in(sender, request, user, **kwargs)
        sessions.keep_alive(request.session)
        second_factor.begin(user, request.session)

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """A success forgives the account's failures, not those of others at the same address."""
        return self.reset_attempts(username=get_client_username(request, credentials))
