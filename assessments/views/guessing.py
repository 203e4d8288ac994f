"""Slowing down those who send one number, code or ballot after the other on a page that is open to
all."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

from assessments import deadlines
from organizations.lockout import client_address

#: Unknown ones that one address may try in a minute.
MISSES_A_MINUTE = 30
#: Objections and comments that one address may file in an hour.
FILED_AN_HOUR = 10
#: Ballots from one address in a minute: a whole office may share one.
BALLOTS_A_MINUTE = 60


def is_guessing(request: HttpRequest) -> bool:
    return _times(request, "verify", minutes=1) >= MISSES_A_MINUTE


def note_miss(request: HttpRequest) -> None:
    """Known ones are not counted: an office may check a pile of papers."""
    _times(request, "verify", minutes=1, add=1)


def may_file(request: HttpRequest) -> bool:
    """Whether one more may be filed, which is counted at once: of many that are sent together no more
    get through."""
    return _times(request, "file", minutes=60, add=1) <= FILED_AN_HOUR


def takes_ballot(request: HttpRequest) -> bool:
    """Counts the ballot, whatever is on it."""
    return _times(request, "ballots", minutes=1, add=1) <= BALLOTS_A_MINUTE


def _times(request: HttpRequest, what: str, *, minutes: int, add: int = 0) -> int:
    seconds = minutes * 60
    span = int(deadlines.now().timestamp() // seconds)
    key = f"{what}:{client_address(request)}:{span}"
    cache.add(key, 0, timeout=2 * seconds)
    try:
        return cache.incr(key, add)
    except ValueError:  # a full cache has dropped the key at once
        return add
