"""A synthetic city: made in bulk, the same at every run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from assessments import campaigns, rubrics
from assessments.choices import Outcome, State
from assessments.models import (
    Campaign,
    Decision,
    DecisionCriterion,
    Review,
    Rubric,
    SelfAssessment,
    Standing,
    TierPolicy,
)
from organizations import reference, tree
from organizations.choices import ASSESSED_TIERS, Role, Tier
from organizations.models import Membership, Organization, User
from organizations.models.organization import PATH_STEP


@dataclass
class World:
    campaign: Campaign
    reporter: User
    lead: User
    reviewer: User
    assessment: SelfAssessment


def make(count: int) -> World:
    """`count` grassroots unions below the real townships: half decided, a quarter in review."""
    reference.load_divisions()
    rubrics.load()
    townships = list(Organization.objects.filter(tier=Tier.TOWNSHIP))
    tree.plant_all(
        Organization(
            code=f"BENCH-{number:07}",
            name=f"示例第{number}有限责任公司工会委员会",
            tier=Tier.GRASSROOTS,
            parent=townships[number % len(townships)],
        )
        for number in range(count)
    )
    campaign = _campaign()
    city = Organization.objects.get(tier=Tier.CITY)
    unions = list(Organization.objects.filter(tier=Tier.GRASSROOTS))
    users = {
        name: User.objects.create_user(name, full_name=name)
        for name in ("reporter", "lead", "reviewer")
    }
    Membership.objects.create(user=users["lead"], organization=city, role=Role.LEAD_REVIEWER)
    Membership.objects.create(user=users["reviewer"], organization=city, role=Role.REVIEWER)
    Membership.objects.create(user=users["reporter"], organization=unions[-1], role=Role.REPORTER)
    _assessments(campaign, unions, users)
    own = SelfAssessment.objects.get(organization=unions[-1])
    return World(campaign, users["reporter"], users["lead"], users["reviewer"], own)


def _campaign() -> Campaign:
    today = timezone.localdate()
    campaign = Campaign.objects.create(
        name="基准",
        year=today.year,
        cycle_start_year=today.year,
        plan_deadline=today,
        opens_on=today - dt.timedelta(days=1),
        submission_deadline=today + dt.timedelta(days=30),
        review_deadline=today + dt.timedelta(days=60),
    )
    for tier in ASSESSED_TIERS:
        TierPolicy.objects.create(
            campaign=campaign, tier=tier, rubric=Rubric.objects.get(tier=tier)
        )
    campaigns.open_campaign(campaign, by=None)
    campaign.refresh_from_db()
    return campaign


def _assessments(campaign: Campaign, unions: list[Organization], users: dict[str, User]) -> None:
    rubric = Rubric.objects.get(tier=Tier.GRASSROOTS)
    now = timezone.now()
    states = [State.DECIDED, State.UNDER_REVIEW, State.DECIDED, State.DRAFT]
    SelfAssessment.objects.bulk_create(
        [
            SelfAssessment(
                campaign=campaign,
                organization=union,
                rubric=rubric,
                place=union.path,
                state=states[number % 4] if number < len(unions) - 1 else State.DRAFT,
                revision=1,
                submitted_at=now,
                self_total=Decimal(90),
            )
            for number, union in enumerate(unions)
        ],
        batch_size=500,
    )
    Review.objects.bulk_create(
        [
            Review(
                self_assessment=assessment,
                reviewer=users["reviewer"],
                revision=1,
                assigned_by=users["lead"],
            )
            for assessment in SelfAssessment.objects.filter(state=State.UNDER_REVIEW)
        ],
        batch_size=500,
    )
    decisions = Decision.objects.bulk_create(
        [
            Decision(
                self_assessment=assessment,
                revision=1,
                total=Decimal("91.234567"),
                outcome=Outcome.AT_STANDARD,
                computed_outcome=Outcome.AT_STANDARD,
                campaign=campaign,
                number=number,
                decided_by=users["lead"],
                decided_at=now,
            )
            for number, assessment in enumerate(
                SelfAssessment.objects.filter(state=State.DECIDED), start=1
            )
        ],
        batch_size=500,
    )
    DecisionCriterion.objects.bulk_create(
        [
            DecisionCriterion(
                decision=d, number=n, points=Decimal(9), maximum=Decimal(10), met=True
            )
            for d in decisions
            for n in range(1, 7)
        ],
        batch_size=500,
    )
    Standing.objects.bulk_create(
        [
            Standing(
                self_assessment=assessment,
                campaign=campaign,
                tier=Tier.GRASSROOTS,
                county=assessment.place[: 2 * PATH_STEP],
                total=Decimal(number * 7919 % 10000) / 100,
                outcome=Outcome.AT_STANDARD,
                criteria=[["9", "10", True]] * 6,
                met=6,
                stamp="",
            )
            for number, assessment in enumerate(SelfAssessment.objects.filter(state=State.DECIDED))
        ],
        batch_size=500,
    )
