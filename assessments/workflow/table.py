"""The whole workflow as one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assessments import permissions
from assessments.choices import Action, State
from assessments.models import SelfAssessment
from assessments.workflow.context import Context, Problem
from assessments.workflow.effects import (
    become_final,
    complete_own_review,
    freeze_revision,
    list_publicly,
    list_publicly_many,
    look_for_similar,
    note_missing_endorsement,
    note_standing,
    others_are_scoring,
    point_reviews_at_revision,
    reopen_reviews,
    settle_appeals,
    supersede_decision,
    take_back_corrections,
    take_off_list,
    withdraw_endorsement,
    write_decision,
    write_decisions,
    write_endorsement,
    write_return,
)
from assessments.workflow.guards import (
    complete,
    correction_is_overdue,
    decided_with_its_list,
    endorsed_if_required,
    endorsement_is_complete,
    has_opinion,
    has_reason,
    has_remarks,
    has_reviewers,
    in_time,
    is_signed_on_paper,
    no_open_appeal,
    nobody_has_begun,
    organization_is_active,
    own_review_is_complete,
    publicity_is_over,
    remarks_are_answered,
    reviewers_agree,
    reviewers_are_free,
)
from assessments.workflow.telling import (
    Tell,
    admins_of_decision,
    leads_of_reopening,
    leads_when_all_are_in,
    reviewers_of_reopening,
    union_of_acceptance,
    union_of_appeal,
    union_of_decision,
    union_of_endorsement,
    union_of_final_result,
    union_of_paper,
    union_of_publication,
    union_of_resumption,
    union_of_return,
    union_of_void_decision,
    union_of_withdrawn_endorsement,
    union_of_withdrawn_publication,
    whose_turn_it_is,
    whose_turn_it_was,
)
from organizations.choices import Role
from organizations.models import User

Guard = Callable[[Context], list[Problem]]
Effect = Callable[[Context], dict[str, Any] | None]
EffectOfMany = Callable[[Sequence[Context]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Transition:
    """One row of the table. `may` is asked first and answers who, `acts_as` names the
    roles in which they act, for the record; `guards` answer what must
    hold; `effects` run before the state is written and return what goes on record. While
    `stays_while` holds after the effects, the state is left as it was. `of_many` does what the
    effects do, for many at a time (`workflow.perform_many`). `tells` name who finds a message once
    all is written."""

    action: Action
    sources: tuple[State, ...]
    target: State
    may: Callable[[User, SelfAssessment], bool]
    acts_as: tuple[Role, ...]
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    stays_while: Callable[[Context], bool] | None = None
    of_many: EffectOfMany | None = None
    tells: tuple[Tell, ...] = ()


_LEADERS = (Role.LEAD_REVIEWER, Role.ADMIN)
_HANDLERS = (Role.REVIEWER, *_LEADERS)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        Action.SUBMIT,
        (State.DRAFT, State.RETURNED),
        State.SUBMITTED,
        may=permissions.may_sign,
        acts_as=(Role.HEAD,),
        guards=(organization_is_active, in_time, complete, remarks_are_answered),
        effects=(freeze_revision, look_for_similar),
        tells=(whose_turn_it_is,),
    ),
    Transition(
        Action.SUBMIT_ON_PAPER,
        (State.DRAFT, State.RETURNED),
        State.SUBMITTED,
        may=permissions.may_submit_on_paper,
        acts_as=(Role.HEAD,),
        guards=(
            organization_is_active,
            in_time,
            complete,
            remarks_are_answered,
            is_signed_on_paper,
        ),
        effects=(freeze_revision, look_for_similar),
        tells=(whose_turn_it_is, union_of_paper),
    ),
    Transition(
        Action.WITHDRAW,
        (State.SUBMITTED,),
        State.DRAFT,
        may=permissions.may_withdraw,
        acts_as=(Role.HEAD,),
        guards=(in_time, nobody_has_begun),
        effects=(look_for_similar,),
        tells=(whose_turn_it_was,),
    ),
    Transition(
        Action.ENDORSE,
        (State.SUBMITTED,),
        State.ENDORSED,
        may=permissions.may_endorse,
        acts_as=(Role.HEAD,),
        guards=(has_opinion, endorsement_is_complete),
        effects=(write_endorsement,),
        tells=(whose_turn_it_is, union_of_endorsement),
    ),
    Transition(
        Action.WITHDRAW_ENDORSEMENT,
        (State.ENDORSED,),
        State.SUBMITTED,
        may=permissions.may_endorse,
        acts_as=(Role.HEAD,),
        effects=(withdraw_endorsement,),
        tells=(union_of_withdrawn_endorsement,),
    ),
    Transition(
        Action.RETURN,
        (State.SUBMITTED,),
        State.RETURNED,
        may=permissions.may_return_submitted,
        acts_as=(Role.HEAD, *_HANDLERS),
        guards=(has_remarks,),
        effects=(write_return,),
        tells=(union_of_return,),
    ),
    Transition(
        Action.RETURN,
        (State.ENDORSED, State.UNDER_REVIEW),
        State.RETURNED,
        may=permissions.may_handle,
        acts_as=(Role.HEAD, *_HANDLERS),
        guards=(has_remarks,),
        effects=(write_return,),
        tells=(union_of_return,),
    ),
    Transition(
        Action.RESUME,
        (State.RETURNED,),
        State.SUBMITTED,
        may=permissions.may_lead,
        acts_as=_LEADERS,
        guards=(correction_is_overdue, has_reason),
        effects=(take_back_corrections,),
        tells=(whose_turn_it_is, union_of_resumption),
    ),
    Transition(
        Action.BEGIN_REVIEW,
        (State.SUBMITTED, State.ENDORSED),
        State.UNDER_REVIEW,
        may=permissions.may_handle,
        acts_as=_HANDLERS,
        guards=(endorsed_if_required, has_reviewers),
        effects=(note_missing_endorsement, point_reviews_at_revision),
        tells=(union_of_acceptance,),
    ),
    Transition(
        Action.COMPLETE_REVIEW,
        (State.UNDER_REVIEW,),
        State.REVIEWED,
        may=permissions.may_review,
        acts_as=(Role.REVIEWER, Role.LEAD_REVIEWER),
        guards=(own_review_is_complete,),
        effects=(complete_own_review, note_standing),
        stays_while=others_are_scoring,
        tells=(leads_when_all_are_in,),
    ),
    Transition(
        Action.REOPEN_REVIEW,
        (State.REVIEWED,),
        State.UNDER_REVIEW,
        may=permissions.may_lead,
        acts_as=_LEADERS,
        guards=(has_reason,),
        effects=(reopen_reviews,),
        tells=(reviewers_of_reopening,),
    ),
    Transition(
        Action.DECIDE,
        (State.REVIEWED,),
        State.DECIDED,
        may=permissions.may_lead,
        acts_as=_LEADERS,
        guards=(decided_with_its_list, reviewers_are_free, reviewers_agree),
        effects=(write_decision,),
        of_many=write_decisions,
        tells=(admins_of_decision, union_of_decision),
    ),
    Transition(
        Action.REOPEN_DECISION,
        (State.DECIDED,),
        State.REVIEWED,
        may=permissions.may_administer,
        acts_as=(Role.ADMIN,),
        guards=(has_reason,),
        effects=(supersede_decision,),
        tells=(leads_of_reopening, union_of_void_decision),
    ),
    Transition(
        Action.PUBLISH,
        (State.DECIDED,),
        State.PUBLISHED,
        may=permissions.may_administer,
        acts_as=(Role.ADMIN,),
        effects=(list_publicly,),
        of_many=list_publicly_many,
        tells=(union_of_publication,),
    ),
    Transition(
        Action.WITHDRAW_PUBLICATION,
        (State.PUBLISHED,),
        State.DECIDED,
        may=permissions.may_administer,
        acts_as=(Role.ADMIN,),
        guards=(has_reason, no_open_appeal),
        effects=(take_off_list,),
        tells=(union_of_withdrawn_publication,),
    ),
    Transition(
        Action.ACCEPT_APPEAL,
        (State.PUBLISHED,),
        State.UNDER_REVIEW,
        may=permissions.may_lead,
        acts_as=_LEADERS,
        guards=(has_reason,),
        effects=(settle_appeals, take_off_list, supersede_decision, reopen_reviews),
        tells=(reviewers_of_reopening, union_of_appeal),
    ),
    Transition(
        Action.FINALISE,
        (State.PUBLISHED,),
        State.FINAL,
        may=permissions.may_finalise,
        acts_as=(Role.ADMIN,),
        guards=(publicity_is_over, no_open_appeal),
        of_many=become_final,
        tells=(union_of_final_result,),
    ),
)
