"""Which unions are candidates for the province (推荐表彰): a pure rule over plain figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from assessments.choices import LeftOut


@dataclass(frozen=True)
class Contender:
    """A union at standard. `county` is where it stood when it handed in; `goals` how far it has come
    with the year's goals, in percent, None where nobody has entered it."""

    key: int
    code: str
    tier: str
    county: str
    total: Decimal
    goals: Decimal | None
    has_title: bool = True
    is_active: bool = True

    @property
    def merit(self) -> tuple[Decimal, bool, Decimal, str]:
        """What comes first is better: by total, by the goals, and by code where both are equal."""
        return -self.total, self.goals is None, -(self.goals or Decimal(0)), self.code


@dataclass(frozen=True)
class Quotas:
    """Places by tier, and within it by county. A tier without an entry has none; a county without one
    as many as its tier. `least_goals` is in percent."""

    tiers: Mapping[str, int]
    counties: Mapping[tuple[str, str], int]
    least_goals: Decimal


@dataclass(frozen=True)
class Nominated:
    """What the rule says of one. `rank` is its place by total among its tier (1, 2, 2, 4); `left_out` is
    empty for a candidate; `tied` holds where only the code put it behind the last candidate."""

    contender: Contender
    rank: int
    left_out: str
    tied: bool = False


def nominate(contenders: Iterable[Contender], quotas: Quotas) -> Iterator[Nominated]:
    """Go through them in the order of their `merit`, in which they must come."""
    seen: Counter[str] = Counter()
    places: dict[str, tuple[int, Decimal]] = {}
    taken: Counter[tuple[str, ...]] = Counter()
    last: dict[tuple[str, ...], Contender] = {}
    for one in contenders:
        seen[one.tier] += 1
        rank, total = places.get(one.tier, (0, None))
        if one.total != total:
            rank = seen[one.tier]
        places[one.tier] = rank, one.total
        whole, county = (one.tier,), (one.tier, one.county)
        left_out, full = _barred(one, quotas), ()
        if not left_out and taken[whole] >= quotas.tiers.get(one.tier, 0):
            left_out, full = LeftOut.TIER, whole
        elif not left_out and taken[county] >= quotas.counties.get(county, taken[county] + 1):
            left_out, full = LeftOut.COUNTY, county
        if not left_out:
            for group in (whole, county):
                taken[group] += 1
                last[group] = one
        before = last.get(full)
        tied = before is not None and before.merit[:3] == one.merit[:3]
        yield Nominated(one, rank, left_out, tied)


def _barred(one: Contender, quotas: Quotas) -> str:
    """What keeps a union out whatever the places."""
    if not one.is_active:
        return LeftOut.DISSOLVED
    if not one.has_title:
        return LeftOut.NO_TITLE
    if one.goals is None:
        return LeftOut.NO_GOALS
    return LeftOut.GOALS if one.goals < quotas.least_goals else ""
