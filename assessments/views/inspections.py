"""现场核查: drawing, arranging, writing on site, closing, and making scores count."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import (
    assigning,
    audiences,
    inspected,
    inspecting,
    lots,
    permissions,
    worksheet,
)
from assessments.choices import State
from assessments.drawing import Stratum
from assessments.files import EvidenceRefused
from assessments.forms.filters import counties_of
from assessments.forms.inspections import (
    CloseForm,
    DrawForm,
    FindingsForm,
    InspectionFilter,
    ReasonForm,
    ScheduleForm,
)
from assessments.models import FindingPhoto, Inspection, InspectionDraw, SelfAssessment
from assessments.views.access import assessment_or_404, chosen_campaign
from assessments.views.lists import CampaignListView, union_columns
from organizations.views.lists import Column

#: Photos that one request may bring.
_AT_ONCE = 20


class InspectionList(CampaignListView):
    """All checks of a campaign for the lead; for a reviewer those on which they go."""

    template_name = "assessments/inspections/list.html"
    context_object_name = "inspections"
    title = _("现场核查")
    columns = (
        *union_columns("self_assessment.organization"),
        Column("state", _("状态"), lambda one: one.get_state_display(), "state", width=10),
        Column("planned", _("计划日期"), lambda one: one.planned_on, "planned_on"),
        Column(
            "inspectors",
            _("核查人员"),
            lambda one: gettext("、").join(map(str, one.inspectors.all())),
        ),
    )

    def get_queryset(self) -> QuerySet[Inspection]:
        user = self.request.user
        if not permissions.may_go_and_see(user):
            raise Http404
        self.campaign, self.campaigns = chosen_campaign(self.request)
        people = inspected.inspectors()
        self.filter = InspectionFilter(self.request.GET, counties_of(user), people)
        rows = inspected.visible_to(user)
        if not permissions.may_lead(user):
            rows = rows.filter(inspectors=user)
        rows = (
            rows.filter(self_assessment__campaign=self.campaign)
            .select_related("self_assessment__organization__parent", "self_assessment__rubric")
            .prefetch_related("inspectors")
            .order_by("state", "planned_on", "self_assessment__place")
        )
        return self.filter.narrow(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        may_lead = permissions.may_lead(self.request.user)
        draws = InspectionDraw.objects.filter(campaign=self.campaign) if may_lead else []
        return context | {"may_lead": may_lead, "draws": draws[:10]}


@require_http_methods(["GET", "POST"])
def draw(request: HttpRequest) -> HttpResponse:
    """抽查: what the seed would draw; then exactly that."""
    if not permissions.may_lead(request.user):
        raise Http404
    campaign, _ = chosen_campaign(request)
    if campaign is None:
        raise Http404
    form = DrawForm(request.POST if request.method == "POST" else request.GET)
    draft, problem = None, ""
    if form.is_bound and form.is_valid():
        seed = form.cleaned_data["seed"]
        if request.method == "POST":
            try:
                made = lots.draw(
                    campaign,
                    form.quotas,
                    seed,
                    request.user,
                    seen=request.POST.get("digest", ""),
                )
            except inspecting.NotAllowed as error:
                problem = str(error)
            else:
                messages.success(
                    request,
                    gettext("已抽取 {number} 个工会。").format(number=made.inspections.count()),
                )
                return redirect(made)
        draft = lots.prepare(campaign, form.quotas, seed, request.user)
    return render(
        request,
        "assessments/inspections/draw.html",
        {
            "campaign": campaign,
            "form": form,
            "draft": draft,
            "rows": lots.shown(draft.strata) if draft else [],
            "problem": problem,
        },
        status=409 if problem else 200,
    )


@require_safe
def draw_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One draw: the seed, the lot, and whether the seed still gives it."""
    if not permissions.may_lead(request.user):
        raise Http404
    found = get_object_or_404(InspectionDraw.objects.select_related("campaign", "by"), pk=pk)
    rows = inspected.visible_to(request.user).filter(draw=found)
    rows = rows.select_related("self_assessment__organization__parent", "self_assessment__rubric")
    rows = rows.order_by("self_assessment__rubric__tier", "self_assessment__place")
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    strata = [Stratum(name, tuple(keys), wanted) for name, keys, wanted in found.strata]
    return render(
        request,
        "assessments/inspections/draw_detail.html",
        {
            "draw": found,
            "page_obj": page,
            "paginator": page.paginator,
            "rows": lots.shown(strata),
            "replayed": lots.replay(found) if "replay" in request.GET else None,
        },
    )


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """列入现场核查, by hand and for a reason."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_lead(request.user, assessment):
        raise Http404
    form = ReasonForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            inspection = inspecting.add(assessment, form.cleaned_data["reason"], request.user)
        except inspecting.NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("已列入现场核查。"))
            return redirect(inspection)
    return render(
        request, "assessments/inspections/add.html", {"assessment": assessment, "form": form}
    )


def inspection_or_404(request: HttpRequest, pk: int) -> Inspection:
    return get_object_or_404(
        inspected.visible_to(request.user).select_related(
            "self_assessment__organization__parent",
            "self_assessment__campaign",
            "self_assessment__rubric",
            "draw",
        ),
        pk=pk,
    )


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One check: who goes when, what was found, closing, cancelling, and making scores count."""
    inspection = inspection_or_404(request, pk)
    assessment = inspection.self_assessment
    may_lead = permissions.may_lead(request.user, assessment)
    asked = request.POST.get("act", "")
    may_write = inspecting.may_write(request.user, inspection)
    inspectors = list(inspection.inspectors.all())
    forms = {
        "schedule": ScheduleForm(
            _sent(request) if asked == "schedule" else None,
            people=audiences.without_conflict(assigning.reviewers(), assessment.organization),
            initial={
                "inspectors": [one.pk for one in inspectors],
                "planned_on": inspection.planned_on,
                "announced": inspection.announced,
                "seen": inspecting.plan_stamp(inspection),
            },
        ),
        "close": CloseForm(
            _sent(request) if asked == "close" else None,
            initial={"visited_on": inspection.planned_on},
        ),
        "cancel": ReasonForm(_sent(request) if asked == "cancel" else None, prefix="cancel"),
    }
    problem = ""
    if request.method == "POST":
        form = forms.get(asked)
        if form is None and asked != "apply":
            raise Http404
        if form is None or form.is_valid():
            try:
                told = _act(asked, inspection, form.cleaned_data if form else {}, request.user)
            except inspecting.NotAllowed as error:
                problem = str(error)
                if asked == "schedule":
                    form.rest_on(inspecting.plan_stamp(inspection))
            else:
                messages.success(request, told)
                return redirect(inspection)
    sections = worksheet.outline(assessment.rubric_id)
    findings = list(inspection.findings.select_related("indicator__criterion"))
    waiting = [one for one in findings if one.points is not None and not one.applied_at]
    asks = may_lead and waiting
    changed = inspecting.changed_since(inspection, assessment) if asks else set()
    return render(
        request,
        "assessments/inspections/detail.html",
        {
            "inspection": inspection,
            "assessment": assessment,
            "may_lead": may_lead,
            "may_write": may_write and inspection.is_open,
            "may_open_sheet": may_write,
            "submission_shown": SelfAssessment.objects.visible_to(request.user)
            .filter(pk=assessment.pk)
            .exists(),
            "of_city": permissions.may_see_names_of_city(request.user),
            "inspectors": inspectors,
            "forms": forms,
            "criteria": [criterion for criterion, _ in sections],
            "findings": findings,
            "photos": inspection.photos.select_related("stored_file", "indicator"),
            "waiting": [one for one in waiting if one.indicator.code not in changed],
            "lapsed": [one for one in waiting if one.indicator.code in changed],
            "problem": problem,
            "outdated": inspection.revision != assessment.revision,
        },
        status=409 if problem else 200,
    )


def _act(asked: str, inspection: Inspection, values: dict[str, Any], user: Any) -> str:
    if asked == "schedule":
        inspecting.schedule(inspection, by=user, **values)
        return gettext("已安排，核查人员会收到消息。")
    if asked == "close":
        inspecting.complete(inspection, by=user, **values)
        return gettext("现场核查已办结。")
    if asked == "cancel":
        inspecting.cancel(inspection, values["reason"], user)
        return gettext("已取消这次现场核查。")
    done = inspecting.apply_scores(inspection, user)
    return gettext("已按现场核查调整 {number} 项得分。").format(number=done)


@require_http_methods(["GET", "POST"])
def criterion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """On site, on a phone: one criterion, each indicator with what the union says, a verdict, what
    was seen, and photos."""
    inspection = inspection_or_404(request, pk)
    assessment = inspection.self_assessment
    section = inspected.section(inspection, number)
    if section is None or not inspecting.may_write(request.user, inspection):
        raise Http404
    lines = section.lines
    stored = {
        one.indicator_id: one for one in inspection.findings.select_related("saved_by", "indicator")
    }
    form = FindingsForm([line.indicator for line in lines], stored, _sent(request))
    conflicts: dict[int, Any] = {}
    problem = ""
    if request.method == "POST":
        valid = form.is_valid()
        try:
            conflicts = inspecting.save(inspection, form.entries(), request.user)
        except inspecting.NotAllowed as error:
            problem = gettext("没有保存：{reason}您填写的内容还在下面。").format(reason=error)
        else:
            refused = _add_photos(request, inspection, lines)
            if valid and not conflicts and not refused:
                messages.success(request, gettext("已保存。"))
                return redirect("assessments:inspection_criterion", inspection.pk, number)
            problem = gettext("；").join(refused) or gettext(
                "有的内容没有保存，请看下面的提示；其余的已经保存。"
            )
    photos: dict[int, list[FindingPhoto]] = {}
    for photo in inspection.photos.select_related("stored_file"):
        photos.setdefault(photo.indicator_id, []).append(photo)
    return render(
        request,
        "assessments/inspections/criterion.html",
        {
            "inspection": inspection,
            "assessment": assessment,
            "section": section,
            "numbers": range(1, 7),
            "rows": [
                {
                    "line": line,
                    "indicator": line.indicator,
                    "fields": list(form.fields_of(line.indicator)),
                    "controls": form.controls_of(line),
                    "seen": form.seen(line.indicator),
                    "conflict": conflicts.get(line.indicator.pk),
                    "stamp": inspecting.stamp(conflicts.get(line.indicator.pk)),
                    "photos": photos.get(line.indicator.pk, []),
                    "finding": stored.get(line.indicator.pk),
                }
                for line in lines
            ],
            "writable": inspection.is_open,
            "taken_back": assessment.state == State.DRAFT,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


def _add_photos(request: HttpRequest, inspection: Inspection, lines: Any) -> list[str]:
    """Take the photos that came along; what was refused, in words."""
    refused: list[str] = []
    for line in lines:
        for upload in request.FILES.getlist(f"{line.indicator.code}-photos")[:_AT_ONCE]:
            try:
                inspecting.add_photo(inspection, line.indicator, upload, request.user)
            except (EvidenceRefused, inspecting.NotAllowed) as error:
                refused.append(str(error))
    return refused


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None
