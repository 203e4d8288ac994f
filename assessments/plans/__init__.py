"""实施方案: written or uploaded by 县、产业、基层工会 (policy, section 四), filed with the city's
组织部, accepted or sent back. Late filing stays possible, and is marked."""

from assessments.plans.register import (
    NONE,
    STAGES,
    Counts,
    count,
    rows,
    staged,
    versions_for,
    visible_to,
    waiting,
)
from assessments.plans.table import TABLE, available, perform
from assessments.plans.writing import (
    ACCEPTED,
    ACCEPTED_ENDINGS,
    EDITABLE,
    Content,
    Part,
    Stale,
    gaps,
    outline,
    save,
)

__all__ = [
    "ACCEPTED",
    "ACCEPTED_ENDINGS",
    "EDITABLE",
    "NONE",
    "STAGES",
    "TABLE",
    "Content",
    "Counts",
    "Part",
    "Stale",
    "available",
    "count",
    "gaps",
    "outline",
    "perform",
    "rows",
    "save",
    "staged",
    "versions_for",
    "visible_to",
    "waiting",
]
