"""The workflow: the only writer of `SelfAssessment.state`.

`table.TRANSITIONS` is the whole of it. `perform` runs one row in one transaction, under the lock
of the self-assessment; `available` tells which rows a user could run now, so that buttons and
rules cannot disagree.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, verdicts
from assessments.answering import capacity, entry_of
from assessments.choices import Action, State
from assessments.models import Review, SelfAssessment
from assessments.workflow import telling
from assessments.workflow.context import Context, ManyRefused, Problem, TransitionRefused
from assessments.workflow.table import TRANSITIONS, Transition
from organizations.audit import record, record_many
from organizations.models import User

__all__ = [
    "TRANSITIONS",
    "Context",
    "ManyRefused",
    "Problem",
    "Transition",
    "TransitionRefused",
    "available",
    "find",
    "look",
    "perform",
    "perform_many",
    "problems",
    "stamp",
]

_ARCHIVED = Problem(_("本年度活动已经归档，只能查看。"))
#: So many are read and written at a time.
MANY_AT_A_TIME = 200


def find(action: Action, state: State | str) -> Transition | None:
    """The row of the table for this action in this state, if there is one."""
    for transition in TRANSITIONS:
        if transition.action == action and state in transition.sources:
            return transition
    return None


def available(assessment: SelfAssessment, user: User) -> list[Action]:
    """The actions whose row fits the state and the user. Guards are asked by `perform`."""
    if assessment.campaign.is_archived:
        return []
    return [
        transition.action
        for transition in TRANSITIONS
        if assessment.state in transition.sources and transition.may(user, assessment)
    ]


def look(assessment: SelfAssessment, by: User) -> Context:
    """The self-assessment as an action would find it now: for the page that asks to confirm."""
    return Context(assessment, by, deadlines.now())


def problems(context: Context, action: Action) -> list[Problem]:
    """What stands in the way of the action."""
    transition = find(action, context.assessment.state)
    if context.assessment.campaign.is_archived:
        return [_ARCHIVED]
    if transition is None or not transition.may(context.by, context.assessment):
        return [_wrong_state(context.assessment)]
    return [problem for guard in transition.guards for problem in guard(context)]


def stamp(context: Context, action: Action) -> str:
    """A digest of what an action rests on, to be carried by the page that asks to confirm it:
    the revision; for SUBMIT the answers with their evidence, for DECIDE the verdict."""
    parts: list[object] = [context.assessment.state, context.assessment.revision]
    if action in (Action.SUBMIT, Action.SUBMIT_ON_PAPER):
        parts += [
            (entry_of(line.answer).fingerprint, [file.pk for file in line.evidence])
            for line in context.lines
        ]
    elif action == Action.DECIDE:
        parts += [context.verdict.result, context.verdict.vetoes]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def perform(
    assessment: SelfAssessment, action: Action, *, by: User, seen: str = "", **details: Any
) -> SelfAssessment:
    """Run one transition: lock, find the row, ask who and what, write, record, tell.

    `details` by action: `signatory` and `scan` (SUBMIT_ON_PAPER), `opinion` (ENDORSE; optional for
    COMPLETE_REVIEW and DECIDE), `pending` (DECIDE, as it was prepared), `rank` (ENDORSE), `remarks`
    {Indicator: text}, `reason` and `due_on` (RETURN), `reason` (RESUME, the reopening actions,
    WITHDRAW_PUBLICATION, ACCEPT_APPEAL), `period` (optional for PUBLISH, which else opens one).
    `seen` is the `stamp` of what the user was shown before confirming, if anything was shown.
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
        if locked.campaign.is_archived:
            raise TransitionRefused(_ARCHIVED)
        if transition is None or not transition.may(by, locked):
            raise TransitionRefused(_wrong_state(locked))
        context = Context(locked, by, deadlines.now(), details)
        if seen and seen != stamp(context, action):
            raise TransitionRefused(
                Problem(gettext("您打开页面之后，内容有了变化。请核对之后再次确认。"))
            )
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
            details=capacity(by, locked, transition.acts_as)
            | on_record
            | {"from": source, "to": locked.state},
        )
        telling.tell(context, transition.tells)
    return locked


def perform_many(
    action: Action, details: Mapping[int, Mapping[str, Any]], *, by: User | None
) -> list[int]:
    """Run the same row of the table on many self-assessments, in one transaction, by a fixed number
    of queries for MANY_AT_A_TIME (but for the messages to each union). All or nothing.

    `details` are those of `perform`, by key of the self-assessment, and in the order in which it is
    done. Every one gets its own audit event. Returns the keys. Raises ManyRefused, which names
    everything that stands in the way. `by=None` means the portal itself.
    """
    refused: dict[int, tuple[Problem, ...]] = {}
    at, keys = deadlines.now(), list(details)
    with transaction.atomic():
        # All locks first, in one order: who decides one at the same moment waits, or is waited for.
        list(
            SelfAssessment.objects.select_for_update()
            .filter(pk__in=keys)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        for start in range(0, len(keys), MANY_AT_A_TIME):
            contexts = _contexts(keys[start : start + MANY_AT_A_TIME], details, by, at)
            for context in contexts:
                found = problems(context, action)
                if found:
                    refused[context.assessment.pk] = tuple(found)
            if not refused:
                _write_many(contexts, action, by)
        if refused:
            raise ManyRefused(refused)
    return keys


def _contexts(
    keys: Sequence[int], details: Mapping[int, Mapping[str, Any]], by: User | None, at: dt.datetime
) -> list[Context]:
    """The self-assessments as they are now, with their reviews and verdicts."""
    by_key = (
        SelfAssessment.objects.with_context()
        .prefetch_related(Prefetch("reviews", Review.objects.prefetch_related("reviewer")))
        .in_bulk(keys)
    )
    rows = [by_key[key] for key in keys]
    found = verdicts.verdicts_of(rows)
    contexts = [Context(row, by, at, details[row.pk]) for row in rows]
    for context in contexts:
        context.verdict = found[context.assessment.pk]
        context.reviews = list(context.assessment.reviews.all())
    return contexts


def _write_many(contexts: Sequence[Context], action: Action, by: User | None) -> None:
    """What `perform` writes once nothing stands in the way; the contexts share one row of the
    table, of which `of_many` does the effects."""
    (transition,) = {find(action, context.assessment.state) for context in contexts}
    assert transition is not None
    assert transition.of_many is not None
    on_record = transition.of_many(contexts)
    entries = []
    for context, written in zip(contexts, on_record, strict=True):
        assessment = context.assessment
        moved = {"from": assessment.state, "to": transition.target}
        assessment.state = transition.target
        acted = capacity(by, assessment, transition.acts_as) if by else {}
        entries.append((assessment, acted | written | moved))
    SelfAssessment.objects.bulk_update([one.assessment for one in contexts], ["state"])
    record_many(action=action, by=by, entries=entries)
    telling.tell_many(contexts, transition.tells)


def _wrong_state(assessment: SelfAssessment) -> Problem:
    return Problem(
        gettext(
            "该申报目前是“{state}”，您不能进行这项操作。页面可能已经过时，请刷新后再看。"
        ).format(state=assessment.get_state_display())
    )
