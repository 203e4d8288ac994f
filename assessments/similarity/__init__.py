"""雷同: what two unions have handed in alike – the same file, nearly the same picture, nearly the
same account of the same indicator.

What is handed in leaves traces; a new trace is looked for among those of other unions, of this
campaign and the earlier ones, never among the union's own. Nothing here scans all rows: equal ones
meet in an index of digests, similar ones in an index of bands whose buckets are bounded.
"""

from assessments.similarity.finding import outdated, refresh, refresh_later
from assessments.similarity.flags import (
    Comparison,
    Flag,
    Match,
    Side,
    compare,
    flags_for,
    open_count,
    unlisted,
)
from assessments.similarity.judging import NotPossible, anew, judge, stamp

__all__ = [
    "Comparison",
    "Flag",
    "Match",
    "NotPossible",
    "Side",
    "anew",
    "compare",
    "flags_for",
    "judge",
    "open_count",
    "outdated",
    "refresh",
    "refresh_later",
    "stamp",
    "unlisted",
]
