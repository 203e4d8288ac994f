"""The figures themselves: counts that add up, and what follows from them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

#: Points are summed as whole millionths, so that sums are exact in any order on any database.
UNIT = 1_000_000
#: The codes of a tier's total and of its six criteria; indicators have their own.
TOTAL = "TOTAL"
#: Parts of the points, in percent: name → from, to below.
BANDS = {"0": (0, 60), "60": (60, 70), "70": (70, 80), "80": (80, 90), "90": (90, 101)}


def criterion_code(number: int) -> str:
    return f"C{number}"


@dataclass(frozen=True)
class _Sum:
    """Counts over a set of unions; two disjoint sets add up."""

    def __add__(self, other: Self) -> Self:
        names = [one.name for one in dataclasses.fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True)
class Figures(_Sum):
    """How many unions have come how far. Submitted, reviewed and at standard are three different
    shares of `registered` and never stand in for one another. `at_standard` counts a union once
    that got there in the three years up to the campaign's, so it may exceed `decided`."""

    registered: int = 0
    started: int = 0
    submitted: int = 0
    endorsed: int = 0
    reviewed: int = 0
    decided: int = 0
    at_standard: int = 0

    @property
    def share_percent(self) -> Decimal | None:
        """At standard ÷ registered, in percent, exact; None where nothing is registered."""
        return percent(self.at_standard, self.registered)

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
class Scores(_Sum):
    """What was decided for one indicator, criterion or total: over `unions` to which it applies
    the sums of points and of what could be had (in units of 1/UNIT), how many met it, and how many
    got which part of the points (in percent). For a rate, the counts that `rated` unions handed in:
    a rate of several unions is the sum of numerators over the sum of denominators."""

    unions: int = 0
    points: int = 0
    maximum: int = 0
    met: int = 0
    below_60: int = 0
    from_60: int = 0
    from_70: int = 0
    from_80: int = 0
    from_90: int = 0
    rated: int = 0
    numerator: int = 0
    denominator: int = 0

    @property
    def mean(self) -> Decimal | None:
        """Points of a union on average."""
        return Decimal(self.points) / UNIT / self.unions if self.unions else None

    @property
    def score_percent(self) -> Decimal | None:
        """Points ÷ what could be had, in percent (得分率)."""
        return percent(self.points, self.maximum)

    @property
    def met_percent(self) -> Decimal | None:
        return percent(self.met, self.unions)

    @property
    def rate_percent(self) -> Decimal | None:
        return percent(self.numerator, self.denominator)

    @property
    def bands(self) -> list[tuple[str, int]]:
        """The distribution with the name of each part, from the lowest."""
        return list(zip(BANDS, self.distribution, strict=True))

    @property
    def distribution(self) -> tuple[int, ...]:
        """Unions with less than 60 %, 60–70, 70–80, 80–90, and 90 % or more of the points."""
        return self.below_60, self.from_60, self.from_70, self.from_80, self.from_90


def percent(part: int, whole: int) -> Decimal | None:
    return Decimal(part) * 100 / Decimal(whole) if whole else None


@dataclass(frozen=True)
class CountyFigures:
    """The figures of one county, by tier and together. `path` is where it stands."""

    name: str
    path: str = ""
    by_tier: dict[str, Figures] = field(default_factory=dict)

    @property
    def together(self) -> Figures:
        return sum(self.by_tier.values(), Figures())
