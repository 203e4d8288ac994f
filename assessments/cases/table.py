"""What becomes of a case, as one table; `perform` alone writes `ExemplaryCase.state`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext

from assessments import audiences, deadlines, permissions, rich_text
from assessments.assigning import NotAllowed
from assessments.cases.writing import lock
from assessments.choices import CaseAction, CaseState
from assessments.models import Answer, ExemplaryCase
from assessments.models.case import WRITABLE
from organizations.audit import record
from organizations.choices import Act, NotificationKind
from organizations.models import Organization, User
from organizations.notifications import notify


@dataclass(frozen=True)
class Context:
    """What a row of the table works on, locked."""

    case: ExemplaryCase
    by: User
    at: dt.datetime
    remarks: str

    @property
    def because(self) -> str:
        return f"：{self.remarks}" if self.remarks else "。"


def _nothing(context: Context) -> None:
    """What is taken back before it was published concerns nobody else."""


@dataclass(frozen=True)
class Move:
    """One row of the table: `may` answers who, `why_not` what stands against it (in Chinese), and
    `effect` runs before the new state is written. The same action has several rows where who does it
    decides what follows."""

    action: CaseAction
    sources: tuple[CaseState, ...]
    target: CaseState
    may: Callable[[User, Organization], bool]
    act: Act
    tell: Callable[[Context], None] = _nothing
    effect: Callable[[Context], None] = _nothing
    why_not: Callable[[Context], str] = lambda context: ""


def _why_not_submit(context: Context) -> str:
    case = context.case
    blank = not case.title.strip() or rich_text.is_blank(case.body)
    return gettext("请先填写标题和正文，再报送。") if blank else ""


def _why_without_reason(context: Context) -> str:
    return "" if context.remarks.strip() else gettext("请写明原因。")


def _hand_in(context: Context) -> None:
    """Whatever the city had made of an earlier text does not stand for this one."""
    case = context.case
    case.submitted_at = context.at
    case.edited_title = case.edited_body = ""


def _give_back(context: Context) -> None:
    """Until it is handed in again, the union alone reads what it writes."""
    context.case.submitted_at = None


def _publish(context: Context) -> None:
    context.case.published_at = context.at


def _tell_superior(context: Context) -> None:
    case = context.case
    _notify(
        context,
        audiences.heads_of(case.organization.parent),
        NotificationKind.TURN,
        f"“{case.organization}”报送了先进经验“{case.title}”，请转报或退回。",
    )


def _tell_city(kind: NotificationKind, what: str) -> Callable[[Context], None]:
    def tell(context: Context) -> None:
        case = context.case
        text = f"“{case.organization}”{what.format(case=case.title)}"
        _notify(context, audiences.leads(case.organization), kind, text)

    return tell


def _tell_union(kind: NotificationKind, what: str) -> Callable[[Context], None]:
    def tell(context: Context) -> None:
        case = context.case
        text = f"先进经验“{case.title}”{what}{context.because}"
        _notify(context, audiences.writers_of(case.organization), kind, text)

    return tell


def _notify(context: Context, users: Iterable[User], kind: NotificationKind, text: str) -> None:
    notify(users, kind=kind, text=text, link=context.case.get_absolute_url(), by=context.by)


_tell_it_has_come = _tell_city(NotificationKind.TURN, "报来先进经验“{case}”，请编辑发布。")

TABLE = (
    Move(
        CaseAction.SUBMIT,
        WRITABLE,
        CaseState.SUBMITTED,
        permissions.may_submit_case_to_superior,
        Act.CASE_SUBMITTED,
        _tell_superior,
        _hand_in,
        _why_not_submit,
    ),
    Move(
        CaseAction.SUBMIT,
        WRITABLE,
        CaseState.FORWARDED,
        permissions.may_submit_case_to_city,
        Act.CASE_SUBMITTED,
        _tell_it_has_come,
        _hand_in,
        _why_not_submit,
    ),
    Move(
        CaseAction.FORWARD,
        (CaseState.SUBMITTED,),
        CaseState.FORWARDED,
        permissions.may_forward_case,
        Act.CASE_FORWARDED,
        _tell_it_has_come,
    ),
    Move(
        CaseAction.RETURN,
        (CaseState.SUBMITTED,),
        CaseState.RETURNED,
        permissions.may_forward_case,
        Act.CASE_RETURNED,
        _tell_union(NotificationKind.RETURNED, "被上级工会退回修改"),
        _give_back,
        _why_without_reason,
    ),
    Move(
        CaseAction.RETURN,
        (CaseState.FORWARDED,),
        CaseState.RETURNED,
        permissions.may_handle_case,
        Act.CASE_RETURNED,
        _tell_union(NotificationKind.RETURNED, "被市总工会退回修改"),
        _give_back,
        _why_without_reason,
    ),
    Move(
        CaseAction.DECLINE,
        (CaseState.FORWARDED,),
        CaseState.DECLINED,
        permissions.may_handle_case,
        Act.CASE_DECLINED,
        _tell_union(NotificationKind.RESULT, "没有采用"),
        why_not=_why_without_reason,
    ),
    Move(
        CaseAction.PUBLISH,
        (CaseState.FORWARDED,),
        CaseState.PUBLISHED,
        permissions.may_handle_case,
        Act.CASE_PUBLISHED,
        _tell_union(NotificationKind.RESULT, "已经发布"),
        _publish,
    ),
    Move(
        CaseAction.WITHDRAW,
        (
            CaseState.DRAFT,
            CaseState.NOMINATED,
            CaseState.RETURNED,
            CaseState.SUBMITTED,
            CaseState.FORWARDED,
        ),
        CaseState.WITHDRAWN,
        permissions.may_write_case,
        Act.CASE_WITHDRAWN,
    ),
    Move(
        CaseAction.WITHDRAW,
        (CaseState.PUBLISHED,),
        CaseState.WITHDRAWN,
        permissions.may_write_case,
        Act.CASE_WITHDRAWN,
        _tell_city(NotificationKind.INFO, "撤回了已发布的先进经验“{case}”。"),
    ),
    Move(
        CaseAction.TAKE_DOWN,
        (CaseState.PUBLISHED,),
        CaseState.WITHDRAWN,
        permissions.may_handle_case,
        Act.CASE_TAKEN_DOWN,
        _tell_union(NotificationKind.RESULT, "已由市总工会撤下"),
        why_not=_why_without_reason,
    ),
)


def available(case: ExemplaryCase, user: User) -> set[CaseAction]:
    """What the user can do to the case as it stands: the buttons of its page."""
    return {row.action for row in _open_rows(case, user)}


def _open_rows(case: ExemplaryCase, user: User) -> list[Move]:
    return [row for row in TABLE if case.state in row.sources and row.may(user, case.organization)]


def may_ever(case: ExemplaryCase, action: CaseAction, user: User) -> bool:
    """Whether the action is the user's in any state."""
    return any(row.action == action and row.may(user, case.organization) for row in TABLE)


@transaction.atomic
def perform(
    case: ExemplaryCase, action: CaseAction, *, by: User, seen: int, remarks: str = ""
) -> ExemplaryCase:
    """Run a row of the table. `seen` is the stamp that the page showed. Raises NotAllowed, Stale."""
    locked = lock(case.pk, seen)
    if not may_ever(locked, action, by):
        raise NotAllowed(gettext("您不能办理这一步。"))
    row = next((one for one in _open_rows(locked, by) if one.action == action), None)
    if row is None:
        raise NotAllowed(
            gettext("这篇材料{state}，不能{action}。").format(
                state=locked.get_state_display(), action=action.label
            )
        )
    context = Context(locked, by, deadlines.now(), remarks)
    problem = row.why_not(context)
    if problem:
        raise NotAllowed(problem)
    row.effect(context)
    locked.state, locked.remarks = row.target, remarks
    locked.stamp += 1
    locked.save()
    record(
        action=row.act,
        by=by,
        subject=locked,
        details={
            "union": locked.organization.name,
            "title": locked.title,
            "body": locked.body,
            "remarks": remarks,
        },
    )
    row.tell(context)
    return locked


@transaction.atomic
def nominate(answer: Answer, *, by: User) -> ExemplaryCase:
    """提名: a draft for the union from what it wrote: no more than an offer until the union hands it
    in. Raises NotAllowed."""
    assessment, indicator = answer.self_assessment, answer.indicator
    if not permissions.may_review(by, assessment):
        raise NotAllowed(gettext("只有评审这份申报的评审员可以提名。"))
    case, is_new = ExemplaryCase.objects.get_or_create(
        nominated_from=answer,
        defaults={
            "organization": assessment.organization,
            "criterion": indicator.criterion,
            "year": assessment.campaign.year,
            "state": CaseState.NOMINATED,
            "title": indicator.name,
            "body": rich_text.from_plain(answer.account),
            "nominated_by": by,
        },
    )
    if not is_new:
        raise NotAllowed(gettext("这一项已经提名过，不用再提名。"))
    record(
        action=Act.CASE_NOMINATED,
        by=by,
        subject=case,
        details={"union": assessment.organization.name, "indicator": indicator.code},
    )
    notify(
        audiences.writers_of(assessment.organization),
        kind=NotificationKind.TURN,
        text=f"评审员提名“{indicator.name}”为先进经验，请核对修改；报送即为同意。",
        link=case.get_absolute_url(),
        by=by,
    )
    return case
