"""评定结果通知书: what was decided, point by point, and what the union can do better."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from assessments.choices import DECIDED_STATES
from assessments.models import (
    Adjustment,
    Criterion,
    Decision,
    DecisionCriterion,
    Indicator,
    ReviewScore,
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
    """The decisions whose letter the user may have: of what they may see, once it is decided."""
    visible = SelfAssessment.objects.visible_to(user).filter(state__in=DECIDED_STATES)
    return Decision.objects.filter(self_assessment__in=visible).select_related(
        "self_assessment__organization__parent", "campaign"
    )


def write(decision: Decision) -> Letter:
    """Four queries."""
    titles = {
        one.number: one
        for one in Criterion.objects.filter(rubric=decision.self_assessment.rubric_id)
    }
    scores = [
        score
        for score in decision.scores.select_related("indicator__criterion")
        if score.points < score.maximum
    ]
    remarks = _remarks(decision, [score.indicator_id for score in scores])
    shortfalls = [
        Shortfall(
            score.indicator,
            score.points,
            score.maximum,
            tuple(dict.fromkeys(remarks.get(score.indicator_id, []))),
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


def _remarks(decision: Decision, indicators: list[int]) -> dict[int, list[str]]:
    """The city's reason for its own score stands alone; else what the reviewers said. Those of the
    revision that was decided on."""
    found: dict[int, list[str]] = {}
    reviewed = ReviewScore.objects.filter(
        review__self_assessment=decision.self_assessment_id,
        review__withdrawn_at=None,
        review__revision=decision.revision,
        indicator__in=indicators,
    ).exclude(remark="")
    for indicator, text in reviewed.order_by("review", "pk").values_list("indicator", "remark"):
        found.setdefault(indicator, []).append(text)
    adjusted = Adjustment.objects.filter(
        self_assessment=decision.self_assessment_id, lapsed_at=None, indicator__in=indicators
    )
    for indicator, text in adjusted.values_list("indicator", "reason"):
        found[indicator] = [text]
    return found
