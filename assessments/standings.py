"""Standings: what the completed reviews come to, kept beside each submission so that tables and
ranks are SQL. Written whenever something underneath changes; `rebuild` starts anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Rank

from assessments import verdicts
from assessments.choices import REVIEWED_STATES
from assessments.models import Campaign, SelfAssessment, Standing
from assessments.scoring import storable
from assessments.verdicts import BATCH, Verdict
from organizations.choices import Tier
from organizations.models.organization import PATH_STEP


def write(assessment: SelfAssessment, verdict: Verdict) -> None:
    """Keep this verdict. The caller holds the lock of the self-assessment."""
    _write([assessment], {assessment.pk: verdict})


def _write(assessments: Sequence[SelfAssessment], found: Mapping[int, Verdict]) -> None:
    rows = []
    for one in assessments:
        verdict = found[one.pk]
        rows.append(
            Standing(
                self_assessment=one,
                campaign_id=one.campaign_id,
                tier=one.rubric.tier,
                county=_county_of(one),
                total=storable(verdict.result.total),
                outcome=verdict.outcome,
                criteria=[
                    [str(storable(each.points)), str(storable(each.maximum)), each.met]
                    for each in verdict.result.criteria
                ],
                met=sum(each.met for each in verdict.result.criteria),
                vetoed=bool(verdict.vetoes),
                stamp=verdict.stamp,
            )
        )
    derived = [field.name for field in Standing._meta.fields if not field.primary_key]
    derived.remove("self_assessment")
    Standing.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["self_assessment"], update_fields=derived
    )


def _county_of(assessment: SelfAssessment) -> str:
    """The path of the county (or industrial union) in which it was handed in; the city's own for a
    union directly under it, as in the roll-ups."""
    place = assessment.place
    above = place if assessment.rubric.tier == Tier.COUNTY else place[:-PATH_STEP]
    return above[: 2 * PATH_STEP]


def refresh(assessment: SelfAssessment) -> None:
    """Reckon it anew; a submission that is not reviewed (any more) has none."""
    _refresh([assessment.pk])


def refresh_union(campaign: Campaign, organization: Any) -> None:
    """After a veto came or went."""
    touched = SelfAssessment.objects.filter(campaign=campaign, organization=organization)
    _refresh(touched.values_list("pk", flat=True))


def rebuild(campaign: Campaign) -> int:
    """All of a campaign's, BATCH at a time: how many there are."""
    number = last = 0
    Standing.objects.filter(campaign=campaign).exclude(
        self_assessment__state__in=REVIEWED_STATES
    ).delete()
    reviewed = SelfAssessment.objects.filter(campaign=campaign, state__in=REVIEWED_STATES)
    keys = reviewed.order_by("pk").values_list("pk", flat=True)
    while portion := list(keys.filter(pk__gt=last)[:BATCH]):
        _refresh(portion)
        number, last = number + len(portion), portion[-1]
    return number


def _refresh(keys: Iterable[int]) -> None:
    """Reckon these anew: a fixed number of queries."""
    keys = list(keys)
    reviewed = list(
        SelfAssessment.objects.filter(pk__in=keys, state__in=REVIEWED_STATES)
        .select_related("campaign", "rubric")
        .prefetch_related("reviews")
    )
    gone = set(keys) - {one.pk for one in reviewed}
    Standing.objects.filter(self_assessment__in=gone).delete()
    _write(reviewed, verdicts.verdicts_of(reviewed))


def with_ranks(rows: Sequence[SelfAssessment]) -> Sequence[SelfAssessment]:
    """Put to each row its place among all of its tier in the campaign, `tier_rank`, and among those
    of its county, `county_rank`; equal totals share a place (1, 2, 2, 4). Whatever a filter leaves
    out still counts. One query: all places are reckoned in one pass, then those of the rows picked."""
    best = F("total").desc()
    places = Standing.objects.filter(campaign__in={one.campaign_id for one in rows}).annotate(
        tier_rank=Window(Rank(), partition_by=["campaign", "tier"], order_by=best),
        county_rank=Window(Rank(), partition_by=["campaign", "tier", "county"], order_by=best),
    )
    # Beside a condition on a place, the rows are picked after the places are given.
    picked = places.filter(Q(self_assessment__in=[one.pk for one in rows]) | Q(tier_rank=0))
    found = {
        key: (tier, county)
        for key, tier, county in picked.values_list("self_assessment", "tier_rank", "county_rank")
    }
    for one in rows:
        one.tier_rank, one.county_rank = found.get(one.pk, (None, None))
    return rows


def by_rank(rows: QuerySet[SelfAssessment], *, county: bool, backwards: bool) -> QuerySet:
    """In the order of the places, tier by tier, or county by county in each."""
    groups = ["standing__tier", "standing__county"] if county else ["standing__tier"]
    total = "standing__total" if backwards else "-standing__total"
    return rows.order_by(*groups, total, "pk")
