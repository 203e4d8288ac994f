"""Pinyin initials (拼音首字母), by which a union is found without typing Chinese."""

import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin, pinyin


def initials(name: str) -> str:
    """The lower-case initials of a name: 宝丰县总工会 → bfxzgh. Letters and digits stay, the rest
    goes. 长, 行 and their like are read by the characters beside them."""
    name = unicodedata.normalize("NFKC", name)
    found = []
    for place, character in enumerate(name):
        readings = _readings(character)
        if len(readings) > 1:
            found.append(_in_context(name[max(0, place - 1) : place + 2], min(place, 1)))
        else:
            found.extend(readings)
    return "".join(found)


@lru_cache(maxsize=20_000)
def _readings(character: str) -> frozenset[str]:
    """The initials that a character may have: none for punctuation."""
    if character.isascii():
        return frozenset(character.lower() if character.isalnum() else ())
    readings = pinyin(character, style=Style.FIRST_LETTER, heteronym=True, errors="ignore")
    return frozenset(initial for initial in (readings[0] if readings else ()) if initial)


@lru_cache(maxsize=50_000)
def _in_context(characters: str, place: int) -> str:
    return lazy_pinyin(characters, style=Style.FIRST_LETTER, errors=list)[place][:1]
