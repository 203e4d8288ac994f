"""异议 and 申诉: the city's desk, and the union's own appeal."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import appeals, deadlines, permissions, publicity
from assessments.assigning import NotAllowed
from assessments.choices import AppealKind, AppealState, State
from assessments.files import EvidenceRefused
from assessments.forms.filters import counties_of
from assessments.forms.publicity import AnswerForm, AppealFilter, AppealForm, AssignForm
from assessments.models import Appeal
from assessments.views.access import assessment_or_404, chosen_campaign
from assessments.views.lists import LeadListView, union_columns
from organizations.views.lists import Column

_UNION = "result.self_assessment.organization"


class AppealList(LeadListView):
    """What was put forward about the results of a campaign. No name or contact of the public."""

    template_name = "assessments/publicity/appeals.html"
    context_object_name = "appeals"
    title = _("异议和申诉")
    columns = (
        *union_columns(_UNION),
        Column("number", _("登记号"), str, "pk", width=12),
        Column("kind", _("类别"), lambda one: one.get_kind_display(), "kind", width=10),
        Column("filed", _("提出时间"), lambda one: one.filed_at, "filed_at", width=18),
        Column("state", _("办理情况"), lambda one: one.get_state_display(), "state", width=10),
        Column(
            "handler", _("承办人"), lambda one: str(one.assigned_to or ""), "assigned_to__full_name"
        ),
    )

    def get_queryset(self) -> QuerySet[Appeal]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = AppealFilter(self.request.GET, counties_of(self.request.user))
        rows = (
            Appeal.objects.visible_to(self.request.user)
            .filter(period__campaign=self.campaign)
            .select_related(
                "period__campaign", "result__self_assessment__organization__parent", "assigned_to"
            )
        )
        for name in ("kind", "state"):
            if chosen := self.filter.value(name):
                rows = rows.filter(**{name: chosen})
        return self.filter.apply(rows, organization="result__self_assessment__organization__")


def _appeal_or_404(request: HttpRequest, pk: int) -> Appeal:
    """For those who may handle it."""
    rows = Appeal.objects.visible_to(request.user).select_related(
        "period__campaign",
        "result__self_assessment__organization",
        "stored_file",
        "assigned_to",
        "answered_by",
    )
    found = get_object_or_404(rows, pk=pk)
    if not permissions.may_lead(request.user, found.result.self_assessment):
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: who handles it, and the answer."""
    found = _appeal_or_404(request, pk)
    asked = request.POST.get("act", "")
    assigning = AssignForm(found, request.POST if asked == "assign" else None)
    answering = AnswerForm(found, request.POST if asked == "answer" else None)
    problem = ""
    if request.method == "POST":
        try:
            if asked == "assign" and assigning.is_valid():
                appeals.assign(found, assigning.cleaned_data["to"], request.user)
                messages.success(request, gettext("已确定承办人。"))
                return redirect(found)
            if asked == "answer" and answering.is_valid():
                outcome = AppealState(answering.cleaned_data["outcome"])
                appeals.answer(found, outcome, answering.cleaned_data["text"], request.user)
                messages.success(request, gettext("已答复。"))
                return redirect(found)
        except NotAllowed as error:
            problem = str(error)
            found = _appeal_or_404(request, pk)
    return render(
        request,
        "assessments/publicity/appeal.html",
        {
            "appeal": found,
            "assigning": assigning,
            "answering": answering if found.assigned_to_id == request.user.pk else None,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


@require_safe
def attachment(request: HttpRequest, pk: int) -> FileResponse:
    """What came along, to be saved: never shown in the portal."""
    found = _appeal_or_404(request, pk)
    if found.stored_file is None or found.stored_file.is_quarantined:
        raise Http404
    try:
        content = default_storage.open(found.stored_file.file.name, "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(content, as_attachment=True, filename=found.file_name)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_http_methods(["GET", "POST"])
def of_union(request: HttpRequest, pk: int) -> HttpResponse:
    """申诉 of the union's head against its own published result."""
    assessment = assessment_or_404(request, pk)
    result = publicity.result_of(assessment)
    if not permissions.may_appeal(request.user, assessment) or result is None:
        raise Http404
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form = AppealForm(*data)
    status = 200
    if data and form.is_valid():
        values = form.values | {"name": str(request.user)}
        upload = form.cleaned_data["attachment"]
        try:
            appeal = appeals.file(result, AppealKind.APPEAL, values, upload, request.user)
        except EvidenceRefused as error:
            form.add_error("attachment", str(error))
        except NotAllowed as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(
                request, gettext("申诉已登记，登记号 {number}。").format(number=appeal)
            )
            return redirect(assessment)
    closed = assessment.state != State.PUBLISHED or result.period.is_over(deadlines.now())
    return render(
        request,
        "assessments/publicity/union_appeal.html",
        {
            "assessment": assessment,
            "period": result.period,
            "form": form,
            "closed": closed,
            "earlier": result.appeals.filter(kind=AppealKind.APPEAL).select_related(
                "period__campaign"
            ),
        },
        status=status,
    )
