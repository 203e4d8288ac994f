"""The actions of the workflow, each confirmed on a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from assessments import permissions, workflow, worksheet
from assessments.choices import Action, State
from assessments.forms.actions import ActionForm, ReturnForm
from assessments.models import SelfAssessment
from assessments.views.access import assessment_or_404, readable_or_404

_DONE = {
    Action.SUBMIT: _("已签批提交。"),
    Action.WITHDRAW: _("已撤回，可以继续修改。"),
    Action.WITHDRAW_ENDORSEMENT: _("已撤回初审，可以重新初审或退回。"),
    Action.RETURN: _("已退回，申报工会可以按要求修改。"),
    Action.RESUME: _("已按原提交继续办理。"),
    Action.BEGIN_REVIEW: _("已受理，可以评分。"),
    Action.COMPLETE_REVIEW: _("评审已完成。"),
    Action.REOPEN_REVIEW: _("已退回评审员。"),
    Action.DECIDE: _("评定结果已保存。"),
    Action.REOPEN_DECISION: _("评定已撤销。"),
    Action.PUBLISH: _("已进入公示。"),
    Action.WITHDRAW_PUBLICATION: _("已撤下公示。"),
    Action.ACCEPT_APPEAL: _("已记录，申报回到评审中。"),
    Action.FINALISE: _("评定结果已生效。"),
}


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Say what the action means, what stands in its way, and run it on confirmation."""
    assessment = assessment_or_404(request, pk)
    try:
        chosen = Action(action.upper().replace("-", "_"))
    except ValueError:
        raise Http404 from None
    if chosen in (Action.RETURN, Action.SUBMIT_ON_PAPER) or not _may_ever(
        request, assessment, chosen
    ):
        raise Http404
    form = ActionForm(chosen, request.POST if request.method == "POST" else None, request=request)
    problems: tuple[workflow.Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            workflow.perform(
                assessment,
                chosen,
                by=request.user,
                seen=request.POST.get("seen", ""),
                **form.details,
            )
        except workflow.TransitionRefused as error:
            problems = error.problems
        else:
            messages.success(request, _DONE[chosen])
            if chosen == Action.COMPLETE_REVIEW:
                return redirect("assessments:review_list")
            return redirect(assessment)
    if request.method == "POST":
        assessment.refresh_from_db(fields=["state", "revision"])
    found = workflow.look(assessment, request.user)
    if chosen == Action.SUBMIT and not problems:
        problems = tuple(workflow.problems(found, chosen))
    return render(
        request,
        "assessments/actions/act.html",
        {
            "seen": workflow.stamp(found, chosen),
            "assessment": assessment,
            "action": chosen,
            "form": form,
            "problems": problems,
            "wrong_state": chosen not in workflow.available(assessment, request.user),
            **_summary(found, chosen),
        },
        status=409 if problems and request.method == "POST" else 200,
    )


def _may_ever(request: HttpRequest, assessment: SelfAssessment, action: Action) -> bool:
    """Whether the action belongs to the user in some state: others get a 404. In the wrong
    state the page says so instead."""
    return any(
        transition.action == action and transition.may(request.user, assessment)
        for transition in workflow.TRANSITIONS
    )


def _summary(found: workflow.Context, action: Action) -> dict[str, Any]:
    """What the user should see before confirming."""
    assessment = found.assessment
    if action not in (Action.SUBMIT, Action.DECIDE):
        return {}
    titles = [section.criterion.title for section in found.sections]
    if action == Action.SUBMIT and assessment.is_editable_state:
        result = worksheet.result_of(found.sections, assessment.campaign)
        return {
            "result": result,
            "own_rows": list(zip(titles, result.criteria, strict=True)),
            "warning_count": sum(len(section.warnings) for section in found.sections),
        }
    if action == Action.DECIDE and assessment.state == State.REVIEWED:
        own = worksheet.result_of(found.sections, assessment.campaign)
        return {
            "verdict": found.verdict,
            "rows": list(
                zip(
                    titles,
                    own.criteria,
                    found.verdict.result.criteria,
                    strict=False,
                )
            ),
            "own_total": own.total,
        }
    return {}


@require_http_methods(["GET", "POST"])
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """退回修改: what is wanting, indicator by indicator; what was typed stays on refusal."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_return_submitted(request.user, assessment):
        raise Http404
    wrong_state = Action.RETURN not in workflow.available(assessment, request.user)
    if request.method == "GET" and not wrong_state:
        assessment = readable_or_404(request, pk)
    sections = worksheet.load(assessment)
    indicators = [line.indicator for section in sections for line in section.lines]
    data = request.POST if request.method == "POST" else None
    form = ReturnForm(indicators, assessment.campaign, data)
    problems: tuple[workflow.Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            workflow.perform(
                assessment,
                Action.RETURN,
                by=request.user,
                seen=request.POST.get("seen", ""),
                reason=form.cleaned_data["reason"],
                due_on=form.cleaned_data["due_on"],
                remarks=form.remarks,
            )
        except workflow.TransitionRefused as error:
            problems = error.problems
        else:
            messages.success(request, _DONE[Action.RETURN])
            return redirect(assessment)
    return render(
        request,
        "assessments/actions/return.html",
        {
            "assessment": assessment,
            "form": form,
            "sections": [
                (
                    section.criterion,
                    [(line, form[line.indicator.code]) for line in section.lines],
                )
                for section in sections
            ],
            "problems": problems,
            "seen": workflow.stamp(workflow.look(assessment, request.user), Action.RETURN),
            "wrong_state": wrong_state,
            "readable": permissions.may_read_content(request.user, assessment),
        },
        status=409 if problems else 200,
    )
