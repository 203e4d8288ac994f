"""What was typed for one indicator, and whether somebody else has changed it meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from assessments.scoring import Rating

_NOTHING = Rating()


@dataclass(frozen=True)
class Entry:
    """A rating with its texts (account, reason, remark) as one value that can be compared."""

    rating: Rating = _NOTHING
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A short digest that a page carries along, to tell later what its user saw."""
        rating = self.rating
        items = None if rating.checked_items is None else sorted(rating.checked_items)
        score = None if rating.score is None else rating.score.normalize()
        content = (
            f"{score}|{items}|{rating.numerator}|{rating.denominator}|{rating.not_applicable}|"
            f"{sorted((name, text) for name, text in self.texts.items() if text)}"
        )
        return hashlib.sha256(content.encode()).hexdigest()[:20]


class Merge(Enum):
    UNTOUCHED = auto()
    APPLY = auto()
    CONFLICT = auto()


def merge(*, typed: Entry, seen: str, stored: Entry) -> Merge:
    """What to do with what was typed on a page that showed the entry with fingerprint `seen`:
    nothing where the user left it as it was or the same is stored already; a conflict where
    somebody else has stored something else since."""
    if typed.fingerprint in (seen, stored.fingerprint):
        return Merge.UNTOUCHED
    return Merge.APPLY if seen == stored.fingerprint else Merge.CONFLICT
