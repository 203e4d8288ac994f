"""Counting afresh, from the self-assessments and decisions themselves: what the summary table holds,
and what it is checked against."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat, Length, Round, Substr

from assessments.choices import (
    DECIDED_STATES,
    EDITABLE_STATES,
    REVIEWED_STATES,
    SUBMITTED_STATES,
    IndicatorKind,
    Outcome,
)
from assessments.models import (
    Answer,
    Campaign,
    Decision,
    DecisionCriterion,
    DecisionScore,
    Endorsement,
    Recognition,
    SelfAssessment,
)
from assessments.rollups.figures import BANDS, TOTAL, UNIT, Figures, Scores
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization
from organizations.models.organization import PATH_STEP, within

#: Where and of which tier: a path, a tier.
Key = tuple[str, str]
#: Before the name of a sum in a query, where the column itself has that name.
_SUM = "sum_"


def counted_organizations(
    campaign: Campaign, tier: str | None = None, among: QuerySet[Organization] | None = None
) -> QuerySet[Organization]:
    """The active organizations that count in the 90 % target, with this campaign's
    self-assessment joined as `entry`, and `standing_place`: where they stood when they handed in."""
    rows = Organization.objects.all() if among is None else among
    organizations = rows.active().filter(tier__in=[tier] if tier else ASSESSED_TIERS)
    for path in campaign.outside_target.values_list("path", flat=True):
        organizations = organizations.exclude(within(path))
    return organizations.annotate(
        entry=FilteredRelation(
            "self_assessments", condition=Q(self_assessments__campaign=campaign)
        ),
        standing_place=Case(
            When(entry__revision__gte=1, then=F("entry__place")), default=F("path")
        ),
    )


def reached_standard(campaign: Campaign) -> Exists:
    """Whether an organization has a standing positive decision within the cycle, up to this
    campaign's year. A union counts once, however often it got there; a title that it has lost
    (撤销) takes along what was decided before."""
    first, last = campaign.window
    lost = Recognition.objects.filter(
        organization=OuterRef("self_assessment__organization"),
        campaign__cycle_start_year=campaign.cycle_start_year,
        revoked_at__gte=OuterRef("decided_at"),
    )
    return Exists(
        Decision.objects.filter(
            ~Exists(lost),
            self_assessment__organization=OuterRef("pk"),
            self_assessment__campaign__year__range=(first, last),
            self_assessment__state__in=DECIDED_STATES,
            superseded_at=None,
            outcome=Outcome.AT_STANDARD,
        )
    )


def cell_of(place: str, tier: str) -> Case:
    """Where a union of that tier is counted: at the union above it; a county or township union at
    its own place."""
    above = Substr(place, 1, Length(place) - PATH_STEP)
    return Case(When(**{tier: Tier.GRASSROOTS}, then=above), default=F(place))


def count(campaign: Campaign, places: Collection[str] | None = None) -> dict[Key, Figures]:
    """The figures by place and tier; of some places only, if they are given. One query."""
    rows = counted_organizations(campaign, among=_candidates(campaign, places)).annotate(
        cell=cell_of("standing_place", "tier"),
        standard=Case(When(reached_standard(campaign), then=Value(1)), output_field=IntegerField()),
        recommended=Case(
            When(
                Exists(Endorsement.objects.standing().filter(self_assessment=OuterRef("entry"))),
                then=Value(1),
            ),
            output_field=IntegerField(),
        ),
    )
    if places is not None:
        rows = rows.filter(cell__in=places)

    def state_in(states: tuple[str, ...]) -> Count:
        return Count("pk", filter=Q(entry__state__in=states))

    counted = (
        rows.order_by()
        .values_list("cell", "tier")
        .annotate(
            registered=Count("pk"),
            started=Count("entry"),
            submitted=state_in(SUBMITTED_STATES),
            endorsed=Count("recommended"),
            reviewed=state_in(REVIEWED_STATES),
            decided=state_in(DECIDED_STATES),
            at_standard=Count("standard"),
        )
    )
    return {(place, tier): Figures(*figures) for place, tier, *figures in counted}


def _candidates(
    campaign: Campaign, places: Collection[str] | None
) -> QuerySet[Organization] | None:
    """The organizations that may be counted at these places: those that stand there, and those
    that stood there when they handed in. Found by indexes."""
    if places is None:
        return None
    standing = Organization.objects.filter(Q(path__in=places) | Q(parent__path__in=places))
    handed_in = SelfAssessment.objects.filter(_handed_in_at(places), campaign=campaign)
    keys = standing.order_by().values("pk").union(handed_in.order_by().values("organization"))
    return Organization.objects.filter(pk__in=keys)


def _handed_in_at(places: Collection[str], prefix: str = "") -> Q:
    found = Q(pk__in=[])
    for place in places:
        found |= within(place, f"{prefix}place")
    return found


def count_scores(
    campaign: Campaign, places: Collection[str] | None = None
) -> dict[tuple[str, str, str], Scores]:
    """What was decided, by place, tier and code; of some places only, if they are given. Four
    queries."""
    found: dict[tuple[str, str, str], Scores] = {}
    for rows in (
        _totals(campaign, places),
        _criteria(campaign, places),
        _indicators(campaign, places),
        _rates(campaign, places),
    ):
        for row in rows:
            key = row.pop("cell"), row.pop("tier"), row.pop("code")
            summed = {name.removeprefix(_SUM): value for name, value in row.items()}
            found[key] = found.get(key, Scores()) + Scores(**summed)
    return found


def _of_counted(
    rows: QuerySet, campaign: Campaign, places: Collection[str] | None, prefix: str
) -> QuerySet:
    """Rows about self-assessments of this campaign whose unions count, with `cell` and `tier`."""
    rows = rows.filter(
        **{f"{prefix}campaign": campaign, f"{prefix}organization__dissolved_on": None}
    )
    for path in campaign.outside_target.values_list("path", flat=True):
        rows = rows.exclude(within(path, f"{prefix}organization__path"))
    rows = rows.annotate(
        tier=F(f"{prefix}organization__tier"),
        cell=cell_of(f"{prefix}place", f"{prefix}organization__tier"),
    )
    if places is not None:
        rows = rows.filter(_handed_in_at(places, prefix), cell__in=places)
    return rows.order_by()


def _decided(prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}superseded_at": None,
        f"{prefix}self_assessment__state__in": DECIDED_STATES,
    }


def _summed(rows: QuerySet, points: str, maximum: str | Value, met: Q) -> QuerySet:
    """The sums of `Scores` by cell, tier and code, over rows with points out of a maximum."""
    most = F(maximum) if isinstance(maximum, str) else maximum

    def exact(expression: Any) -> Cast:
        return Cast(Round(expression * Value(UNIT)), BigIntegerField())

    def part(least: int, below: int) -> Count:
        return Count(
            "pk",
            filter=Q(
                hundredfold__gte=F("exact_maximum") * least,
                hundredfold__lt=F("exact_maximum") * below,
            ),
        )

    return (
        rows.annotate(
            exact_points=exact(F(points)),
            exact_maximum=exact(most),
            hundredfold=F("exact_points") * 100,
        )
        .values("cell", "tier", "code")
        .annotate(
            **{
                f"{_SUM}unions": Count("pk"),
                f"{_SUM}points": Sum("exact_points"),
                f"{_SUM}maximum": Sum("exact_maximum"),
                f"{_SUM}met": Count("pk", filter=met),
                f"{_SUM}below_60": part(*BANDS["0"]),
                f"{_SUM}from_60": part(*BANDS["60"]),
                f"{_SUM}from_70": part(*BANDS["70"]),
                f"{_SUM}from_80": part(*BANDS["80"]),
                f"{_SUM}from_90": part(*BANDS["90"]),
            }
        )
    )


def _totals(campaign: Campaign, places: Collection[str] | None) -> QuerySet:
    rows = Decision.objects.filter(**_decided(""))
    rows = _of_counted(rows, campaign, places, "self_assessment__").annotate(code=Value(TOTAL))
    return _summed(rows, "total", Value(100), Q(outcome=Outcome.AT_STANDARD))


def _criteria(campaign: Campaign, places: Collection[str] | None) -> QuerySet:
    rows = DecisionCriterion.objects.filter(**_decided("decision__"), maximum__gt=0)
    rows = _of_counted(rows, campaign, places, "decision__self_assessment__").annotate(
        code=Concat(Value("C"), Cast("number", CharField()))
    )
    return _summed(rows, "points", "maximum", Q(met=True))


def _indicators(campaign: Campaign, places: Collection[str] | None) -> QuerySet:
    rows = DecisionScore.objects.filter(**_decided("decision__"), maximum__gt=0)
    rows = _of_counted(rows, campaign, places, "decision__self_assessment__").annotate(
        code=F("indicator__code")
    )
    return _summed(rows, "points", "maximum", Q(met=True))


def rate_answers() -> QuerySet[Answer]:
    """The counts behind rates, as handed in; not those of a union that is still writing."""
    return Answer.objects.filter(
        indicator__kind=IndicatorKind.RATE, not_applicable=False, denominator__gt=0
    ).exclude(self_assessment__state__in=EDITABLE_STATES)


def _rates(campaign: Campaign, places: Collection[str] | None) -> QuerySet:
    return (
        _of_counted(rate_answers(), campaign, places, "self_assessment__")
        .annotate(code=F("indicator__code"))
        .values("cell", "tier", "code")
        .annotate(
            **{
                f"{_SUM}rated": Count("pk"),
                f"{_SUM}numerator": Sum(Coalesce("numerator", 0)),
                f"{_SUM}denominator": Sum("denominator"),
            }
        )
    )
