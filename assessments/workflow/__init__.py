"""The workflow: the only writer of `SelfAssessment.state`.

`table.TRANSITIONS` is the whole of it. `perform` runs one row in one transaction, under the lock
of the self-assessment; `available` tells which rows a user could run now, so that buttons and
rules cannot disagree.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from assessments import deadlines
from assessments.answering import capacity
from assessments.choices import Action, State
from assessments.models import SelfAssessment
from assessments.workflow.context import Context, Problem, TransitionRefused
from assessments.workflow.table import TRANSITIONS, Transition
from organizations.audit import record
from organizations.models import User

__all__ = [
    "TRANSITIONS",
    "Problem",
    "Transition",
    "TransitionRefused",
    "available",
    "find",
    "perform",
    "problems",
]


def find(action: Action, state: State | str) -> Transition | None:
    """The row of the table for this action in this state, if there is one."""
    for transition in TRANSITIONS:
        if transition.action == action and state in transition.sources:
            return transition
    return None


def available(assessment: SelfAssessment, user: User) -> list[Action]:
    """The actions whose row fits the state and the user. Guards are asked by `perform`."""
    return [
        transition.action
        for transition in TRANSITIONS
        if assessment.state in transition.sources and transition.may(user, assessment)
    ]


def problems(assessment: SelfAssessment, action: Action, by: User, **details: Any) -> list[Problem]:
    """What stands in the way of the action, without running it."""
    transition = find(action, assessment.state)
    if transition is None or not transition.may(by, assessment):
        return [_wrong_state(assessment)]
    context = Context(assessment, by, deadlines.now(), details)
    return [problem for guard in transition.guards for problem in guard(context)]


def perform(
    assessment: SelfAssessment, action: Action, *, by: User, **details: Any
) -> SelfAssessment:
    """Run one transition: lock, find the row, ask who and what, write, record.

    `details` by action: `opinion` (ENDORSE; optional for COMPLETE_REVIEW and DECIDE), `remarks`
    {Indicator: text} and `reason` (RETURN), `reason` (the reopening actions, ACCEPT_APPEAL).
    Returns the self-assessment as it is then. Raises TransitionRefused and changes nothing when
    the state has moved on, the user may not, or a guard objects.
    """
    with transaction.atomic():
        locked = (
            SelfAssessment.objects.select_for_update(of=("self",))
            .with_context()
            .get(pk=assessment.pk)
        )
        transition = find(action, locked.state)
        if transition is None or not transition.may(by, locked):
            raise TransitionRefused(_wrong_state(locked))
        context = Context(locked, by, deadlines.now(), details)
        found = [problem for guard in transition.guards for problem in guard(context)]
        if found:
            raise TransitionRefused(*found)
        source = locked.state
        on_record: dict[str, Any] = {}
        for effect in transition.effects:
            on_record |= effect(context) or {}
        if not (transition.stays_while and transition.stays_while(context)):
            locked.state = transition.target
        locked.save()
        record(
            action=action,
            by=by,
            subject=locked,
            details=capacity(by, locked) | on_record | {"from": source, "to": locked.state},
        )
    return locked


def _wrong_state(assessment: SelfAssessment) -> Problem:
    return Problem(
        f"该申报目前是“{assessment.get_state_display()}”，您不能进行这项操作。"
        "页面可能已经过时，请刷新后再看。"
    )
