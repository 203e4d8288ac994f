"""What becomes of a plan, as one table; `perform` alone writes `ImplementationPlan.state`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext

from assessments import audiences, deadlines, permissions
from assessments.assigning import NotAllowed
from assessments.choices import CampaignState, PlanAction, PlanState
from assessments.models import Campaign, ImplementationPlan, PlanVersion
from assessments.plans.writing import CLOSED, EDITABLE, gaps, lock
from organizations.audit import record
from organizations.choices import Act, NotificationKind
from organizations.models import Organization, User
from organizations.notifications import notify


@dataclass(frozen=True)
class Context:
    """What a row of the table works on, locked."""

    plan: ImplementationPlan
    version: PlanVersion
    by: User
    at: dt.datetime
    remarks: str


@dataclass(frozen=True)
class Move:
    """One row of the table: `may` answers who, `why_not` what stands against it (in Chinese), and
    `effect` runs before the new state is written."""

    action: PlanAction
    sources: tuple[PlanState, ...]
    target: PlanState
    may: Callable[[User, Organization], bool]
    effect: Callable[[Context], None]
    tell: Callable[[Context], None]
    act: Act
    why_not: Callable[[Context], str] = lambda context: ""


def _why_not_file(context: Context) -> str:
    if context.plan.campaign.state != CampaignState.OPEN:
        return CLOSED
    missing = gaps(context.version)
    return (
        gettext("还没有填写：{names}。也可以上传文件。").format(names=gettext("、").join(missing))
        if missing
        else ""
    )


def _why_not_return(context: Context) -> str:
    return "" if context.remarks.strip() else gettext("请写明退回的意见。")


def _file(context: Context) -> None:
    plan, version = context.plan, context.version
    if plan.number is None:
        # Numbers follow each other without a gap: one filing of the campaign at a time.
        Campaign.objects.select_for_update(no_key=True).get(pk=plan.campaign_id)
        last = plan.campaign.plans.aggregate(last=Max("number"))["last"]
        plan.number = (last or 0) + 1
    if version.number == 1:  # mending what was sent back does not make it late
        plan.late = deadlines.local_day(context.at) > plan.campaign.plan_deadline
    plan.filed_at = version.filed_at = context.at
    version.filed_by = context.by


def _withdraw(context: Context) -> None:
    context.version.filed_at = context.version.filed_by = None


def _handle(context: Context) -> None:
    version = context.version
    version.remarks, version.handled_at = context.remarks, context.at
    version.handled_by = context.by


def _send_back(context: Context) -> None:
    """The union goes on with a copy; what it had filed stays as it was."""
    _handle(context)
    version = context.version
    context.plan.versions.create(
        number=version.number + 1,
        sections=version.sections,
        stored_file=version.stored_file,
        name=version.name,
    )


def _tell_city(context: Context) -> None:
    plan = context.plan
    waiting = f"{reverse('assessments:plan_list')}?year={plan.campaign.year}&state=FILED"
    notify(
        audiences.admins(plan.organization),
        kind=NotificationKind.TURN,
        text=f"“{plan.organization}”报送了实施方案，请审核。",
        link=plan.get_absolute_url(),
        by=context.by,
        topic=f"plans {plan.campaign_id}",
        many="{count} 次报送实施方案，请审核。",
        many_link=waiting,
    )


def _tell_nobody(context: Context) -> None:
    """What is taken back before anybody has looked at it concerns nobody else."""


def _tell_union(kind: NotificationKind, text: str) -> Callable[[Context], None]:
    def tell(context: Context) -> None:
        plan = context.plan
        notify(
            audiences.writers_of(plan.organization),
            kind=kind,
            text=f"“{plan.organization}”的实施方案{text}{context.remarks}",
            link=plan.get_absolute_url(),
            by=context.by,
        )

    return tell


TABLE = (
    Move(
        PlanAction.FILE,
        EDITABLE,
        PlanState.FILED,
        permissions.may_file_plan,
        _file,
        _tell_city,
        Act.PLAN_FILED,
        _why_not_file,
    ),
    Move(
        PlanAction.WITHDRAW,
        (PlanState.FILED,),
        PlanState.DRAFT,
        permissions.may_file_plan,
        _withdraw,
        _tell_nobody,
        Act.PLAN_WITHDRAWN,
    ),
    Move(
        PlanAction.ACCEPT,
        (PlanState.FILED,),
        PlanState.ACCEPTED,
        permissions.may_handle_plan,
        _handle,
        _tell_union(NotificationKind.RESULT, "已接收。"),
        Act.PLAN_ACCEPTED,
    ),
    Move(
        PlanAction.RETURN,
        (PlanState.FILED,),
        PlanState.RETURNED,
        permissions.may_handle_plan,
        _send_back,
        _tell_union(NotificationKind.RETURNED, "被退回修改："),
        Act.PLAN_RETURNED,
        _why_not_return,
    ),
)


def available(plan: ImplementationPlan, user: User) -> set[PlanAction]:
    """What the user can do to the plan as it stands: the buttons of its page."""
    return {
        row.action
        for row in TABLE
        if not plan.campaign.is_archived
        and plan.state in row.sources
        and row.may(user, plan.organization)
    }


@transaction.atomic
def perform(
    plan: ImplementationPlan, action: PlanAction, *, by: User, seen: int, remarks: str = ""
) -> ImplementationPlan:
    """Run a row of the table. `seen` is the stamp that the page showed. Raises NotAllowed, Stale."""
    locked = lock(plan.pk, seen)
    row = next(one for one in TABLE if one.action == action)
    if not row.may(by, locked.organization):
        raise NotAllowed(gettext("您不能办理这一步。"))
    if locked.campaign.is_archived:
        raise NotAllowed(gettext("本年度活动已经归档，只能查看。"))
    if locked.state not in row.sources:
        raise NotAllowed(
            gettext("实施方案{state}，不能{action}。").format(
                state=locked.get_state_display(), action=action.label
            )
        )
    context = Context(locked, locked.versions.last(), by, deadlines.now(), remarks)
    problem = row.why_not(context)
    if problem:
        raise NotAllowed(problem)
    row.effect(context)
    context.version.save()
    locked.state = row.target
    locked.stamp += 1
    locked.save()
    record(
        action=row.act,
        by=by,
        subject=locked,
        details={
            "union": locked.organization.name,
            "number": locked.receipt_number,
            "version": context.version.number,
            "late": locked.late,
            "remarks": remarks,
        },
    )
    row.tell(context)
    return locked
