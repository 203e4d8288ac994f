"""Standings: what the completed reviews come to, kept beside each submission so that tables and
ranks are SQL. Written whenever something underneath changes; `rebuild` starts anew."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from assessments import verdicts, worksheet
from assessments.choices import REVIEWED_STATES
from assessments.models import Campaign, SelfAssessment, Standing
from assessments.scoring import storable
from organizations.models.organization import PATH_STEP


def write(assessment: SelfAssessment, verdict: verdicts.Verdict) -> None:
    """Keep this verdict. The caller holds the lock of the self-assessment."""
    Standing.objects.update_or_create(
        self_assessment=assessment,
        defaults={
            "campaign_id": assessment.campaign_id,
            "tier": assessment.rubric.tier,
            "county": assessment.place[: 2 * PATH_STEP],
            "total": storable(verdict.result.total),
            "outcome": verdict.outcome,
            "criteria": [
                [str(storable(one.points)), str(storable(one.maximum)), one.met]
                for one in verdict.result.criteria
            ],
            "met": sum(one.met for one in verdict.result.criteria),
            "vetoed": bool(verdict.vetoes),
            "stamp": verdict.stamp,
        },
    )


def refresh(assessment: SelfAssessment) -> None:
    """Reckon it anew; a submission that is not reviewed (any more) has none."""
    if assessment.state not in REVIEWED_STATES:
        Standing.objects.filter(self_assessment=assessment).delete()
        return
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    write(assessment, verdicts.verdict_of(assessment, lines))


def refresh_union(campaign: Campaign, organization: Any) -> None:
    """After a veto came or went."""
    for assessment in SelfAssessment.objects.filter(
        campaign=campaign, organization=organization
    ).with_context():
        refresh(assessment)


def rebuild(campaign: Campaign) -> int:
    """All of a campaign's, one after the other: how many there are."""
    number = 0
    Standing.objects.filter(campaign=campaign).exclude(
        self_assessment__state__in=REVIEWED_STATES
    ).delete()
    reviewed = SelfAssessment.objects.filter(campaign=campaign, state__in=REVIEWED_STATES)
    for assessment in reviewed.with_context().order_by("pk").iterator(chunk_size=200):
        refresh(assessment)
        number += 1
    return number


def with_ranks(rows: QuerySet[SelfAssessment]) -> QuerySet[SelfAssessment]:
    """Each row's place among all of its tier in the campaign, `tier_rank`, and among those of its
    county, `county_rank`; equal totals share a place (1, 2, 2, 4). Whatever a filter leaves out
    still counts."""
    better = Standing.objects.filter(
        campaign=OuterRef("campaign"),
        tier=OuterRef("standing__tier"),
        total__gt=OuterRef("standing__total"),
    ).order_by()

    def rank(others: QuerySet[Standing]) -> Any:
        counted = others.values("campaign").annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(counted), 0) + 1

    return rows.annotate(
        tier_rank=rank(better),
        county_rank=rank(better.filter(county=OuterRef("standing__county"))),
        standing_total=F("standing__total"),
    )
