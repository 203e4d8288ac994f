"""Slowing down those who try one number or code after the other on a page that is open to all."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest

from assessments import deadlines

#: Unknown ones that one address may try in a minute.
MISSES_A_MINUTE = 30


def is_guessing(request: HttpRequest) -> bool:
    return _misses(request) >= MISSES_A_MINUTE


def note_miss(request: HttpRequest) -> None:
    """Known ones are not counted: an office may check a pile of papers."""
    _misses(request, add=1)


def _misses(request: HttpRequest, *, add: int = 0) -> int:
    minute = int(deadlines.now().timestamp() // 60)
    key = f"verify:{request.META.get('REMOTE_ADDR', '')}:{minute}"
    cache.add(key, 0, timeout=120)
    return cache.incr(key, add)
