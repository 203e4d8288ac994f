"""实施方案: the list of those that must file, writing one, and what becomes of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import deadlines, files, permissions, plans, urging
from assessments.assigning import NotAllowed
from assessments.choices import Matter, PlanAction
from assessments.exports import plans as exported
from assessments.forms.filters import counties_of
from assessments.forms.plans import PlanFilter, PlanForm, RemarksForm
from assessments.models import Campaign, ImplementationPlan, PlanVersion
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.evidence import file_response
from assessments.views.letters import as_pdf
from assessments.views.lists import CampaignListView, union_columns
from assessments.views.oversight import confirm_urging
from assessments.views.uploading import refused_while_arriving
from organizations.models import Organization
from organizations.views.lists import Column, query

_STAGES = dict(plans.STAGES)
_ACTIONS = {action.lower(): action for action in PlanAction}
_DONE = {
    PlanAction.FILE: _("已报送，可以打印回执。"),
    PlanAction.WITHDRAW: _("已撤回，修改后请重新报送。"),
    PlanAction.ACCEPT: _("已接收，并通知了工会。"),
    PlanAction.RETURN: _("已退回，并通知了工会。"),
}


class PlanList(CampaignListView):
    """Every union that must file, whether it has begun or not."""

    template_name = "assessments/plans/list.html"
    context_object_name = "organizations"
    title = _("实施方案")
    columns = (
        *union_columns(""),
        Column("state", _("状态"), lambda one: str(_STAGES[one.stage]), "stage", width=10),
        Column(
            "late",
            _("逾期"),
            lambda one: gettext("逾期") if one.is_late else "",
            "is_late",
            width=8,
        ),
        Column("number", _("回执编号"), lambda one: one.plan_number, "plan_number", numeric=True),
        Column("filed", _("报送时间"), lambda one: one.plan_filed_at, "plan_filed_at", width=20),
        Column("urged", _("催报"), lambda one: one.last_urged, "last_urged"),
    )

    def get_queryset(self) -> QuerySet[Organization]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = PlanFilter(self.request.GET, counties_of(self.request.user))
        self.now = deadlines.now()
        if self.campaign is None:
            return Organization.objects.none()
        self.rows = self.filter.apply(plans.rows(self.request.user, self.campaign, self.now))
        return self.filter.apply_state(self.rows).select_related("parent")

    def prepared(self, rows: list[Organization]) -> list[Organization]:
        for one in rows:
            one.is_mine = permissions.may_file_plan(self.request.user, one)
            one.stage_label = _STAGES[one.stage]
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.campaign is None:
            return context
        reason = urging.why_not(self.campaign, self.now, Matter.PLAN)
        return context | {
            "counts": plans.count(self.rows),
            "days_left": deadlines.days_left(self.campaign.plan_deadline, self.now),
            "can_urge": permissions.may_urge(self.request.user) and not reason,
            "editable": plans.EDITABLE,
        }


@require_http_methods(["GET", "POST"])
def urge(request: HttpRequest) -> HttpResponse:
    """催报 of everything that the filter of the address leaves, or of one union (?one=)."""
    campaign, _ = chosen_campaign(request)
    if campaign is None or not permissions.may_urge(request.user):
        raise Http404
    filter_ = PlanFilter(request.GET, counties_of(request.user))
    rows = filter_.apply_state(filter_.apply(plans.rows(request.user, campaign, deadlines.now())))
    back = f"{reverse('assessments:plan_list')}?{query(request, year=str(campaign.year), one='')}"
    return confirm_urging(request, campaign, rows, Matter.PLAN, back)


def _shown_or_404(request: HttpRequest, pk: int) -> tuple[ImplementationPlan, list[PlanVersion]]:
    """The plan with what the user may read of it, the newest version first."""
    plan = get_object_or_404(plans.visible_to(request.user), pk=pk)
    versions = list(plans.versions_for(request.user, plan))
    if not versions:
        raise Http404
    return plan, versions


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    plan, versions = _shown_or_404(request, pk)
    return _page(request, plan, versions, RemarksForm())


def _page(
    request: HttpRequest,
    plan: ImplementationPlan,
    versions: list[PlanVersion],
    form: RemarksForm,
    problem: str = "",
) -> HttpResponse:
    actions = plans.available(plan, request.user)
    return render(
        request,
        "assessments/plans/detail.html",
        {
            "plan": plan,
            "version": versions[0],
            "earlier": versions[1:],
            "actions": {action.name for action in actions},
            "may_edit": PlanAction.FILE in actions,
            "names_shown": permissions.may_see_names_of_city(request.user),
            "form": form,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """A step of the table: 404 for whom it is not, and said on the page where it came too late."""
    chosen = _ACTIONS.get(action)
    plan, versions = _shown_or_404(request, pk)
    row = next((one for one in plans.TABLE if one.action == chosen), None)
    if row is None or not row.may(request.user, plan.organization):
        raise Http404
    form = RemarksForm(request.POST if chosen == PlanAction.RETURN else None)
    if form.is_bound and not form.is_valid():
        return _page(request, plan, versions, form)
    remarks = form.cleaned_data["remarks"] if form.is_bound else ""
    seen = number_or_zero(request.POST.get("seen"))
    try:
        plans.perform(plan, chosen, by=request.user, seen=seen, remarks=remarks)
    except NotAllowed as error:
        plan, versions = _shown_or_404(request, pk)
        return _page(request, plan, versions, form, str(error))
    messages.success(request, _DONE[chosen])
    return redirect(plan)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, year: int, pk: int) -> HttpResponse:
    """Write or upload the own plan; file it from here."""
    campaign = get_object_or_404(Campaign.objects.opened(), year=year)
    union = get_object_or_404(Organization.objects.active(), pk=pk)
    if not permissions.may_file_plan(request.user, union):
        raise Http404
    plan, version = _own(campaign, union)
    if request.method == "GET" and plan and plan.state not in plans.EDITABLE:
        return redirect(plan)
    posted = request.method == "POST"
    form = PlanForm(
        plans.outline(campaign, union),
        version,
        *((request.POST, request.FILES) if posted else ()),
        filing=request.POST.get("then") == "file",
    )
    stale = refused = False
    if posted:
        for message in refused_while_arriving(request, "upload"):
            form.add_error("upload", message)
        try:
            if form.is_valid():
                return _keep(request, campaign, union, form)
        except files.EvidenceRefused as error:
            form.add_error("upload", str(error))
        except NotAllowed as error:
            stale, refused = isinstance(error, plans.Stale), True
            form.add_error(None, str(error))
            plan, version = _own(campaign, union)
    return render(
        request,
        "assessments/plans/edit.html",
        {
            "campaign": campaign,
            "union": union,
            "plan": plan,
            "version": version,
            "form": form,
            "theirs": version if stale else None,
            "days_left": deadlines.days_left(campaign.plan_deadline, deadlines.now()),
            "remarks": plan.versions.exclude(remarks="").last() if plan else None,
            # Whoever has been shown what another wrote may put their own in its place.
            "seen": plan.stamp if plan and (refused or not posted) else request.POST.get("seen", 0),
        },
        status=409 if refused else 200,
    )


def _own(
    campaign: Campaign, union: Organization
) -> tuple[ImplementationPlan | None, PlanVersion | None]:
    """The union's plan and the version that is being written, if it has begun."""
    plan = ImplementationPlan.objects.filter(campaign=campaign, organization=union).first()
    return plan, plan.versions.select_related("stored_file").last() if plan else None


def _keep(
    request: HttpRequest, campaign: Campaign, union: Organization, form: PlanForm
) -> HttpResponse:
    seen = number_or_zero(request.POST.get("seen"))
    plan = plans.save(campaign, union, form.content, by=request.user, seen=seen)
    if form.filing:
        plans.perform(plan, PlanAction.FILE, by=request.user, seen=plan.stamp)
    messages.success(
        request, _DONE[PlanAction.FILE] if form.filing else gettext("已保存，还没有报送。")
    )
    return redirect(plan)


@require_safe
def file(request: HttpRequest, pk: int) -> FileResponse:
    """The file of a version, for whoever may read it."""
    found = get_object_or_404(PlanVersion.objects.exclude(stored_file=None), pk=pk)
    _, versions = _shown_or_404(request, found.plan_id)
    version = next((one for one in versions if one.pk == found.pk), None)
    if version is None:
        raise Http404
    return file_response(version, as_attachment=True)


@require_safe
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """回执, once the plan has been filed."""
    plan, versions = _shown_or_404(request, pk)
    filed = next((one for one in versions if one.filed_at), None)
    if filed is None:
        raise Http404
    name = f"{plan.organization} 实施方案报送回执"
    return as_pdf(request, lambda: exported.receipt(plan, filed), name, plan)
