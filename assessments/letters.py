"""评定结果通知书: what was decided, point by point, and what the union can do better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Prefetch, QuerySet, prefetch_related_objects

from assessments.models import (
    Criterion,
    Decision,
    DecisionCriterion,
    DecisionScore,
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
    """From what was frozen with the decision."""
    return write_all([decision])[0]


def write_all(decisions: Iterable[Decision]) -> list[Letter]:
    """A fixed number of queries, however many there are."""
    decisions = list(decisions)
    short = DecisionScore.objects.filter(points__lt=F("maximum"))
    prefetch_related_objects(
        decisions,
        "self_assessment",
        "criteria",
        Prefetch("scores", short.select_related("indicator__criterion"), to_attr="short"),
    )
    rubrics = {one.self_assessment.rubric_id for one in decisions}
    titles: dict[int, dict[int, Criterion]] = defaultdict(dict)
    for criterion in Criterion.objects.filter(rubric__in=rubrics):
        titles[criterion.rubric_id][criterion.number] = criterion
    return [_letter(one, titles[one.self_assessment.rubric_id]) for one in decisions]


def _letter(decision: Decision, titles: Mapping[int, Criterion]) -> Letter:
    shortfalls = [
        Shortfall(
            score.indicator,
            score.points,
            score.maximum,
            tuple(score.remark.splitlines()),
        )
        for score in decision.short
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
