"""延期: a union asks for more time, the city's administrator answers."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from assessments import deadlines, extensions, permissions
from assessments.forms.extensions import AnswerForm, AskForm
from assessments.models import Campaign, ExtensionRequest
from organizations.models import Organization


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, year: int, pk: int) -> HttpResponse:
    """A union's request for the campaign of that year, and what became of the last one."""
    campaign = get_object_or_404(Campaign.objects.opened(), year=year)
    organization = get_object_or_404(Organization.objects.visible_to(request.user), pk=pk)
    if not permissions.may_start(request.user, organization):
        raise Http404
    form = AskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            extensions.ask(campaign, organization, by=request.user, **form.cleaned_data)
        except extensions.NotPossible as error:
            form.refuse(error)
        else:
            messages.success(
                request, gettext("已提交延期申请，请等待市总工会答复。结果会显示在工作台上。")
            )
            return redirect("assessments:workbench")
    return render(
        request,
        "assessments/extensions/ask.html",
        {
            "campaign": campaign,
            "organization": organization,
            "form": form,
            "due": extensions.due_of(campaign, organization),
            "latest": extensions.latest_request(campaign, organization),
        },
        status=409 if form.errors else 200,
    )


@require_safe
def pending(request: HttpRequest) -> HttpResponse:
    """What waits for an answer, the oldest first; a hundred at a time are more than enough."""
    if not permissions.may_grant_extension(request.user):
        raise Http404
    return render(
        request,
        "assessments/extensions/pending.html",
        {"requests": extensions.pending()[:100], "today": deadlines.local_day(deadlines.now())},
    )


@require_http_methods(["GET", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant one request, or refuse it with a reason."""
    if not permissions.may_grant_extension(request.user):
        raise Http404
    asked = get_object_or_404(
        ExtensionRequest.objects.select_related("campaign", "organization__parent", "asked_by"),
        pk=pk,
    )
    if not permissions.may_grant_extension(request.user, asked.organization):
        raise Http404
    form = AnswerForm(
        request.POST if request.method == "POST" else None, initial={"until": asked.until}
    )
    if request.method == "POST" and form.is_valid():
        granted = "grant" in request.POST
        try:
            extensions.answer(asked, granted=granted, by=request.user, **form.cleaned_data)
        except extensions.NotPossible as error:
            form.refuse(error)
        else:
            messages.success(
                request, gettext("已同意延期。") if granted else gettext("已答复，没有同意延期。")
            )
            return redirect("assessments:extension_list")
    return render(
        request,
        "assessments/extensions/answer.html",
        {
            "asked": asked,
            "form": form,
            "due": extensions.due_of(asked.campaign, asked.organization),
        },
        status=409 if form.errors else 200,
    )
