"""One run of a transition, and what can stand in its way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from assessments import verdicts, worksheet
from assessments.models import Indicator, Review, SelfAssessment
from organizations.models import User


@dataclass(frozen=True)
class Problem:
    """Why an action cannot run, in the words of the screen; at which indicator, if at one."""

    message: str
    indicator: Indicator | None = None


class TransitionRefused(Exception):
    """Raised by `perform`; `problems` lists everything that stands in the way."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("".join(str(problem.message) for problem in problems))
        self.problems = problems


class ManyRefused(Exception):
    """Raised by `perform_many`; `problems` by key of the self-assessment."""

    def __init__(self, problems: Mapping[int, tuple[Problem, ...]]) -> None:
        super().__init__(f"{len(problems)} refused")
        self.problems = problems


@dataclass
class Context:
    """One run of a transition: the locked row, who acts, when, and what came with the action."""

    assessment: SelfAssessment
    by: User | None
    at: dt.datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def sections(self) -> list[worksheet.Section]:
        """The union's answers."""
        return worksheet.load(self.assessment)

    @cached_property
    def verdict(self) -> verdicts.Verdict:
        """What the completed reviews come to."""
        return verdicts.verdict_of(self.assessment, self.lines)

    @cached_property
    def reviews(self) -> list[Review]:
        """What the reviewers have scored, with their users."""
        return list(self.assessment.reviews.select_related("reviewer"))

    @property
    def lines(self) -> list[worksheet.Line]:
        return [line for section in self.sections for line in section.lines]

    @property
    def own_review(self) -> Review | None:
        """The acting reviewer's review of this self-assessment."""
        return self.assessment.reviews.filter(reviewer=self.by).first()
