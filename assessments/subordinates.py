"""A superior's figure beside the sum of its subordinates' (与下级合计比对)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Sum

from assessments.choices import EDITABLE_STATES
from assessments.models import Answer, Indicator, SelfAssessment
from assessments.scoring import Rating
from organizations.models import Organization
from organizations.models.organization import within


@dataclass(frozen=True)
class SubordinateSum:
    """The two counts of an indicator, summed over the unions below that have handed them in;
    `unions` of `registered` have."""

    numerator: int
    denominator: int
    unions: int
    registered: int

    def gaps(self, rating: Rating) -> tuple[int, int] | None:
        """Own counts less the sums; None while there is nothing to compare."""
        if not self.unions or rating.numerator is None or rating.denominator is None:
            return None
        return rating.numerator - self.numerator, rating.denominator - self.denominator


def sums_below(
    assessment: SelfAssessment, indicators: Iterable[Indicator]
) -> dict[str, SubordinateSum]:
    """By code of the superior's indicator; two queries, none where no indicator is a sum. Only
    what has been handed in counts: a draft is nobody else's business."""
    wanted = {i.summed_code: i for i in indicators if i.summed_code}
    if not wanted:
        return {}
    path = assessment.organization.path or ""
    below = within(path, "self_assessment__organization__path")
    rows = (
        Answer.objects.filter(
            below,
            self_assessment__campaign=assessment.campaign_id,
            indicator__code__in=wanted,
            numerator__isnull=False,
            denominator__isnull=False,
        )
        .exclude(self_assessment__state__in=EDITABLE_STATES)
        .exclude(self_assessment=assessment.pk)
        .values("indicator__code", "indicator__criterion__rubric__tier")
        .annotate(Sum("numerator"), Sum("denominator"), Count("pk"))
    )
    by_code = {row["indicator__code"]: row for row in rows}
    registered = dict(
        Organization.objects.active().filter(within(path)).values_list("tier").annotate(Count("pk"))
    )
    return {
        indicator.code: SubordinateSum(
            row["numerator__sum"],
            row["denominator__sum"],
            row["pk__count"],
            registered.get(row["indicator__criterion__rubric__tier"], 0),
        )
        if (row := by_code.get(code))
        else SubordinateSum(0, 0, 0, 0)
        for code, indicator in wanted.items()
    }
