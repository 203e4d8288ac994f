"""Whose plan has come in: one query over the unions that must file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    FilteredRelation,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, oversight, permissions
from assessments.choices import Matter, PlanState
from assessments.models import Campaign, ImplementationPlan, PlanVersion
from assessments.models.plan import PLAN_TIERS
from organizations.models import Organization, User

#: As a row's `stage`, beside the states: the union has not begun.
NONE = "NONE"
STAGES = ((NONE, _("未开始")), *PlanState.choices)


def visible_to(user: User) -> QuerySet[ImplementationPlan]:
    """The plans that the user may open: of the unions in the user's scope, and of those of others only
    what was filed; whoever must stand back (回避) finds nothing."""
    own = [one.organization_id for one in user.roles]
    scope = Organization.objects.filter(oversight.scope_of(user)).values("pk")
    return (
        ImplementationPlan.objects.with_filed()
        .filter(Q(was_filed=True) | Q(organization__in=own), organization__in=scope)
        .select_related("campaign", "organization__parent")
    )


def versions_for(user: User, plan: ImplementationPlan) -> QuerySet[PlanVersion]:
    """What the user may read of a plan, the newest first."""
    found = plan.versions.select_related("stored_file", "filed_by").order_by("-number")
    if permissions.may_read_unfiled_plan(user, plan.organization):
        return found
    return found.filter(filed_at__isnull=False)


def rows(user: User, campaign: Campaign, at: dt.datetime) -> QuerySet[Organization]:
    """Every union in the user's scope that must file, with `stage`, `is_late` (filed late, or not
    filed by now), `last_urged`, and of its plan `plan_pk`, `plan_number`, `plan_filed_at`."""
    return staged(oversight.visible(user), campaign, at)


def staged(
    found: QuerySet[Organization], campaign: Campaign, at: dt.datetime
) -> QuerySet[Organization]:
    """Those that must file, as `rows`."""
    unfiled_late = deadlines.local_day(at) > campaign.plan_deadline
    return (
        found.filter(tier__in=PLAN_TIERS)
        .annotate(plan=FilteredRelation("plans", condition=Q(plans__campaign=campaign)))
        .annotate(
            plan_pk=F("plan__pk"),
            plan_number=F("plan__number"),
            plan_filed_at=F("plan__filed_at"),
            stage=Coalesce("plan__state", Value(NONE)),
            last_urged=oversight.last_urged(campaign, Matter.PLAN),
        )
        .annotate(
            is_late=Case(
                When(stage__in=(NONE, PlanState.DRAFT), then=Value(unfiled_late)),
                default=F("plan__late"),
                output_field=BooleanField(),
            )
        )
        .order_by("path")
    )


@dataclass(frozen=True)
class Counts:
    """应报, 已报 (waiting or accepted), 退回, 未报; of 已报 and of 未报, how many are late."""

    total: int
    filed: int
    returned: int
    missing: int
    filed_late: int
    overdue: int


def count(found: QuerySet[Organization]) -> Counts:
    """One query, whatever the size."""
    filed = Q(stage__in=(PlanState.FILED, PlanState.ACCEPTED))
    missing = Q(stage__in=(NONE, PlanState.DRAFT))
    numbers = found.order_by().aggregate(
        total=Count("pk"),
        filed=Count("pk", filter=filed),
        returned=Count("pk", filter=Q(stage=PlanState.RETURNED)),
        missing=Count("pk", filter=missing),
        filed_late=Count("pk", filter=filed & Q(is_late=True)),
        overdue=Count("pk", filter=missing & Q(is_late=True)),
    )
    return Counts(**numbers)


def waiting(user: User, campaign: Campaign) -> QuerySet[ImplementationPlan]:
    """What the city has to look at, of what the user may see."""
    return visible_to(user).filter(campaign=campaign, state=PlanState.FILED)
