"""Codes that people copy from paper: first passwords and recovery codes. Only keyed digests of
them are kept, which are worth nothing without the SECRET_KEY."""

from __future__ import annotations

import secrets
import unicodedata

from django.utils.crypto import salted_hmac

#: Without 0 and O, 1, I and L, which look alike.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
#: Enough for any code, however it is spaced; typed text is cut here before it is looked at.
_LONGEST = 64


def random_code(*, groups: int, size: int) -> str:
    """Such as K7QF-2MXW-9HTC: every character is worth nearly five bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(size)) for _ in range(groups))


def plain(typed: str) -> str:
    """What was meant: full-width or not, in either case, with or without hyphens and blanks."""
    text = unicodedata.normalize("NFKC", typed[:_LONGEST]).upper()
    return "".join(character for character in text if character.isalnum())


def digest(code: str, *, purpose: str, owner: int) -> str:
    """64 hexadecimal digits, different for each owner and purpose."""
    text = f"{owner}:{plain(code)}"
    return salted_hmac(f"organizations.{purpose}", text, algorithm="sha256").hexdigest()
