"""评审统计: how each reviewer scores beside the others of the same submissions, for calibration."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from math import sqrt

from django.db.models import (
    Avg,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    StdDev,
    Subquery,
    Window,
)
from django.db.models.functions import RowNumber

from assessments.choices import REVIEWED_STATES
from assessments.models import Campaign, Review, ReviewCriterion
from organizations.models import User


@dataclass(frozen=True)
class Deviation:
    """Beside the fellow reviewers of the same submissions, in percent of the criterion's maximum:
    the mean difference (above zero: gives more than they do) and its spread (standard deviation),
    over so many criteria scored."""

    count: int
    mean: float
    spread: float


@dataclass(frozen=True)
class Calibration:
    """One reviewer in one campaign. `mean_total` (0–100) and `total_spread` are of the completed
    reviews of what all have scored; `seconds` is the mean time spent scoring one, `waited` the median time from assigned to
    completed; `by_criterion` the deviation in each of the six, `deviation` over all of them; None
    where nobody else has scored the same."""

    reviewer: User
    assigned: int
    completed: int
    mean_total: float | None
    total_spread: float | None
    seconds: float | None
    waited: timedelta | None = None
    deviation: Deviation | None = None
    by_criterion: dict[int, Deviation] = field(default_factory=dict)

    @property
    def minutes(self) -> float | None:
        return None if self.seconds is None else self.seconds / 60

    @property
    def days(self) -> float | None:
        return None if self.waited is None else self.waited / timedelta(days=1)

    @property
    def each(self) -> list[Deviation | None]:
        """The deviations in the six, in their order."""
        return [self.by_criterion.get(number) for number in range(1, 7)]


def of_campaign(campaign: Campaign, only: User | None = None) -> list[Calibration]:
    """Everybody who reviews in the campaign, by name, or one of them: four queries."""
    reviews = Review.objects.filter(self_assessment__campaign=campaign)
    criteria = _deviations(campaign)
    if only is not None:
        reviews = reviews.filter(reviewer=only)
        criteria = criteria.filter(review__reviewer=only)
    done = Q(completed_at__isnull=False)
    # The mean of one review is that review: nothing counts before all are in.
    all_in = done & Q(total__isnull=False, self_assessment__state__in=REVIEWED_STATES)
    totals = {
        row["reviewer"]: row
        for row in reviews.order_by()
        .values("reviewer")
        .annotate(
            assigned=Count("pk"),
            completed=Count("pk", filter=done),
            mean_total=Avg("total", filter=all_in, output_field=FloatField()),
            total_spread=StdDev("total", filter=all_in, output_field=FloatField()),
            seconds=Avg("active_seconds", filter=done & Q(active_seconds__gt=0)),
        )
    }
    found: dict[int, dict[int, Deviation]] = defaultdict(dict)
    for row in (
        criteria.order_by()
        .values("review__reviewer", "number")
        .annotate(count=Count("pk"), mean=Avg("difference"), spread=StdDev("difference"))
    ):
        found[row["review__reviewer"]][row["number"]] = Deviation(
            row["count"], row["mean"], row["spread"]
        )
    waited = _median_wait(reviews.filter(done))
    users = User.objects.filter(pk__in=totals).order_by("full_name", "pk")
    return [
        Calibration(
            reviewer=user,
            assigned=totals[user.pk]["assigned"],
            completed=totals[user.pk]["completed"],
            mean_total=totals[user.pk]["mean_total"],
            total_spread=totals[user.pk]["total_spread"],
            seconds=totals[user.pk]["seconds"],
            waited=waited.get(user.pk),
            deviation=_together(found[user.pk].values()),
            by_criterion=found[user.pk],
        )
        for user in users
    ]


def _median_wait(completed: QuerySet[Review]) -> dict[int, timedelta]:
    """By reviewer, the middle one of the times from assigned to completed, or the mean of the two
    in the middle. The database sorts; at most two rows a reviewer come back."""
    waited = ExpressionWrapper(F("completed_at") - F("assigned_at"), output_field=DurationField())
    ranked = completed.order_by().annotate(
        waited=waited,
        number=Window(Count("pk"), partition_by="reviewer"),
        place=Window(RowNumber(), partition_by="reviewer", order_by=[waited.asc(), F("pk").asc()]),
    )
    twice = F("place") * 2  # in the middle: number + 1, or number and number + 2
    middle = ranked.alias(twice=twice).filter(twice__gte=F("number"), twice__lte=F("number") + 2)
    found: dict[int, list[timedelta]] = defaultdict(list)
    for reviewer, time in middle.values_list("reviewer", "waited"):
        found[reviewer].append(time)
    return {reviewer: sum(times, timedelta()) / len(times) for reviewer, times in found.items()}


def _deviations(campaign: Campaign) -> QuerySet[ReviewCriterion]:
    """Each criterion of a completed review with its `difference` from the mean of the fellows'.
    Only where all are in: a figure must not tell anybody what a fellow has given before."""
    completed = ReviewCriterion.objects.filter(
        review__completed_at__isnull=False,
        review__withdrawn_at=None,
        review__self_assessment__state__in=REVIEWED_STATES,
        maximum__gt=0,
    )
    fellows = (
        completed.filter(
            review__self_assessment=OuterRef("review__self_assessment"),
            number=OuterRef("number"),
        )
        .exclude(review=OuterRef("review"))
        .order_by()
        .values("number")
        .annotate(
            share=Avg(
                ExpressionWrapper(F("points") * 100.0 / F("maximum"), output_field=FloatField())
            )
        )
    )
    return (
        completed.filter(review__self_assessment__campaign=campaign)
        .annotate(fellows=Subquery(fellows.values("share")[:1], output_field=FloatField()))
        .filter(fellows__isnull=False)
        .annotate(
            difference=ExpressionWrapper(
                F("points") * 100.0 / F("maximum") - F("fellows"), output_field=FloatField()
            )
        )
    )


def _together(parts) -> Deviation | None:
    """The six as one: the mean of all differences, and their spread about it."""
    parts = list(parts)
    count = sum(part.count for part in parts)
    if not count:
        return None
    mean = sum(part.count * part.mean for part in parts) / count
    squares = sum(part.count * (part.spread**2 + part.mean**2) for part in parts) / count
    return Deviation(count, mean, sqrt(max(0.0, squares - mean**2)))
