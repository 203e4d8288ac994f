"""Sharing submissions out among reviewers: pure functions on plain data, no database, no clock.

The plan that a seed gives is the same whatever order its inputs come in, so that a recorded run
can be reckoned again.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Ties:
    """What keeps somebody from reviewing (回避), as paths of the tree: the unions in which they
    hold a role, the city apart, and those that they are recused from."""

    own: tuple[str, ...] = ()
    recused: tuple[str, ...] = ()

    def bar(self, path: str) -> bool:
        """Whether the union at this path is their own, above or below it, or lies in what they
        are recused from."""
        return bool(path) and (
            any(path.startswith(own) or own.startswith(path) for own in self.own)
            or any(path.startswith(top) for top in self.recused)
        )


@dataclass(frozen=True)
class Plan:
    """`pairs` of (submission, reviewer), in order; `gets` how many each reviewer is given;
    `missing` how many reviewers a submission is still short of, where nobody is left for it."""

    seed: int
    pairs: tuple[tuple[int, int], ...]
    gets: Mapping[int, int]
    missing: Mapping[int, int]

    @property
    def digest(self) -> str:
        """Two plans with the same digest give the same submissions to the same reviewers."""
        content = [self.seed, self.pairs, sorted(self.missing.items())]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def plan(
    needed: Mapping[int, int],
    reviewers: Iterable[int],
    barred: Mapping[int, Collection[int]],
    load: Mapping[int, int],
    seed: int,
) -> Plan:
    """Give each submission as many different reviewers as it needs.

    `needed` is by submission; `barred` names those who may not have one (a conflict of interest,
    or they have it already); `load` is what each reviewer has open now. Nobody could be spared
    work by passing some of it on, one to the next, to somebody who ends up with two less: the
    loads that come of it are as even as the bars allow. Chance, from the seed, decides the rest.
    """
    chance = random.Random(seed)  # noqa: S311 - to be reckoned again, not to be secret
    order = sorted(set(reviewers))
    chance.shuffle(order)
    rank = {reviewer: place for place, reviewer in enumerate(order)}
    items = sorted(item for item, number in needed.items() if number > 0)
    chance.shuffle(items)
    may = _choices(items, order, barred)
    items.sort(key=lambda item: len(may[item]) - needed[item])  # the hardest to place first
    total = {reviewer: load.get(reviewer, 0) for reviewer in order}
    given: dict[int, set[int]] = {}
    held: dict[int, set[int]] = {reviewer: set() for reviewer in order}
    missing: dict[int, int] = {}
    for item in items:
        best = sorted(may[item], key=lambda one: (total[one], rank[one]))[: needed[item]]
        given[item] = set(best)
        for reviewer in best:
            total[reviewer] += 1
            held[reviewer].add(item)
        if len(best) < needed[item]:
            missing[item] = needed[item] - len(best)
    _even_out(order, total, held, given, may)
    return Plan(
        seed=seed,
        pairs=tuple(sorted((item, one) for item, chosen in given.items() for one in chosen)),
        gets={reviewer: len(held[reviewer]) for reviewer in sorted(order)},
        missing=missing,
    )


def _choices(
    items: list[int], order: list[int], barred: Mapping[int, Collection[int]]
) -> dict[int, frozenset[int]]:
    """For each submission who may have it; equal sets are one object."""
    known: dict[frozenset[int], frozenset[int]] = {}
    everybody = frozenset(order)
    found = {}
    for item in items:
        left = everybody.difference(barred.get(item, ()))
        found[item] = known.setdefault(left, left)
    return found


def _even_out(
    order: list[int],
    total: dict[int, int],
    held: dict[int, set[int]],
    given: dict[int, set[int]],
    may: dict[int, frozenset[int]],
) -> None:
    """While somebody can hand one on – directly, or by a chain of others who each hand one on – to
    somebody who has at least two less, let them: then the loads are as even as they can be."""
    moved = True
    while moved:
        moved = False
        least = min(total.values(), default=0)
        for start in sorted(order, key=lambda one: -total[one]):
            if total[start] < least + 2:
                break
            chain = _way_down(start, total, held, given, may)
            if chain:
                for giver, item, taker in chain:
                    held[giver].remove(item)
                    held[taker].add(item)
                    given[item].remove(giver)
                    given[item].add(taker)
                total[chain[0][0]] -= 1
                total[chain[-1][2]] += 1
                moved = True
                break


def _way_down(
    start: int,
    total: dict[int, int],
    held: dict[int, set[int]],
    given: dict[int, set[int]],
    may: dict[int, frozenset[int]],
) -> list[tuple[int, int, int]]:
    """The shortest chain of (who hands on, what, to whom) from `start` to the one with the least,
    if that is at least two less; empty if there is none."""
    came: dict[int, tuple[int, int]] = {}
    queue, seen, reached = deque([start]), {start}, []
    while queue:
        giver = queue.popleft()
        # A submission that is handed on twice in a chain would pass through somebody who has it:
        # each reviewer is entered once, by one submission, so its holders stay different.
        for item in sorted(held[giver]):
            for taker in sorted(may[item] - given[item] - seen):
                came[taker] = (giver, item)
                seen.add(taker)
                queue.append(taker)
                reached.append(taker)
            if len(seen) == len(total):
                break
    low = min(reached, key=lambda one: total[one], default=start)
    if total[low] > total[start] - 2:
        return []
    chain, taker = [], low
    while taker != start:
        giver, item = came[taker]
        chain.append((giver, item, taker))
        taker = giver
    return chain[::-1]
