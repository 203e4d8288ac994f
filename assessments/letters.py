"""评定结果通知书: what was decided, point by point, and what the union can do better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from assessments.models import (
    Criterion,
    Decision,
    DecisionCriterion,
    Indicator,
    SelfAssessment,
)
from assessments.scoring import ZERO
from organizations.models import User


@dataclass(frozen=True)
class Shortfall:
    """An indicator below its full mark, with what was said of it, without names."""

    indicator: Indicator
    points: Decimal
    maximum: Decimal
    remarks: tuple[str, ...]

    @property
    def lost(self) -> Decimal:
        return self.maximum - self.points


@dataclass(frozen=True)
class Letter:
    """`shortfalls` come worst first. `is_void` once the decision was superseded (已撤销)."""

    decision: Decision
    criteria: list[tuple[Criterion, DecisionCriterion]]
    shortfalls: list[Shortfall]

    @property
    def is_void(self) -> bool:
        return self.decision.superseded_at is not None

    @property
    def file_name(self) -> str:
        return f"评定结果通知书-{self.decision.self_assessment.organization.name}"


def readable_by(user: User) -> QuerySet[Decision]:
    """The decisions whose letter the user may have: of what they may see. There is no decision before
    it is made; one that was superseded keeps its letter, as void."""
    visible = SelfAssessment.objects.visible_to(user).values("pk")
    return Decision.objects.filter(self_assessment__in=visible).select_related(
        "self_assessment__organization__parent", "campaign"
    )


def write(decision: Decision) -> Letter:
    """From what was frozen with the decision: three queries."""
    titles = {
        one.number: one
        for one in Criterion.objects.filter(rubric=decision.self_assessment.rubric_id)
    }
    scores = [
        score
        for score in decision.scores.select_related("indicator__criterion")
        if score.points < score.maximum
    ]
    shortfalls = [
        Shortfall(
            score.indicator,
            score.points,
            score.maximum,
            tuple(score.remark.splitlines()),
        )
        for score in scores
        if score.maximum > ZERO
    ]
    shortfalls.sort(key=lambda one: (-one.lost, one.indicator.code))
    return Letter(
        decision,
        [(titles[one.number], one) for one in decision.criteria.all()],
        shortfalls,
    )


def standing_first(decisions: Iterable[Decision]) -> tuple[Decision | None, list[Decision]]:
    """The decision that stands, if there is one, and those that were superseded."""
    decisions = list(decisions)
    standing = next((one for one in decisions if one.superseded_at is None), None)
    return standing, [one for one in decisions if one.superseded_at is not None]
