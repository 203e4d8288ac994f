"""代填: filling in for a union below, ending it, and handing in what was signed on paper."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from assessments import answering, permissions, proxies, workflow, worksheet
from assessments.choices import Action
from assessments.files import EvidenceRefused
from assessments.forms.paper import PaperSubmissionForm, ProxyForm
from assessments.models import Campaign
from assessments.views.access import assessment_or_404
from assessments.workflow import guards
from organizations.models import Organization


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, year: int, pk: int) -> HttpResponse:
    """代填: say why, and begin."""
    campaign = get_object_or_404(Campaign.objects.opened(), year=year)
    organization = get_object_or_404(Organization.objects.visible_to(request.user), pk=pk)
    proxy = permissions.proxy_for(request.user, organization)
    if proxy is None:
        raise Http404
    form = ProxyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            assessment = proxies.begin(campaign, organization, reason, request.user)
        except answering.NotEditable as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("可以代填了。填好之后，由该工会负责人签批提交。"))
            return redirect(assessment)
    return render(
        request,
        "assessments/proxies/begin.html",
        {"campaign": campaign, "organization": organization, "proxy": proxy, "form": form},
        status=409 if form.non_field_errors() else 200,
    )


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """结束代填, by either side."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_end_proxy(request.user, assessment):
        raise Http404
    try:
        ended = proxies.end(assessment, request.user)
    except answering.NotEditable as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, gettext("代填已经结束。") if ended else gettext("代填此前已经结束。")
        )
    return redirect(assessment)


@require_http_methods(["GET", "POST"])
def submit_on_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """凭盖章纸质表代为提交: the scan, who signed, and one's own password."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_submit_on_paper(request.user, assessment):
        raise Http404
    action = Action.SUBMIT_ON_PAPER
    data, uploads = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = PaperSubmissionForm(data, uploads, request=request)
    problems: tuple[workflow.Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            workflow.perform(
                assessment,
                action,
                by=request.user,
                seen=request.POST.get("seen", ""),
                signatory=cleaned["signatory"],
                scan=proxies.store_scan(assessment, cleaned["scan"], request.user),
            )
        except EvidenceRefused as error:
            form.add_error("scan", str(error))
        except workflow.TransitionRefused as error:
            problems = error.problems
        else:
            messages.success(request, gettext("已凭盖章的纸质表代为提交。"))
            return redirect(assessment)
    if request.method == "POST":
        assessment.refresh_from_db(fields=["state", "revision"])
    found = workflow.look(assessment, request.user)
    wrong_state = action not in workflow.available(assessment, request.user)
    if not problems and not wrong_state:
        asked_here = guards.is_signed_on_paper(found)
        problems = tuple(p for p in workflow.problems(found, action) if p not in asked_here)
    result = worksheet.result_of(found.sections, assessment.campaign)
    return render(
        request,
        "assessments/proxies/submit.html",
        {
            "assessment": assessment,
            "form": form,
            "problems": problems,
            "wrong_state": wrong_state,
            "result": result,
            "seen": workflow.stamp(found, action),
        },
        status=409 if request.method == "POST" and problems else 200,
    )
