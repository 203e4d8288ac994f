"""The table of what can become of a round, a visit and a finding. Nothing else writes their state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from assessments import deadlines, permissions
from assessments.assigning import NotAllowed
from assessments.choices import UNANSWERED_STATES, FindingState, RoundState, VisitState
from assessments.models import SupervisionFinding, SupervisionRound, SupervisionVisit
from organizations.audit import record
from organizations.choices import Act
from organizations.models import User

#: What the steps are about.
Subject = SupervisionRound | SupervisionVisit | SupervisionFinding


class Stale(NotAllowed):
    """Somebody else has changed it since the page was shown."""


@dataclass(frozen=True)
class Step:
    """One legal change of state. `must` say what is in the way, in Chinese, or nothing."""

    act: Act
    sources: tuple[str, ...]
    target: str
    may: Callable[[User, Any], bool]
    must: tuple[Callable[[Any], str], ...] = ()

    def is_open_to(self, user: User, subject: Subject) -> bool:
        """Whether the user is shown the button for it."""
        return subject.state in self.sources and self.may(user, subject)


def _has_visits(round_: SupervisionRound) -> str:
    return (
        "" if round_.visits.exists() else gettext("方案里还没有要走访的工会，请先编组、列入工会。")
    )


def _nothing_left(round_: SupervisionRound) -> str:
    left = round_.visits.filter(state=VisitState.PLANNED).count()
    return (
        gettext("还有 {left} 个工会没有反馈督查情况：请先反馈或取消走访。").format(left=left)
        if left
        else ""
    )


def _is_running(visit: SupervisionVisit) -> str:
    return (
        "" if visit.round.state == RoundState.RUNNING else gettext("这轮督查没有开始或者已经结束。")
    )


def _union_is_active(visit: SupervisionVisit) -> str:
    union = visit.organization
    return (
        ""
        if union.is_active
        else gettext("“{union}”已经撤销，请由组织单位取消走访。").format(union=union)
    )


def _visited_in_time(visit: SupervisionVisit) -> str:
    if visit.visited_on > deadlines.local_day(deadlines.now()):
        return gettext("走访日期不能晚于今天。")
    if visit.visited_on < visit.round.starts_on:
        return gettext("走访日期不能早于督查开始的 {starts_on:%Y-%m-%d}。").format(
            starts_on=visit.round.starts_on
        )
    return ""


def _time_to_rectify(visit: SupervisionVisit) -> str:
    today = deadlines.local_day(deadlines.now())
    late = visit.findings.filter(rectify_by__lt=today).count()
    return (
        gettext("有 {late} 个问题的整改期限已经过了，请先改期限。").format(late=late)
        if late
        else ""
    )


def _runs(user: User, visit: SupervisionVisit) -> bool:
    return permissions.may_run_round(user, visit.round)


START = Step(
    Act.SUPERVISION_STARTED,
    (RoundState.PLANNED,),
    RoundState.RUNNING,
    permissions.may_run_round,
    (_has_visits,),
)
CLOSE = Step(
    Act.SUPERVISION_CLOSED,
    (RoundState.RUNNING,),
    RoundState.CLOSED,
    permissions.may_run_round,
    (_nothing_left,),
)
CANCEL = Step(
    Act.SUPERVISION_VISIT_CANCELLED,
    (VisitState.PLANNED,),
    VisitState.CANCELLED,
    _runs,
    (_is_running,),
)
FEED_BACK = Step(
    Act.SUPERVISION_FED_BACK,
    (VisitState.PLANNED,),
    VisitState.FED_BACK,
    permissions.may_visit,
    (_is_running, _union_is_active, _visited_in_time, _time_to_rectify),
)
RECTIFY = Step(
    Act.SUPERVISION_RECTIFIED,
    UNANSWERED_STATES,
    FindingState.ANSWERED,
    permissions.may_answer_finding,
)
ACCEPT = Step(
    Act.SUPERVISION_ACCEPTED,
    (*UNANSWERED_STATES, FindingState.ANSWERED),
    FindingState.ACCEPTED,
    permissions.may_check_finding,
)
RETURN = Step(
    Act.SUPERVISION_RETURNED,
    (FindingState.ANSWERED,),
    FindingState.RETURNED,
    permissions.may_check_finding,
)


@transaction.atomic
def take(step: Step, subject: Subject, by: User, details: dict[str, Any] | None = None) -> None:
    """Take the step with a row that the caller has locked, and save the row. Raises NotAllowed."""
    if not step.may(by, subject):
        raise NotAllowed(gettext("您不能办理：不是承办人员，或者须回避。"))
    if subject.state not in step.sources:
        raise NotAllowed(
            gettext("目前是“{state}”，不能“{act}”：可能刚刚已由别人办理。").format(
                state=subject.get_state_display(), act=step.act.label
            )
        )
    for must in step.must:
        if problem := must(subject):
            raise NotAllowed(problem)
    subject.state = step.target
    subject.save()
    visit = subject.visit if isinstance(subject, SupervisionFinding) else subject
    record(action=step.act, by=by, subject=visit, details=details)
