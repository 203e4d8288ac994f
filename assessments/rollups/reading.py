"""Reading the summary table: a few queries over a few hundred rows, whatever the number of unions."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assessments.models import Campaign, Rollup, RollupScore
from assessments.rollups.figures import CountyFigures, Figures, Scores
from assessments.rollups.summary import refresh
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization
from organizations.models.organization import PATH_STEP, within

CITY_DIRECT = _("市直单位")
#: In the place of a county's code: what stands directly under the city.
DIRECT = "direct"
_FIGURES = [one.name for one in dataclasses.fields(Figures)]
_SCORES = [one.name for one in dataclasses.fields(Scores)]


def county_names() -> dict[str, str]:
    """Names by path of everything directly under the city; the city itself is 市直单位."""
    tops = Organization.objects.filter(tier__in=[Tier.CITY, Tier.COUNTY, Tier.INDUSTRY])
    return {
        path: str(CITY_DIRECT) if tier == Tier.CITY else name
        for path, tier, name in tops.order_by("code").values_list("path", "tier", "name")
    }


def by_county(campaign: Campaign) -> list[CountyFigures]:
    """The figures of each county, in the order of their codes."""
    refresh(campaign)
    return counties(campaign, county_names())


def counties(campaign: Campaign, names: dict[str, str]) -> list[CountyFigures]:
    """As `by_county`, of what has been counted; `names` by path. One query."""
    direct = [path for path in names if len(path) == PATH_STEP]
    rows = Rollup.objects.filter(
        Q(is_total=True, place__in=names.keys() - set(direct))
        | Q(is_total=False, place__in=direct),
        campaign=campaign,
    )
    found: dict[str, dict[str, Figures]] = {}
    for place, tier, *figures in rows.values_list("place", "tier", *_FIGURES):
        found.setdefault(place, {})[tier] = Figures(*figures)
    return [CountyFigures(name, path, found[path]) for path, name in names.items() if path in found]


def by_tier(counties: list[CountyFigures]) -> dict[str, Figures]:
    """The whole city by tier, from the counties' figures."""
    return {
        tier: sum((county.by_tier.get(tier, Figures()) for county in counties), Figures())
        for tier in ASSESSED_TIERS
    }


def figures_of(campaign: Campaign, place: str) -> dict[str, Figures]:
    """The figures of a subtree by tier. `place` is the path of its top: the city, a county or an
    industrial union, or a township union."""
    refresh(campaign)
    return figures_of_each([campaign], place)[campaign.pk]


def figures_of_each(campaigns: Collection[Campaign], place: str) -> dict[int, dict[str, Figures]]:
    """As `figures_of`, of what has been counted, by key of the campaign. One query."""
    found: dict[int, dict[str, Figures]] = {campaign.pk: {} for campaign in campaigns}
    rows = Rollup.objects.filter(_subtree(place), campaign__in=campaigns)
    for key, tier, *figures in rows.values_list("campaign", "tier", *_FIGURES):
        found[key][tier] = found[key].get(tier, Figures()) + Figures(*figures)
    return found


def cells_of(campaign: Campaign, place: str) -> dict[tuple[str, Tier], Figures]:
    """The figures of a subtree by where they are counted and tier: the path of the union above a
    grassroots union, or of the county or township union itself."""
    refresh(campaign)
    rows = Rollup.objects.filter(within(place, "place"), campaign=campaign, is_total=False)
    return {
        (cell, Tier(tier)): Figures(*figures)
        for cell, tier, *figures in rows.values_list("place", "tier", *_FIGURES)
    }


def scores_of(campaign: Campaign, place: str) -> dict[str, dict[str, Scores]]:
    """What was decided in a subtree, by tier and code: TOTAL, the criteria, the indicators."""
    refresh(campaign)
    return scores(campaign, place)


def scores(campaign: Campaign, place: str) -> dict[str, dict[str, Scores]]:
    """As `scores_of`, of what has been counted. One query."""
    found: dict[str, dict[str, Scores]] = {}
    rows = RollupScore.objects.filter(_subtree(place), campaign=campaign)
    for tier, code, *sums in rows.values_list("tier", "code", *_SCORES):
        codes = found.setdefault(tier, {})
        codes[code] = codes.get(code, Scores()) + Scores(*sums)
    return found


def _subtree(place: str) -> Q:
    """The cells that add up to a subtree: one total for each tier, down to the counties."""
    if len(place) <= 2 * PATH_STEP:
        return Q(is_total=True, place=place)
    return Q(within(place, "place"), is_total=False)
