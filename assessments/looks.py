"""What a picture looks like, in a few bits: nearly the same for a copy that was saved anew, at
another size, or trimmed a little at its edges (dHash by rows and by columns).

Two hashes make a look: a coarse one of 128 bits, by whose bands others are found in an index, and
a fine one of 512 bits, which tells one filled-in form from another.
"""

from __future__ import annotations

import dhash
from PIL import Image

_COARSE, _FINE = 8, 16
_COARSE_DIGITS = _COARSE * _COARSE * 2 // 4
#: Hexadecimal digits of a look.
DIGITS = _COARSE_DIGITS + _FINE * _FINE * 2 // 4
#: Hexadecimal digits of a band. Two coarse hashes (of eight bands) that differ in fewer than eight
#: bits have a band in common.
_BAND_DIGITS = 4
#: Grey levels that count as one: a scanner's noise on white paper is no picture.
_GREY_STEP = 8
#: Between the lightest and the darkest square (0–255): below it the picture is blank.
_MIN_CONTRAST = 48
#: Coarse bits that must be of the rarer kind, by rows and by columns together: an almost empty page,
#: or one that just grows darker to one side, says too little.
_MIN_INFORMATION = 16
#: A band all of whose bits are the same shows an even surface, which any picture may have.
_EVEN = ("0" * _BAND_DIGITS, "f" * _BAND_DIGITS)


def of(image: Image.Image) -> str:
    """The look of an upright picture in hexadecimal digits; empty for a blank or nearly even one,
    which would resemble every other such picture."""
    grays = _squares(image, _COARSE)
    if max(grays) - min(grays) < _MIN_CONTRAST:
        return ""
    coarse = _hash(grays, _COARSE)
    half = _COARSE * _COARSE
    ones = [part.bit_count() for part in divmod(coarse, 1 << half)]
    if sum(min(count, half - count) for count in ones) < _MIN_INFORMATION:
        return ""
    fine = _hash(_squares(image, _FINE), _FINE)
    return f"{coarse:0{_COARSE_DIGITS}x}{fine:0{DIGITS - _COARSE_DIGITS}x}"


def _squares(image: Image.Image, size: int) -> list[int]:
    small = image.convert("L").resize((size + 1, size + 1), Image.Resampling.LANCZOS)
    return list(small.tobytes())


def _hash(grays: list[int], size: int) -> int:
    return dhash.dhash_int([gray // _GREY_STEP for gray in grays], size=size)


def likeness(one: str, other: str) -> int:
    """How much two looks agree, in percent of the fine hash, rounded down."""
    first, second = (int(look[_COARSE_DIGITS:], 16) for look in (one, other))
    bits = (DIGITS - _COARSE_DIGITS) * 4
    return 100 * (bits - dhash.get_num_bits_different(first, second)) // bits


def bands(look: str) -> list[str]:
    """The look's bands, each with its place; without those that say nothing."""
    values = [look[at : at + _BAND_DIGITS] for at in range(0, _COARSE_DIGITS, _BAND_DIGITS)]
    return [f"{place}{value}" for place, value in enumerate(values) if value not in _EVEN and value]
