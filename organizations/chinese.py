"""The federation's own language. What it keeps, sends and issues – records, messages, papers – is in
Chinese, whichever language the one who acts has chosen for the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import translation


@contextmanager
def in_chinese() -> Iterator[None]:
    """Around a block, or as a decorator `@in_chinese()`. Unlike a decorating `translation.override`,
    which remembers one language for all threads, each call is a context of its own."""
    with translation.override(settings.LANGUAGE_CODE):
        yield
