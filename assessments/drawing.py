"""Drawing by lot: pure functions on plain data. The same seed gives the same lot, whatever order
its inputs come in; a part of the city that is not concerned does not change the others' lot."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """How many of each tier and county: a number, or a share in percent (rounded up)."""

    number: int
    is_percent: bool = False

    def of(self, size: int) -> int:
        """How many of so many; never more than there are."""
        wanted = -(-size * self.number // 100) if self.is_percent else self.number
        return min(size, wanted)


@dataclass(frozen=True)
class Stratum:
    """The keys of one tier in one county, and how many to draw."""

    name: str
    keys: tuple[int, ...]
    wanted: int


def draw(strata: Collection[Stratum], seed: int) -> tuple[int, ...]:
    """The keys that are drawn, in order."""
    picked: list[int] = []
    for stratum in strata:
        chance = random.Random(f"{seed}:{stratum.name}")  # noqa: S311 - to be repeated, not secret
        keys = sorted(stratum.keys)
        picked += chance.sample(keys, min(stratum.wanted, len(keys)))
    return tuple(sorted(picked))


def digest(strata: Collection[Stratum], seed: int) -> str:
    """Tells apart two draws by anything they rest on."""
    content = sorted([one.name, sorted(one.keys), one.wanted] for one in strata)
    return hashlib.sha256(json.dumps([seed, content]).encode()).hexdigest()


def strata_of(groups: Mapping[str, Collection[int]], quotas: Mapping[str, Quota]) -> list[Stratum]:
    """`groups` by name; the quota goes by what stands before the colon (the tier)."""
    return [
        Stratum(name, tuple(sorted(keys)), quotas[name.split(":")[0]].of(len(keys)))
        for name, keys in sorted(groups.items())
        if name.split(":")[0] in quotas
    ]
