"""催报: reminding the unions that are behind, once a day at most."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import gettext

from assessments import deadlines, oversight, permissions
from assessments.choices import CampaignState, Matter
from assessments.models import Campaign, Urge
from assessments.models.self_assessment import recused_paths
from organizations.audit import record
from organizations.choices import Act, NotificationKind, Role
from organizations.models import Membership, Organization, User
from organizations.models.organization import PATH_STEP, within
from organizations.notifications import notify

_BATCH = 1000
#: So many unions without an account are named; of the others the number is told.
NAMED = 30
_WRITERS = (Role.REPORTER, Role.HEAD)


class NotAllowed(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


@dataclass(frozen=True)
class Plan:
    """What urging would do now: how many would be told, and why the others are left out."""

    to_tell: int
    told_today: int
    without_account: int
    names: list[str]


def may_reach(user: User) -> Q:
    """The unions that the user may urge: those below the unions for which the user writes, and
    for the city's lead all but those with a conflict of interest (回避)."""
    scope = Q(pk__in=[])
    for membership in user.roles:
        organization = membership.organization
        if permissions.may_lead(user) and organization.parent_id is None:
            part = ~Q(pk__in=[])
            for path in recused_paths(user):
                part &= ~within(path)
            for other in user.all_roles:
                path = other.organization.path
                if other.organization.parent_id is not None:
                    above = [path[:end] for end in range(PATH_STEP, len(path), PATH_STEP)]
                    part &= ~within(path) & ~Q(path__in=above)
            scope |= part
        elif membership.role in _WRITERS and organization.parent_id is not None:
            scope |= within(organization.path) & ~Q(pk=organization.pk)
    return scope


def _with_accounts(
    found: QuerySet[Organization], campaign: Campaign, matter: Matter, day: dt.date
) -> QuerySet[Organization]:
    writers = Membership.objects.filter(
        organization=OuterRef("pk"), role__in=_WRITERS, user__is_active=True
    )
    today = Urge.objects.filter(
        campaign=campaign, organization=OuterRef("pk"), matter=matter, day=day
    )
    return found.annotate(has_account=Exists(writers), was_told=Exists(today))


def behind(found: QuerySet[Organization], user: User) -> QuerySet[Organization]:
    """Those of the rows (`oversight.rows`, `plans.rows`) that must act themselves and whom the user
    may urge."""
    return found.filter(may_reach(user), stage__in=oversight.BEHIND)


def plan(
    found: QuerySet[Organization],
    campaign: Campaign,
    user: User,
    at: dt.datetime,
    matter: Matter = Matter.ASSESSMENT,
) -> Plan:
    """For the page that asks to confirm: four queries, whatever the size."""
    chosen = _with_accounts(behind(found, user), campaign, matter, deadlines.local_day(at))
    chosen = chosen.order_by("path")
    mute = chosen.filter(has_account=False)
    return Plan(
        to_tell=chosen.filter(has_account=True, was_told=False).count(),
        told_today=chosen.filter(was_told=True).count(),
        without_account=mute.count(),
        names=list(mute.values_list("name", flat=True)[:NAMED]),
    )


def why_not(campaign: Campaign, at: dt.datetime, matter: Matter = Matter.ASSESSMENT) -> str | None:
    """Why nobody can be urged now; None if they can. Plans are due before the self-assessment
    begins."""
    if matter == Matter.PLAN and campaign.state == CampaignState.OPEN:
        return None
    if matter == Matter.ASSESSMENT and deadlines.is_running(campaign, at):
        return None
    return gettext("创建活动没有开放，不能催报。")


def due_on(campaign: Campaign, matter: Matter) -> dt.date:
    return campaign.plan_deadline if matter == Matter.PLAN else campaign.submission_deadline


def usual_text(campaign: Campaign, at: dt.datetime, matter: Matter = Matter.ASSESSMENT) -> str:
    """What the page proposes to write."""
    due = due_on(campaign, matter)
    if matter == Matter.PLAN:
        if deadlines.days_left(due, at) < 0:
            return f"{campaign.name}的实施方案应于 {due:%Y-%m-%d} 前报送，已经逾期，请尽快补报。"
        return f"请于 {due:%Y-%m-%d} 前报送{campaign.name}的实施方案。"
    if deadlines.days_left(due, at) < 0:
        return (
            f"{campaign.name}的自评已经截止（{due:%Y-%m-%d}）。还没有提交的，请尽快申请延期并办理。"
        )
    return f"请于 {due:%Y-%m-%d} 前完成{campaign.name}的自评并签批提交。"


@transaction.atomic
def urge(
    found: QuerySet[Organization],
    campaign: Campaign,
    *,
    text: str,
    by: User,
    at: dt.datetime,
    matter: Matter = Matter.ASSESSMENT,
) -> int:
    """Urge those of the rows that are behind, may be reached and were not urged today; how many
    were. Written in batches, in one transaction. Raises NotAllowed."""
    reason = why_not(campaign, at, matter)
    if reason:
        raise NotAllowed(reason)
    day, batch, last = deadlines.local_day(at), uuid.uuid4(), 0
    chosen = _with_accounts(behind(found, by), campaign, matter, day).filter(
        has_account=True, was_told=False
    )
    while True:
        keys = list(chosen.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH])
        if not keys:
            break
        Urge.objects.bulk_create(
            [
                Urge(
                    campaign=campaign,
                    organization_id=key,
                    matter=matter,
                    by=by,
                    at=at,
                    day=day,
                    text=text,
                    batch=batch,
                )
                for key in keys
            ],
            ignore_conflicts=True,  # somebody else urged the same union a moment ago
        )
        last = keys[-1]
    told = Urge.objects.filter(batch=batch).count()
    if told:
        record(
            action=Act.URGED,
            by=by,
            subject=campaign,
            details={"batch": str(batch), "matter": matter, "unions": told, "text": text},
        )
        _tell(batch, due_on(campaign, matter), text, by)
    return told


def _tell(batch: uuid.UUID, due: dt.date, text: str, by: User) -> None:
    """A message to the people of the unions that were urged: one text, so one call."""
    urged = Urge.objects.filter(batch=batch, organization=OuterRef("organization"))
    writers = Membership.objects.filter(Exists(urged), user=OuterRef("pk"), role__in=_WRITERS)
    notify(
        User.objects.filter(Exists(writers), is_active=True)
        .only("pk", "is_active")
        .iterator(_BATCH),
        kind=NotificationKind.REMINDER,
        text=f"催报：{text}",
        link=reverse("assessments:workbench"),
        by=by,
        due=due,
    )


def with_latest(found: QuerySet[Organization], campaign: Campaign) -> QuerySet[Organization]:
    """With `urged_on` and `urged_text`: the last time that each was urged to hand in its
    self-assessment."""
    urges = Urge.objects.filter(
        campaign=campaign, organization=OuterRef("pk"), matter=Matter.ASSESSMENT
    ).order_by("-day")
    return found.annotate(
        urged_on=Subquery(urges.values("day")[:1]), urged_text=Subquery(urges.values("text")[:1])
    )
