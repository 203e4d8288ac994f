"""One thing that waits for somebody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from assessments import worksheet
from assessments.models import (
    SelfAssessment,
)
from assessments.scoring import CriterionResult
from organizations.models import Organization


@dataclass(frozen=True)
class Task:
    """One thing to do. `days_left` is None without a deadline, negative once it has passed.
    A task with `starts` is begun by a POST (the self-assessment does not exist yet). `tiles` are
    the six criteria of one's own union, with how far each has come. `guide` calls for the guide for
    those who fill in for the first time."""

    title: str
    text: str
    url: str
    button: str
    due: dt.date | None = None
    days_left: int | None = None
    starts: Organization | None = None
    is_open: bool = True
    assessment: SelfAssessment | None = None
    tiles: tuple[tuple[worksheet.Section, CriterionResult], ...] = ()
    note: str = ""
    urged: str = ""
    guide: bool = False

    @property
    def is_too_late(self) -> bool:
        """Whether the union could still write, had the day not passed."""
        return self.days_left is not None and self.days_left < 0 and not self.is_open
