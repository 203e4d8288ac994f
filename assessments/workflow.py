"""The workflow: the only writer of `SelfAssessment.state`.

`TRANSITIONS` is the whole table. `perform` runs one row of it in one transaction, under the
lock of the self-assessment; `available` tells which rows a user could run now, so that buttons
and rules cannot disagree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from assessments import deadlines, permissions, reviewing, worksheet
from assessments.answering import capacity
from assessments.choices import Action, State
from assessments.models import (
    Endorsement,
    Indicator,
    Return,
    ReturnRemark,
    Review,
    Revision,
    RevisionEvidence,
    SelfAssessment,
)
from assessments.scoring import storable
from organizations.audit import record
from organizations.models import User


@dataclass(frozen=True)
class Problem:
    """Why an action cannot run, in the words of the screen; at which indicator, if at one."""

    message: str
    indicator: Indicator | None = None


class TransitionRefused(Exception):
    """Raised by `perform`; `problems` lists everything that stands in the way."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("".join(problem.message for problem in problems))
        self.problems = problems


@dataclass
class Context:
    """One run of a transition: the locked row, who acts, when, and what came with the action."""

    assessment: SelfAssessment
    by: User
    at: dt.datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    _sections: list[worksheet.Section] | None = None

    @property
    def sections(self) -> list[worksheet.Section]:
        if self._sections is None:
            self._sections = worksheet.load(self.assessment)
        return self._sections

    @property
    def lines(self) -> list[worksheet.Line]:
        return [line for section in self.sections for line in section.lines]


Guard = Callable[[Context], list[Problem]]
Effect = Callable[[Context], dict[str, Any] | None]


@dataclass(frozen=True)
class Transition:
    """One row of the table. `may` is asked first and answers who; `guards` answer what must
    hold; `effects` run after the state is written and return what goes on record. While
    `stays_while` holds after the effects, the state is left as it was."""

    action: Action
    sources: tuple[State, ...]
    target: State
    may: Callable[[User, SelfAssessment], bool]
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    stays_while: Callable[[Context], bool] | None = None


# --- Guards ---------------------------------------------------------------------------------------


def in_time(context: Context) -> list[Problem]:
    if deadlines.is_in_time(context.assessment, context.at):
        return []
    return [Problem("不在填报时间内。如需延期，请联系市总工会管理员。")]


def organization_is_active(context: Context) -> list[Problem]:
    return [] if context.assessment.organization.is_active else [Problem("该工会已经撤销。")]


def complete(context: Context) -> list[Problem]:
    return [
        Problem(f"{line.indicator.code} {line.indicator.name}：{text}", line.indicator)
        for section in context.sections
        for line, text in section.missing
    ]


def nobody_has_begun(context: Context) -> list[Problem]:
    begun = (
        context.assessment.returns.exists()
        or context.assessment.endorsements.exists()
        or Review.objects.filter(self_assessment=context.assessment, scores__isnull=False).exists()
    )
    return [Problem("上级或市总工会已经开始处理，不能撤回。")] if begun else []


def endorsed_if_required(context: Context) -> list[Problem]:
    """A union whose superior has endorsed an earlier revision need not be endorsed again."""
    assessment = context.assessment
    if assessment.state == State.ENDORSED or assessment.endorsements.exists():
        return []
    policy = assessment.campaign.policies.filter(tier=assessment.rubric.tier).first()
    if policy and policy.endorsement_required:
        return [Problem("须先由上级工会初审推荐。")]
    return []


def has_reviewers(context: Context) -> list[Problem]:
    return [] if context.assessment.reviews.exists() else [Problem("请先分派评审员。")]


def has_opinion(context: Context) -> list[Problem]:
    return [] if context.details.get("opinion") else [Problem("请填写意见。")]


def has_reason(context: Context) -> list[Problem]:
    return [] if context.details.get("reason") else [Problem("请填写理由。")]


def has_remarks(context: Context) -> list[Problem]:
    if context.details.get("remarks"):
        return []
    return [Problem("请至少在一个指标上写明修改要求。")]


def own_review_is_complete(context: Context) -> list[Problem]:
    review = _own_review(context)
    if review is None or review.is_complete:
        return [Problem("您没有未完成的评审。")]
    scores = {score.indicator_id: score for score in review.scores.all()}
    return [
        Problem(f"{gap.indicator.code} {gap.indicator.name}：{gap.text}", gap.indicator)
        for gap in reviewing.gaps(context.assessment, scores, context.lines)
    ]


def reviewers_agree(context: Context) -> list[Problem]:
    discrepant = reviewing.verdict_of(context.assessment, context.lines).discrepant
    if not discrepant:
        return []
    names = "、".join(f"第{number}好" for number in discrepant)
    return [Problem(f"评审员之间在{names}分差过大，请先退回评审员复核。")]


def _own_review(context: Context) -> Review | None:
    return context.assessment.reviews.filter(reviewer=context.by).first()


# --- Effects --------------------------------------------------------------------------------------


def freeze_revision(context: Context) -> dict[str, Any]:
    """Freeze what was handed in, numbered, with the place in the tree and the self-score."""
    assessment = context.assessment
    result = worksheet.result_of(context.sections, assessment.campaign)
    assessment.revision += 1
    assessment.submitted_at = context.at
    assessment.self_total = storable(result.total)
    assessment.place = assessment.organization.path
    assessment.correction_due = None
    revision = Revision.objects.create(
        self_assessment=assessment,
        number=assessment.revision,
        place=assessment.place,
        content={line.indicator.code: _frozen(line) for line in context.lines},
        self_total=assessment.self_total,
        submitted_by=context.by,
        submitted_at=context.at,
    )
    RevisionEvidence.objects.bulk_create(
        RevisionEvidence(revision=revision, indicator=line.indicator, evidence=evidence)
        for line in context.lines
        for evidence in line.evidence
    )
    return {"revision": assessment.revision, "self_total": str(assessment.self_total)}


def _frozen(line: worksheet.Line) -> dict[str, Any]:
    answer = line.answer
    return {
        "score": None if answer.score is None else str(answer.score),
        "checked_items": answer.checked_items,
        "numerator": answer.numerator,
        "denominator": answer.denominator,
        "not_applicable": answer.not_applicable,
        "not_applicable_reason": answer.not_applicable_reason,
        "account": answer.account,
        "points": None if line.result.points is None else str(line.result.points),
        "evidence": [
            {"name": evidence.name, "sha256": evidence.stored_file.sha256}
            for evidence in line.evidence
        ],
    }


def write_endorsement(context: Context) -> dict[str, Any]:
    assessment = context.assessment
    Endorsement.objects.create(
        self_assessment=assessment,
        revision=assessment.revision,
        organization=assessment.organization.parent,
        opinion=context.details["opinion"],
        author=context.by,
    )
    return {"opinion": context.details["opinion"]}


def write_return(context: Context) -> dict[str, Any]:
    """`remarks` maps indicators to what is wanting there. The union has `correction_days`, and
    never less than the campaign itself gives."""
    assessment = context.assessment
    days = dt.timedelta(days=assessment.campaign.correction_days)
    due = deadlines.local_day(context.at) + days
    assessment.correction_due = max(due, assessment.campaign.submission_deadline)
    sent_back = Return.objects.create(
        self_assessment=assessment,
        revision=assessment.revision,
        author=context.by,
        reason=context.details.get("reason", ""),
        due_on=assessment.correction_due,
    )
    remarks: Mapping[Indicator, str] = context.details["remarks"]
    ReturnRemark.objects.bulk_create(
        ReturnRemark(of_return=sent_back, indicator=indicator, text=text)
        for indicator, text in remarks.items()
    )
    assessment.reviews.update(completed_at=None)
    return {
        "reason": sent_back.reason,
        "due_on": sent_back.due_on.isoformat(),
        "indicators": [indicator.code for indicator in remarks],
    }


def point_reviews_at_revision(context: Context) -> dict[str, Any]:
    context.assessment.reviews.update(revision=context.assessment.revision)
    return {"revision": context.assessment.revision}


def complete_own_review(context: Context) -> dict[str, Any]:
    review = _own_review(context)
    assert review is not None  # the guard has seen it, and the row is locked
    review.completed_at, review.opinion = context.at, context.details.get("opinion", "")
    review.revision = context.assessment.revision
    review.save(update_fields=["completed_at", "opinion", "revision"])
    return {"revision": review.revision}


def reopen_reviews(context: Context) -> dict[str, Any]:
    context.assessment.reviews.update(completed_at=None)
    return {"reason": context.details["reason"]}


def write_decision(context: Context) -> dict[str, Any]:
    verdict = reviewing.verdict_of(context.assessment, context.lines)
    decision = reviewing.record_decision(
        context.assessment,
        verdict,
        opinion=context.details.get("opinion", ""),
        by=context.by,
        at=context.at,
    )
    return {
        "outcome": decision.outcome,
        "total": str(decision.total),
        "met": [criterion.number for criterion in verdict.result.criteria if criterion.met],
    }


def supersede_decision(context: Context) -> dict[str, Any]:
    context.assessment.decisions.filter(superseded_at=None).update(superseded_at=context.at)
    return {"reason": context.details["reason"]}


def others_are_scoring(context: Context) -> bool:
    """Whether fewer reviewers have finished than the campaign asks for."""
    completed = context.assessment.reviews.filter(completed_at__isnull=False).count()
    open_ = context.assessment.reviews.filter(completed_at=None).count()
    return open_ > 0 or completed < reviewing.required_reviewers(context.assessment)


# --- The table ------------------------------------------------------------------------------------

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        Action.SUBMIT,
        (State.DRAFT, State.RETURNED),
        State.SUBMITTED,
        may=permissions.may_sign,
        guards=(organization_is_active, in_time, complete),
        effects=(freeze_revision,),
    ),
    Transition(
        Action.WITHDRAW,
        (State.SUBMITTED,),
        State.DRAFT,
        may=permissions.may_sign,
        guards=(in_time, nobody_has_begun),
    ),
    Transition(
        Action.ENDORSE,
        (State.SUBMITTED,),
        State.ENDORSED,
        may=permissions.may_endorse,
        guards=(has_opinion,),
        effects=(write_endorsement,),
    ),
    Transition(
        Action.RETURN,
        (State.SUBMITTED,),
        State.RETURNED,
        may=permissions.may_return_submitted,
        guards=(has_remarks,),
        effects=(write_return,),
    ),
    Transition(
        Action.RETURN,
        (State.ENDORSED, State.UNDER_REVIEW),
        State.RETURNED,
        may=permissions.may_return_from_review,
        guards=(has_remarks,),
        effects=(write_return,),
    ),
    Transition(
        Action.BEGIN_REVIEW,
        (State.SUBMITTED, State.ENDORSED),
        State.UNDER_REVIEW,
        may=permissions.may_begin_review,
        guards=(endorsed_if_required, has_reviewers),
        effects=(point_reviews_at_revision,),
    ),
    Transition(
        Action.COMPLETE_REVIEW,
        (State.UNDER_REVIEW,),
        State.REVIEWED,
        may=permissions.may_review,
        guards=(own_review_is_complete,),
        effects=(complete_own_review,),
        stays_while=others_are_scoring,
    ),
    Transition(
        Action.REOPEN_REVIEW,
        (State.REVIEWED,),
        State.UNDER_REVIEW,
        may=permissions.may_lead,
        guards=(has_reason,),
        effects=(reopen_reviews,),
    ),
    Transition(
        Action.DECIDE,
        (State.REVIEWED,),
        State.DECIDED,
        may=permissions.may_lead,
        guards=(reviewers_agree,),
        effects=(write_decision,),
    ),
    Transition(
        Action.REOPEN_DECISION,
        (State.DECIDED,),
        State.REVIEWED,
        may=permissions.may_administer,
        guards=(has_reason,),
        effects=(supersede_decision,),
    ),
    Transition(
        Action.PUBLISH,
        (State.DECIDED,),
        State.PUBLISHED,
        may=permissions.may_administer,
    ),
    Transition(
        Action.ACCEPT_APPEAL,
        (State.PUBLISHED,),
        State.UNDER_REVIEW,
        may=permissions.may_administer,
        guards=(has_reason,),
        effects=(supersede_decision, reopen_reviews),
    ),
    Transition(
        Action.FINALISE,
        (State.PUBLISHED,),
        State.FINAL,
        may=permissions.may_administer,
    ),
)


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
