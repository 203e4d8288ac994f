"""What an account says, whoever says it: the wording without the names of the unions, and a few
numbers by which texts of nearly the same wording are found in an index (MinHash)."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

#: Characters that a wording must have to be compared: “已按要求开展，资料齐全” is everybody's.
MIN_LENGTH = 40
#: Characters of a shingle. Each band is made of so many minima; there are so many bands. Of two
#: texts with a ratio of 90 % nearly all share a band; of two different ones hardly any do.
_SHINGLE, _MINIMA, _BANDS = 3, 3, 12
_PRIME = (1 << 61) - 1
#: Fixed multipliers and offsets: what was stored last year must meet what is stored today.
_HASHES = [
    (pow(7, 1000 + 97 * number, _PRIME), pow(11, 1000 + 89 * number, _PRIME))
    for number in range(_MINIMA * _BANDS)
]
_SILENT = re.compile(r"[\W_]+")
_ENDINGS = re.compile(r"(工会委员会|工会联合会|总工会|工会)$")


def plain(text: str, names: Iterable[str]) -> str:
    """The wording: full and half width alike, no blanks, no punctuation, and none of the names
    (with or without 工会委员会 at the end), by which copies differ."""
    wording = _squeezed(text)
    stems = {_squeezed(form) for name in names for form in (name, _ENDINGS.sub("", name))}
    for stem in sorted(stems, key=len, reverse=True):
        if len(stem) > 1:
            wording = wording.replace(stem, "")
    return wording


def _squeezed(text: str) -> str:
    return _SILENT.sub("", unicodedata.normalize("NFKC", text)).lower()


def bands(wording: str) -> list[str]:
    """The bands of a wording of at least MIN_LENGTH, each with its place."""
    shingles = {
        zlib.crc32(wording[at : at + _SHINGLE].encode())
        for at in range(len(wording) - _SHINGLE + 1)
    }
    minima = [
        min((factor * shingle + offset) % _PRIME for shingle in shingles)
        for factor, offset in _HASHES
    ]
    return [
        f"{place}:" + ",".join(map(str, minima[place * _MINIMA : (place + 1) * _MINIMA]))
        for place in range(_BANDS)
    ]


def likeness(one: str, other: str, at_least: int) -> int:
    """How much two wordings agree, in percent, rounded down; 0 below `at_least`."""
    return int(fuzz.ratio(one, other, score_cutoff=at_least))


def differences(one: str, other: str) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """Both texts in pieces, each with whether it differs from the other text. Not difflib, whose
    time grows with the square of the length."""
    left, right = [], []
    for part in Levenshtein.opcodes(one, other):
        differs = part.tag != "equal"
        if part.src_end > part.src_start:
            left.append((differs, one[part.src_start : part.src_end]))
        if part.dest_end > part.dest_start:
            right.append((differs, other[part.dest_start : part.dest_end]))
    return left, right
