"""A union's self-assessment: starting it, the overview, asking the head to sign."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from assessments import (
    answering,
    comparison,
    deadlines,
    inspecting,
    letters,
    permissions,
    similarity,
    workflow,
    worksheet,
)
from assessments.choices import REVIEWED_STATES, Action, State
from assessments.models import Campaign, Decision, Return, ReturnRemark, SelfAssessment
from assessments.views import superior
from assessments.views.access import assessment_or_404, number_or_zero
from organizations import audit
from organizations.models import AuditEvent, Organization, User


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin the self-assessment of one's own union; one that has begun is opened."""
    campaign = get_object_or_404(
        Campaign.objects.opened(), year=number_or_zero(request.POST.get("year"))
    )
    organization = get_object_or_404(
        Organization.objects.visible_to(request.user),
        pk=number_or_zero(request.POST.get("organization")),
    )
    if not permissions.may_start(request.user, organization):
        raise Http404
    try:
        assessment = answering.start(campaign, organization, request.user)
    except answering.NotEditable as error:
        messages.error(request, str(error))
        return redirect("assessments:workbench")
    return redirect(assessment)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The six tiles, what is missing, what can be done, and what has been done."""
    assessment = assessment_or_404(request, pk)
    user = request.user
    readable = permissions.may_read_content(user, assessment)
    sections = worksheet.load(assessment)
    now = deadlines.now()
    due = deadlines.due_on(assessment) if assessment.is_editable_state else None
    decision, void = _decisions(assessment)
    result = worksheet.result_of(sections, assessment.campaign)
    latest_return = _latest_return(assessment)
    writable = (
        readable
        and assessment.is_editable_state
        and permissions.may_fill_in(user, assessment)
        and deadlines.is_running(assessment.campaign, now)
        and due is not None
        and deadlines.days_left(due, now) >= 0
    )
    return render(
        request,
        "assessments/self_assessments/detail.html",
        {
            "assessment": assessment,
            "readable": readable,
            "desk": superior.desk(request, assessment, now),
            "may_end_proxy": permissions.may_end_proxy(user, assessment),
            "may_add_scan": permissions.may_add_scan(user, assessment),
            "history_shown": permissions.may_read_revisions(user, assessment),
            "writable": writable,
            "sections": sections,
            "tiles": list(zip(sections, result.criteria, strict=True)),
            "result": result,
            "next_section": _next_section(sections, latest_return) if writable else None,
            "missing_count": sum(len(section.missing) for section in sections),
            "warning_count": sum(len(section.warnings) for section in sections) if writable else 0,
            "may_ask_to_sign": writable and permissions.may_ask_to_sign(user, assessment),
            "may_ask_extension": assessment.is_editable_state
            and permissions.may_start(user, assessment.organization)
            and not deadlines.is_in_time(assessment, now),
            "due": due,
            "days_left": deadlines.days_left(due, now) if due else None,
            "latest_return": latest_return,
            "decision": decision,
            "void_decisions": void,
            "decision_rows": list(
                zip(sections, result.criteria, decision.criteria.all(), strict=True)
            )
            if decision
            else [],
            "actions": _action_buttons(assessment, user),
            "own_review": next(
                (review for review in assessment.reviews.all() if review.reviewer_id == user.pk),
                None,
            ),
            "reviewers_shown": permissions.may_lead(user, assessment),
            "similar": similarity.open_count(assessment, user)
            if permissions.may_see_similarities(user, assessment)
            else None,
            "inspection_shown": assessment.inspected
            and (
                assessment.state in (State.PUBLISHED, State.FINAL)
                or permissions.may_handle(user, assessment)
            ),
            "can_inspect": assessment.state in inspecting.INSPECTABLE_STATES
            and permissions.may_lead(user, assessment),
            "may_appeal": assessment.state == State.PUBLISHED
            and permissions.may_appeal(user, assessment),
            "events": _events(assessment, user),
            "city_names_shown": permissions.may_see_names_of_city(user),
        },
    )


#: What says how the reviewers scored: no business of one who is still scoring.
_ON_SCORES = (
    "ARBITRATE",
    "ADJUST",
    "OVERRIDE_PROPOSED",
    "OVERRIDE_CONFIRMED",
    "OVERRIDE_WITHDRAWN",
    "INSPECTION_APPLIED",
)
#: What the city settles among itself before anybody is told of a decision.
_INNER = (
    *_ON_SCORES,
    "APPEAL_ASSIGNED",
    "CONFIRM_SCORES",
    "INSPECTION_ADDED",
    "INSPECTION_SCHEDULED",
    "INSPECTION_PHOTO",
    "INSPECTION_PHOTO_REMOVED",
    "INSPECTION_DONE",
    "INSPECTION_CANCELLED",
)


def _events(assessment: SelfAssessment, user: User) -> QuerySet[AuditEvent]:
    found = audit.events_of(assessment).select_related("actor")
    if not permissions.may_see_names_of_city(user):
        found = found.exclude(action__in=_INNER)
    elif comparison.is_blind(assessment, user):
        found = found.exclude(action__in=_ON_SCORES)
    return found[:50]


def _decisions(assessment: SelfAssessment) -> tuple[Decision | None, list[Decision]]:
    """The decision that stands, and those that were superseded: the union has been told of all.
    While it is on its way to the city again, they are found in its history."""
    if assessment.state not in (State.UNDER_REVIEW, *REVIEWED_STATES):
        return None, []
    found = assessment.decisions.select_related("campaign").prefetch_related("criteria")
    return letters.standing_first(found)


def _latest_return(assessment: SelfAssessment) -> Return | None:
    """What the union is asked to mend, while it is."""
    if assessment.state != State.RETURNED:
        return None
    remarks = ReturnRemark.objects.select_related("indicator__criterion")
    return assessment.returns.prefetch_related(Prefetch("remarks", remarks)).first()


def _next_section(
    sections: list[worksheet.Section], latest_return: Return | None
) -> worksheet.Section | None:
    """Where the union should go on: the first criterion that a remark concerns, or that is not
    complete."""
    numbers = {section.criterion.number for section in sections if not section.is_complete}
    if latest_return:
        numbers = {remark.indicator.criterion.number for remark in latest_return.remarks.all()}
    return next((s for s in sections if s.criterion.number in numbers), None)


#: Actions that belong to a reviewer's own pages, not to the overview.
_ELSEWHERE = {Action.COMPLETE_REVIEW}


def _action_buttons(assessment: SelfAssessment, user: User) -> list[Action]:
    return [action for action in workflow.available(assessment, user) if action not in _ELSEWHERE]


@require_POST
def ask_to_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """请负责人签批: the head finds it on the workbench."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_ask_to_sign(request.user, assessment):
        raise Http404
    try:
        answering.ask_to_sign(assessment, request.user)
    except answering.NotEditable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已请负责人签批。负责人登录后，在工作台上可以看到。"))
    return redirect(assessment)
