"""Roll-ups (汇总): figures over counties and tiers, counted by the database."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Length, Substr

from assessments.choices import (
    DECIDED_STATES,
    REVIEWED_STATES,
    SUBMITTED_STATES,
    Outcome,
)
from assessments.models import Campaign, Decision, DecisionCriterion, Recognition
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization
from organizations.models.organization import PATH_STEP, within

CITY_DIRECT = "市直单位"
#: Rows that an export holds in memory at a time.
PORTION = 500


def counted_organizations(campaign: Campaign, tier: str | None = None) -> QuerySet[Organization]:
    """The active organizations that count in the 90 % target, with this campaign's
    self-assessment joined as `entry`, and `place`: where they stood when they handed in."""
    organizations = Organization.objects.active().filter(
        tier__in=[tier] if tier else ASSESSED_TIERS
    )
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


@dataclass(frozen=True)
class Figures:
    """Counts over a set of organizations. Submitted, reviewed and at standard are three
    different shares of `registered` and never stand in for one another."""

    registered: int = 0
    started: int = 0
    submitted: int = 0
    reviewed: int = 0
    decided: int = 0
    at_standard: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.registered + other.registered,
            self.started + other.started,
            self.submitted + other.submitted,
            self.reviewed + other.reviewed,
            self.decided + other.decided,
            self.at_standard + other.at_standard,
        )

    @property
    def share_percent(self) -> Decimal | None:
        """At standard ÷ registered, in percent, exact; None where nothing is registered."""
        if not self.registered:
            return None
        return Decimal(self.at_standard) * 100 / Decimal(self.registered)

    def reaches(self, target_percent: Decimal) -> bool:
        """Whether the share reaches the target (policy, section 二: 90 %)."""
        return bool(self.registered) and (
            Decimal(self.at_standard) * 100 >= target_percent * self.registered
        )

    def still_needed(self, target_percent: Decimal) -> int:
        """How many more organizations must reach the standard for the target to be met."""
        needed = math.ceil(target_percent * self.registered / 100)
        return max(0, needed - self.at_standard)


@dataclass(frozen=True)
class CountyFigures:
    """The figures of one county, by tier and together."""

    name: str
    by_tier: dict[str, Figures] = field(default_factory=dict)

    @property
    def together(self) -> Figures:
        return sum(self.by_tier.values(), Figures())


def _county_path() -> Case:
    """The path of the county-level or industrial union above `standing_place`; the city's own
    for a union directly under it."""
    parent = Substr("standing_place", 1, Length("standing_place") - PATH_STEP)
    return Case(
        When(tier=Tier.COUNTY, then=F("standing_place")),
        default=Substr(parent, 1, PATH_STEP * 2),
    )


def county_names() -> dict[str, str]:
    """Names by path of everything directly under the city; the city itself is 市直单位."""
    tops = Organization.objects.filter(tier__in=[Tier.CITY, Tier.COUNTY, Tier.INDUSTRY])
    return {
        path: CITY_DIRECT if tier == Tier.CITY else name
        for path, tier, name in tops.order_by("code").values_list("path", "tier", "name")
    }


def by_county(campaign: Campaign) -> list[CountyFigures]:
    """The figures of each county, in the order of their codes: four queries for any size."""

    def state_in(states: tuple[str, ...]) -> Count:
        return Count("pk", filter=Q(entry__state__in=states))

    rows = (
        counted_organizations(campaign)
        .annotate(
            county=_county_path(),
            standard=Case(
                When(reached_standard(campaign), then=Value(1)), output_field=IntegerField()
            ),
        )
        .order_by()
        .values("county", "tier")
        .annotate(
            registered=Count("pk"),
            started=Count("entry"),
            submitted=state_in(SUBMITTED_STATES),
            reviewed=state_in(REVIEWED_STATES),
            decided=state_in(DECIDED_STATES),
            at_standard=Count("standard"),
        )
    )
    found: dict[str, dict[str, Figures]] = {}
    for row in rows:
        county, tier = row.pop("county"), row.pop("tier")
        found.setdefault(county, {})[tier] = Figures(**row)
    return [
        CountyFigures(name, found[path]) for path, name in county_names().items() if path in found
    ]


def by_tier(counties: list[CountyFigures]) -> dict[str, Figures]:
    """The whole city by tier, from the counties' figures."""
    return {
        tier: sum((county.by_tier.get(tier, Figures()) for county in counties), Figures())
        for tier in ASSESSED_TIERS
    }


def tier_rows(campaign: Campaign, tier: str) -> Iterator[dict[str, object]]:
    """One row for each counted organization of the tier, in the order of the tree, read in
    portions: code, name, county, entry__state, entry__self_total (None: not started), and
    `decision`, the standing one as Decided, or None."""
    names = county_names()
    organizations = (
        counted_organizations(campaign, tier)
        .annotate(county=_county_path())
        .order_by("standing_place")
        .values("code", "name", "county", "entry__pk", "entry__state", "entry__self_total")
    )
    portion: list[dict[str, object]] = []
    for row in organizations.iterator(chunk_size=PORTION):
        row["county"] = names.get(row["county"], "")
        portion.append(row)
        if len(portion) == PORTION:
            yield from _with_decisions(portion)
            portion = []
    yield from _with_decisions(portion)


@dataclass(frozen=True)
class Decided:
    """A standing decision in figures: total out of 100, outcome, and by criterion in order of
    their numbers the points and whether it is met."""

    total: Decimal
    outcome: str
    criteria: tuple[tuple[Decimal, bool], ...]


def _with_decisions(rows: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    standing = Decision.objects.filter(
        self_assessment__in=[row["entry__pk"] for row in rows if row["entry__pk"]],
        self_assessment__state__in=DECIDED_STATES,
        superseded_at=None,
    )
    criteria: dict[int, list[tuple[Decimal, bool]]] = {}
    for decision, points, met in (
        DecisionCriterion.objects.filter(decision__in=standing)
        .order_by("number")
        .values_list("decision", "points", "met")
    ):
        criteria.setdefault(decision, []).append((points, met))
    decided = {
        assessment: Decided(total, outcome, tuple(criteria.get(pk, ())))
        for pk, assessment, total, outcome in standing.values_list(
            "pk", "self_assessment", "total", "outcome"
        )
    }
    for row in rows:
        row["decision"] = decided.get(row["entry__pk"])
        yield row
