"""The summary table: brought up to date, read, rebuilt, and checked against a full recount.

Triggers mark a place in the transaction that changes something there. Whoever reads next counts
the marked places afresh – those only – and adds up what lies above them. So nothing that writes
ever waits for a counter, and the table equals a recount by construction.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from assessments.models import Campaign, Rollup, RollupMark, RollupScore, RollupState
from assessments.rollups.counting import count, count_scores
from assessments.rollups.figures import Figures, Scores
from organizations.models.organization import PATH_STEP, within

#: With more places than these to count, everything is counted.
_PLACES_AT_ONCE = 100
_FIGURES = [one.name for one in dataclasses.fields(Figures)]
_SCORES = [one.name for one in dataclasses.fields(Scores)]


def refresh(*campaigns: Campaign) -> dict[int, dt.datetime]:
    """Count what has changed since the last time: one query where nothing has. When each campaign
    was counted, by its key."""
    marks = RollupMark.objects.filter(campaign=OuterRef("campaign"))
    counted = RollupState.objects.filter(campaign__in=campaigns, counted_at__isnull=False)
    fresh = dict(counted.filter(~Exists(marks)).values_list("campaign", "counted_at"))
    return {one.pk: fresh.get(one.pk) or _count_marked(one) for one in campaigns}


@transaction.atomic
def rebuild(campaign: Campaign) -> None:
    """Count everything afresh."""
    _lock(campaign)
    marks = list(RollupMark.objects.filter(campaign=campaign).values_list("pk", flat=True))
    _write(campaign, None)
    _forget(marks)


@transaction.atomic
def _count_marked(campaign: Campaign) -> dt.datetime:
    state = _lock(campaign)
    marks = dict(RollupMark.objects.filter(campaign=campaign).values_list("pk", "place"))
    places = set(marks.values())
    whole = state.counted_at is None or "" in places or len(places) > _PLACES_AT_ONCE
    if not (marks or whole):
        return state.counted_at
    counted_at = _write(campaign, None if whole else places)
    _forget(marks)
    return counted_at


def _lock(campaign: Campaign) -> RollupState:
    RollupState.objects.bulk_create([RollupState(campaign=campaign)], ignore_conflicts=True)
    return RollupState.objects.select_for_update().get(campaign=campaign)


def _forget(marks: Iterable[int]) -> None:
    keys = list(marks)
    for start in range(0, len(keys), 500):
        RollupMark.objects.filter(pk__in=keys[start : start + 500]).delete()


def _write(campaign: Campaign, places: Collection[str] | None) -> dt.datetime:
    """Replace the cells of these places, and the totals above them; when that was. Marks that come
    meanwhile stay: they were not read."""
    counted, scored = count(campaign, places), count_scores(campaign, places)
    part = Q() if places is None else Q(place__in=places)
    for model, rows, names in ((Rollup, counted, ()), (RollupScore, scored, ("code",))):
        own = model.objects.filter(campaign=campaign, is_total=False)
        own.filter(part).delete()
        model.objects.bulk_create(
            (
                model(
                    campaign=campaign,
                    place=place,
                    tier=tier,
                    **dict(zip(names, rest, strict=True)),
                    **dataclasses.asdict(figures),
                )
                for (place, tier, *rest), figures in rows.items()
            ),
            batch_size=500,
        )
        _add_up(campaign, model, names, places)
    now = timezone.now()
    RollupState.objects.filter(campaign=campaign).update(counted_at=now)
    return now


def _add_up(
    campaign: Campaign, model: type[Rollup] | type[RollupScore], names: tuple[str, ...], places: Any
) -> None:
    """The totals of the city and of what stands directly under it."""
    totals = model.objects.filter(campaign=campaign, is_total=True)
    own = model.objects.filter(campaign=campaign, is_total=False)
    figures = _SCORES if model is RollupScore else _FIGURES
    if places is None:
        totals.delete()
        tops = {place[: PATH_STEP * steps] for place in _places(own) for steps in (1, 2)}
    else:
        tops = {place[: PATH_STEP * steps] for place in places for steps in (1, 2)}
        totals.filter(place__in=tops).delete()
    for top in tops:
        summed = (
            own.filter(within(top, "place"))
            .order_by()
            .values("tier", *names)
            .annotate(**{f"sum_{name}": Sum(name) for name in figures})
        )
        model.objects.bulk_create(
            model(
                campaign=campaign,
                place=top,
                is_total=True,
                tier=row["tier"],
                **{name: row[name] for name in names},
                **{name: row[f"sum_{name}"] for name in figures},
            )
            for row in summed
        )


def _places(rows: Any) -> set[str]:
    return set(rows.order_by().values_list("place", flat=True).distinct())


def faults(campaign: Campaign) -> list[str]:
    """Where the summary table and a full recount differ: a line each, none where it is right."""
    refresh(campaign)
    found = []
    for title, model, names, kind, counted in (
        ("工会", Rollup, (), Figures, count(campaign)),
        ("得分", RollupScore, ("code",), Scores, count_scores(campaign)),
    ):
        expected = dict(counted)
        for (place, tier, *rest), figures in counted.items():
            for steps in (1, 2):
                key = ("total", place[: PATH_STEP * steps], tier, *rest)
                if len(place) >= PATH_STEP * steps:
                    expected[key] = expected.get(key, kind()) + figures
        fields = [one.name for one in dataclasses.fields(kind)]
        stored = {
            (*(["total"] if is_total else []), place, tier, *rest[: len(names)]): kind(
                *rest[len(names) :]
            )
            for is_total, place, tier, *rest in model.objects.filter(campaign=campaign).values_list(
                "is_total", "place", "tier", *names, *fields
            )
        }
        for key in sorted(expected.keys() | stored.keys()):
            if expected.get(key) != stored.get(key):
                found.append(f"{title} {key}: {stored.get(key)} ≠ {expected.get(key)}")
    return found
