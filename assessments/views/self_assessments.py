"""A union's self-assessment: overview, the page of one criterion, saving."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import (
    answering,
    deadlines,
    evidence,
    incoming,
    kinds,
    library,
    permissions,
    workflow,
    worksheet,
)
from assessments.choices import DECIDED_STATES, Action, State
from assessments.forms.sheets import AnswerSheet
from assessments.models import Campaign, Indicator, Return, ReturnRemark, SelfAssessment
from assessments.views import attachments
from assessments.views.access import assessment_or_404, readable_or_404
from assessments.views.uploading import refused_while_arriving
from organizations import audit
from organizations.models import Organization, User


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begin the self-assessment of one's own union; one that has begun is opened."""
    campaign = get_object_or_404(Campaign.objects.opened(), year=_number(request.POST.get("year")))
    organization = get_object_or_404(
        Organization.objects.visible_to(request.user), pk=_number(request.POST.get("organization"))
    )
    if not permissions.may_start(request.user, organization):
        raise Http404
    try:
        assessment = answering.start(campaign, organization, request.user)
    except answering.NotEditable as error:
        messages.error(request, str(error))
        return redirect("assessments:workbench")
    return redirect(assessment)


def _number(text: str | None) -> int:
    """A key from a form; what is no number finds nothing."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The six tiles, what is missing, what can be done, and what has been done."""
    assessment = assessment_or_404(request, pk)
    user = request.user
    readable = permissions.may_read_content(user, assessment)
    sections = worksheet.load(assessment)
    now = deadlines.now()
    due = deadlines.due_on(assessment) if assessment.is_editable_state else None
    decision = None
    if assessment.state in DECIDED_STATES:
        decision = (
            assessment.decisions.filter(superseded_at=None).prefetch_related("criteria").first()
        )
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
            "writable": writable,
            "sections": sections,
            "tiles": list(zip(sections, result.criteria, strict=True)),
            "result": result,
            "next_section": _next_section(sections, latest_return) if writable else None,
            "missing_count": sum(len(section.missing) for section in sections),
            "due": due,
            "days_left": deadlines.days_left(due, now) if due else None,
            "latest_return": latest_return,
            "decision": decision,
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
            "events": audit.events_of(assessment).select_related("actor")[:50],
            "city_names_shown": permissions.may_see_names_of_city(user),
        },
    )


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


@require_http_methods(["GET", "POST"])
def criterion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One of the six: each clause of the policy above its fields. Read-only for whoever may
    not write now; saving stores what is right and keeps on the page what is not."""
    assessment = readable_or_404(request, pk)
    sections = worksheet.load(assessment, number)
    if not sections:
        raise Http404
    section = sections[0]
    locked_reason = answering.why_not_editable(assessment, request.user, deadlines.now())
    remarks = worksheet.open_remarks(assessment)
    if request.method == "POST" and not permissions.may_fill_in(request.user, assessment):
        raise Http404
    sheet = AnswerSheet(
        section.lines,
        {line.indicator.pk: answering.entry_of(line.answer) for line in section.lines},
        data=request.POST if request.method == "POST" else None,
        writable=locked_reason is None,
        writable_indicators=set(remarks) if assessment.state == State.RETURNED else None,
        remarks=remarks,
    )
    if request.method == "POST":
        try:
            done = _save(request, assessment, section, sheet)
        except answering.NotEditable as error:
            locked_reason = f"没有保存：{error}您填写的内容还在下面，可以复制留存。"
            late = [upload for name in request.FILES for upload in request.FILES.getlist(name)]
            locked_reason += "".join(evidence.keep_for_later(assessment, late, request.user))
        else:
            if done:
                return done
            sections = worksheet.load(assessment, number)
            section = sections[0]
            sheet.refresh_lines(section.lines)
    return render(
        request,
        "assessments/self_assessments/criterion.html",
        {
            "assessment": assessment,
            "section": section,
            "sheet": sheet,
            "locked_reason": locked_reason,
            "page_view": "assessments:self_assessment_criterion",
            "page_pk": assessment.pk,
            "overview_url": assessment.get_absolute_url(),
            "numbers": range(1, 7),
            "next_number": number + 1 if number < 6 else None,
            "accepted": kinds.ACCEPTED,
            "accepted_extensions": kinds.ACCEPTED_ENDINGS,
            "quota": library.quota_of(assessment) if sheet.writable else None,
            "unfinished": list(incoming.unfinished(request.user, assessment))
            if sheet.writable
            else [],
            "result": worksheet.result_of([section], assessment.campaign).criteria[0],
        },
        status=409 if request.method == "POST" and locked_reason else 200,
    )


def _save(
    request: HttpRequest,
    assessment: SelfAssessment,
    section: worksheet.Section,
    sheet: AnswerSheet,
) -> HttpResponse | None:
    """Store answers and files; a redirect when all went well, None to show the page again.

    Raises answering.NotEditable.
    """
    writable = {row.indicator.code: row.indicator for row in sheet.rows if row.writable}
    saved = answering.save(assessment, sheet.changes, request.user)
    for indicator in writable.values():
        sheet.add_file_errors(indicator, _files(request, assessment, indicator))
    attachments.arrange(request, assessment, writable)
    fresh = worksheet.load(assessment, section.criterion.number)[0]
    sheet.settle(
        {line.indicator.pk: answering.entry_of(line.answer) for line in fresh.lines},
        saved.conflicts,
    )
    if not sheet.faulty_rows:
        messages.success(request, "已保存。")
        if "next" in request.POST and section.criterion.number < 6:
            return redirect(
                "assessments:self_assessment_criterion", assessment.pk, section.criterion.number + 1
            )
        if "next" in request.POST:
            return redirect(assessment)
        return redirect(
            "assessments:self_assessment_criterion", assessment.pk, section.criterion.number
        )
    return None


def _files(request: HttpRequest, assessment: SelfAssessment, indicator: Indicator) -> list[str]:
    """Attach the files sent for the indicator; a message for each that was refused."""
    name = f"{indicator.code}-files"
    refused = refused_while_arriving(request, name)
    uploads = request.FILES.getlist(name)
    if uploads:
        refused += evidence.attach(assessment, indicator, uploads, request.user)
    return refused
