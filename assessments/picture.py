"""The picture (总览): everything that the dashboard shows of one campaign and one subtree, from the
summary table alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext

from assessments import rollups, worksheet
from assessments.choices import IndicatorKind
from assessments.models import Campaign, Indicator
from assessments.models.campaign import CYCLE_YEARS
from assessments.rollups import CountyFigures, Figures, Scores
from assessments.rollups.reading import counties, figures_of_each
from assessments.rollups.reading import scores as scores_at
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization

#: Clauses that are named as the weakest.
WEAKEST = 10
#: Where each county stands among the others, roughly as on the map: code → (row, column).
TILES = {
    "410482": (1, 1),
    "410425": (1, 3),
    "410404": (2, 1),
    "410421": (2, 2),
    "410402": (2, 3),
    "410403": (2, 4),
    "410423": (3, 1),
    "410472": (3, 2),
    "410411": (3, 3),
    "410471": (3, 4),
    "410422": (4, 3),
    "410481": (4, 4),
}


@dataclass(frozen=True)
class Path:
    """One tier's way to the target: its share (in percent, None where nothing is registered) in each
    year of the three so far, and what is still needed."""

    tier: Tier
    first_year: int
    shares: tuple[Decimal | None, ...]
    figures: Figures
    target: Decimal
    years_left: int

    @property
    def needed(self) -> int:
        return self.figures.still_needed(self.target)

    @property
    def needed_a_year(self) -> int:
        """Unions a year that must still get there; all of them now in the last year."""
        return -(-self.needed // max(self.years_left, 1))

    def years(self) -> list[tuple[int, Decimal | None, Decimal | None]]:
        """The three years, each with its share, and with what the path asks for."""
        wanted = self.wanted()
        ahead = (None,) * (len(wanted) - len(self.shares))
        shares = zip((*self.shares, *ahead), wanted, strict=True)
        return [(year, *one) for year, one in enumerate(shares, start=self.first_year)]

    def wanted(self) -> tuple[Decimal | None, ...]:
        """The straight path from the present share to the target at the end of the three years:
        nothing for the years that are over."""
        now = self.shares[-1]
        over = len(self.shares) - 1
        if now is None or now >= self.target:
            return (None,) * over + (now,) + (self.target,) * self.years_left
        step = (self.target - now) / max(self.years_left, 1)
        return (None,) * over + tuple(now + step * n for n in range(self.years_left + 1))


@dataclass(frozen=True)
class Ranked:
    """One county among the others. `level` (0–4) says how far its share is: below 30 %, 60 %, 80 %
    and the target, or at it."""

    county: CountyFigures
    code: str
    figures: Figures
    target: Decimal

    @property
    def is_direct(self) -> bool:
        """Whether it is no county: the unions directly under the city."""
        return self.code == rollups.DIRECT

    @property
    def short_name(self) -> str:
        name = self.county.name.removesuffix("总工会").removesuffix("工会委员会")
        return name.removeprefix("平顶山市").removeprefix("平顶山")

    @property
    def level(self) -> int | None:
        share = self.figures.share_percent
        if share is None:
            return None
        return sum(share >= line for line in (30, 60, 80)) if share < self.target else 4

    @property
    def needed(self) -> int:
        return self.figures.still_needed(self.target)

    @property
    def tile(self) -> str:
        """Row and column on the map of tiles; empty for what has no place there."""
        row, column = TILES.get(self.code, (0, 0))
        return f"{row}-{column}" if row else ""


@dataclass(frozen=True)
class Clause:
    """An indicator with what was decided for it in one tier."""

    tier: Tier
    indicator: Indicator
    scores: Scores

    @property
    def missed(self) -> int:
        return self.scores.unions - self.scores.met

    @property
    def reaches(self) -> bool:
        """Whether the rate of all together reaches the threshold, compared before it is rounded."""
        return (self.scores.rate_percent or 0) >= (self.indicator.threshold_percent or 0)


@dataclass(frozen=True)
class Trend:
    """A tier's figures beside those of the year before."""

    tier: Tier
    now: Figures
    before: Figures

    @staticmethod
    def share(figures: Figures, part: str) -> Decimal | None:
        return rollups.percent(getattr(figures, part), figures.registered)

    def lines(self) -> list[tuple[str, str, Decimal | None, Decimal | None]]:
        """What is counted, its label, this year's share of all registered, last year's."""
        return [
            (part, label, self.share(self.now, part), self.share(self.before, part))
            for part, label in (
                ("submitted", gettext("提交率")),
                ("reviewed", gettext("评审率")),
                ("at_standard", gettext("达标率")),
            )
        ]


@dataclass(frozen=True)
class Picture:
    """See `draw`."""

    campaign: Campaign
    counted_at: dt.datetime
    tiers: tuple[Tier, ...]
    figures: dict[str, Figures]
    scores: dict[str, dict[str, Scores]]
    earlier: dict[int, dict[str, Figures]]
    counties: list[CountyFigures]
    codes: dict[str, str]
    criteria: list[tuple[int, str]]
    indicators: dict[tuple[str, str], Indicator]

    @property
    def together(self) -> Figures:
        return sum((self.figures.get(tier, Figures()) for tier in self.tiers), Figures())

    def years(self) -> range:
        """The three years of the cycle."""
        first, _ = self.campaign.window
        return range(first, first + CYCLE_YEARS)

    def paths(self) -> list[Path]:
        first, last = self.campaign.window
        return [
            Path(
                tier=tier,
                first_year=first,
                shares=tuple(self._of(year, tier).share_percent for year in range(first, last + 1)),
                figures=self._of(last, tier),
                target=self.campaign.target_percent,
                years_left=first + CYCLE_YEARS - 1 - last,
            )
            for tier in self.tiers
        ]

    def _of(self, year: int, tier: Tier) -> Figures:
        at = self.figures if year == self.campaign.year else self.earlier.get(year, {})
        return at.get(tier, Figures())

    def trends(self) -> list[Trend]:
        """Empty where there was no campaign the year before."""
        if self.campaign.year - 1 not in self.earlier:
            return []
        return [
            Trend(tier, self._of(self.campaign.year, tier), self._of(self.campaign.year - 1, tier))
            for tier in self.tiers
        ]

    def ranked(self) -> list[Ranked]:
        """The counties by their share at standard, the best first; those without unions last."""
        rows = [
            Ranked(
                county,
                self.codes.get(county.path, ""),
                self._chosen(county.by_tier),
                self.campaign.target_percent,
            )
            for county in self.counties
        ]
        return sorted(
            rows,
            key=lambda row: (
                row.figures.share_percent is None,
                -(row.figures.share_percent or 0),
            ),
        )

    def _chosen(self, by_tier: dict[str, Figures]) -> Figures:
        return sum((by_tier.get(tier, Figures()) for tier in self.tiers), Figures())

    def steps(self) -> list[tuple[rollups.Reached, int]]:
        """The funnel: what is registered, and how many of it have come how far."""
        together = self.together
        return [
            (step, getattr(together, step.value))
            for step in rollups.Reached
            if step != rollups.Reached.NOT_AT_STANDARD
        ]

    def radar(self) -> list[tuple[Tier, list[Scores]]]:
        """For each tier the six criteria; tiers of which nothing is decided are left out."""
        return [
            (
                tier,
                [
                    codes.get(rollups.criterion_code(number), Scores())
                    for number, _ in self.criteria
                ],
            )
            for tier in self.tiers
            if (codes := self.scores.get(tier, {})).get(rollups.TOTAL, Scores()).unions
        ]

    def totals(self) -> list[tuple[Tier, Scores]]:
        return [
            (tier, scores)
            for tier in self.tiers
            if (scores := self.scores.get(tier, {}).get(rollups.TOTAL, Scores())).unions
        ]

    def weakest(self) -> list[Clause]:
        """The clauses with the smallest part of their points, whatever the tier."""
        found = [one for one in self._clauses() if one.scores.unions]
        return sorted(found, key=lambda one: one.scores.score_percent or 0)[:WEAKEST]

    def rates(self) -> list[Clause]:
        """The rates (入会率, 满意率 …): sums of counts over all that handed in."""
        return [
            one
            for one in self._clauses()
            if one.indicator.kind == IndicatorKind.RATE and one.scores.rated
        ]

    def _clauses(self) -> Iterable[Clause]:
        for tier in self.tiers:
            for code, scores in sorted(self.scores.get(tier, {}).items()):
                if indicator := self.indicators.get((tier, code)):
                    yield Clause(tier, indicator, scores)


def draw(
    campaign: Campaign,
    top: Organization,
    tier: str = "",
    *,
    campaigns: Iterable[Campaign],
    places: Sequence[Organization],
) -> Picture:
    """The picture of one campaign and the subtree of `top` (the city, a county, an industrial or a
    township union), of one tier or all. `campaigns` are all that have been opened, `places` what
    stands directly under the city. Five queries, whatever the number of unions."""
    first, last = campaign.window
    wanted = [one for one in campaigns if min(first, last - 1) <= one.year <= last]
    counted_at = rollups.refresh(*wanted)
    place = top.path or ""
    by_campaign = figures_of_each(wanted, place)
    figures = by_campaign[campaign.pk]
    tiers = tuple(
        one
        for one in ASSESSED_TIERS
        if tier in ("", one) and (one in figures or top.tier == Tier.CITY)
    )
    policies = campaign.policies.filter(tier__in=tiers).order_by("pk")
    rubrics = dict(policies.values_list("tier", "rubric"))
    read = worksheet.outlines(rubrics.values())
    outlines = {one: read[rubric] for one, rubric in rubrics.items()}
    names = {one.path or "": one.name for one in places} | {place: rollups.CITY_DIRECT}
    return Picture(
        campaign=campaign,
        counted_at=counted_at[campaign.pk],
        tiers=tiers,
        figures=figures,
        scores=scores_at(campaign, place),
        earlier={one.year: by_campaign[one.pk] for one in wanted if one.year < last},
        counties=counties(campaign, names) if top.tier == Tier.CITY else [],
        codes={one.path or "": one.code for one in places} | {place: rollups.DIRECT},
        criteria=sorted(
            {one.number: one.title for lines in outlines.values() for one, _ in lines}.items()
        ),
        indicators={
            (tier, one.code): one
            for tier, lines in outlines.items()
            for _, indicators in lines
            for one in indicators
        },
    )
