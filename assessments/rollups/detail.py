"""The unions behind the figures, one by one, for exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, F, When
from django.db.models.functions import Length, Substr

from assessments.choices import DECIDED_STATES
from assessments.models import Campaign, Decision, DecisionCriterion
from assessments.rollups.counting import counted_organizations
from assessments.rollups.reading import county_names
from organizations.choices import Tier
from organizations.models.organization import PATH_STEP

#: Rows that an export holds in memory at a time.
PORTION = 500


def county_path() -> Case:
    """The path of the county-level or industrial union above `standing_place`; the city's own
    for a union directly under it."""
    parent = Substr("standing_place", 1, Length("standing_place") - PATH_STEP)
    return Case(
        When(tier=Tier.COUNTY, then=F("standing_place")),
        default=Substr(parent, 1, PATH_STEP * 2),
    )


def tier_rows(campaign: Campaign, tier: str) -> Iterator[dict[str, object]]:
    """One row for each counted organization of the tier, in the order of the tree, read in
    portions: code, name, county, entry__state, entry__self_total (None: not started), and
    `decision`, the standing one as Decided, or None."""
    names = county_names()
    organizations = (
        counted_organizations(campaign, tier)
        .annotate(county=county_path())
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
