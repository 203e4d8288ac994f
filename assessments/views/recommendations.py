"""推荐表彰: the desk of the list, its places and goals, and the package of each union."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import packages, permissions, recognition, recommending
from assessments.assigning import NotAllowed
from assessments.exports import recommendations as exported
from assessments.exports import word
from assessments.files import EvidenceRefused
from assessments.forms.decisions import ConfirmationForm
from assessments.forms.filters import counties_of
from assessments.forms.recommendations import (
    GoalsForm,
    PackageForm,
    QuotaForm,
    ReasonForm,
    RecommendationFilter,
)
from assessments.models import (
    Campaign,
    Decision,
    Recommendation,
    RecommendationList,
    SelfAssessment,
)
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.lists import LeadListView, union_columns
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization
from organizations.views.lists import PAGE_SIZES, Column

_UNION = union_columns("self_assessment.organization")
#: Of the list that is to be confirmed; the rest is a click away.
_MOST_SHOWN = 200


class RecommendationDesk(LeadListView):
    """Every union at standard, whether it is on the list, and why."""

    template_name = "assessments/recommendations/list.html"
    context_object_name = "lines"
    title = _("推荐表彰")
    columns = (
        *_UNION,
        Column("rank", _("名次"), lambda line: line.rank, "rank", numeric=True, width=8),
        Column("total", _("总分"), lambda line: line.total, "total", numeric=True),
        Column("goals", _("目标完成率（%）"), lambda line: line.goals, "goals", numeric=True),
        Column(
            "listed",
            _("推荐"),
            lambda line: gettext("推荐") if line.listed else "",
            "listed",
            width=8,
        ),
        Column("why", _("依据或原因"), lambda line: line.why, width=40),
        Column("missing", _("材料缺项"), lambda line: line.wanting, width=10, numeric=True),
    )

    def get_queryset(self) -> QuerySet[Recommendation]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = RecommendationFilter(self.request.GET, counties_of(self.request.user))
        rows = recommending.visible_to(self.request.user).filter(list__campaign=self.campaign)
        rows = self.filter.apply(rows, organization="self_assessment__organization__")
        if listed := self.filter.value("listed"):
            rows = rows.filter(listed=listed == "yes")
        rows = rows.select_related("self_assessment__organization__parent")
        return packages.with_packages(rows)

    def prepared(self, rows: list[Recommendation]) -> list[Recommendation]:
        for line in rows:
            line.wanting = packages.missing(line) if line.listed else None
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        made = _lists().filter(campaign=self.campaign).first()
        if made is None:
            return context
        return context | {
            "made": made,
            "obstacles": recommending.obstacles(made, self.request.user),
        }


def _lists() -> QuerySet[RecommendationList]:
    """With `listed`, how many unions are on each."""
    number = Count("lines", filter=Q(lines__listed=True))
    rows = RecommendationList.objects.select_related("campaign", "first_by", "second_by")
    return rows.annotate(listed=number)


def _list_or_404(request: HttpRequest, year: int) -> RecommendationList:
    if not permissions.may_lead(request.user):
        raise Http404
    return get_object_or_404(_lists(), campaign__year=year)


@require_http_methods(["GET", "POST"])
def draw(request: HttpRequest, year: int) -> HttpResponse:
    """生成名单: the places by tier and county, and the list by the rule."""
    if not permissions.may_lead(request.user):
        raise Http404
    campaign = get_object_or_404(Campaign, year=year)
    made = _lists().filter(campaign=campaign).first()
    places = Organization.objects.active().filter(tier__in=[Tier.CITY, Tier.COUNTY, Tier.INDUSTRY])
    form = QuotaForm(
        list(places.order_by("code")),
        request.POST if request.method == "POST" else None,
        initial=QuotaForm.initial_of(made),
    )
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            made = recommending.draw_up(
                campaign, form.places, form.cleaned_data["least_goals"], request.user
            )
        except NotAllowed as error:
            problem = str(error)
        else:
            listed = made.lines.filter(listed=True).count()
            messages.success(
                request, gettext("已按规则生成名单，列入 {listed} 个工会。").format(listed=listed)
            )
            return redirect(made)
    return render(
        request,
        "assessments/recommendations/draw.html",
        {
            "campaign": campaign,
            "made": made,
            "form": form,
            "tiers": [tier.label for tier in ASSESSED_TIERS],
            "problem": problem,
        },
        status=409 if problem else 200,
    )


class GoalList(LeadListView):
    """年度工作目标完成率 of the unions at standard, entered on the page."""

    template_name = "assessments/recommendations/goals.html"
    context_object_name = "decisions"
    title = _("年度工作目标完成率")
    columns = (
        *_UNION,
        Column("total", _("总分"), lambda one: one.total, "total", numeric=True),
        Column("goals", _("完成率（%）"), lambda one: one.goals, "goals", numeric=True),
    )
    form: GoalsForm | None = None

    def get_queryset(self) -> QuerySet[Decision]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = RecommendationFilter(self.request.GET, counties_of(self.request.user))
        del self.filter.fields["listed"]
        rows = recognition.final_at_standard(self.campaign).filter(
            self_assessment__in=SelfAssessment.objects.visible_to(self.request.user)
        )
        rows = self.filter.apply(rows, organization="self_assessment__organization__")
        return (
            recommending.with_goals(rows)
            .select_related("self_assessment__organization__parent")
            .order_by("self_assessment__rubric__tier", "-total", "pk")
        )

    def prepared(self, rows: list[Decision]) -> list[Decision]:
        unions = {one.self_assessment.organization_id: one for one in rows}
        if self.form is None:
            self.form = GoalsForm(
                {key: one.self_assessment.organization for key, one in unions.items()},
                None,
                {key: one.goals for key, one in unions.items()},
            )
        for key, one in unions.items():
            one.field = self.form[f"goal-{key}"] if f"goal-{key}" in self.form.fields else None
        return rows

    def post(self, request: HttpRequest) -> HttpResponse:
        rows = self.get_queryset()
        keys = [number_or_zero(name[5:]) for name in request.POST if name.startswith("goal-")]
        shown = rows.filter(self_assessment__organization__in=keys[: max(PAGE_SIZES)])
        unions = {
            one.self_assessment.organization_id: one.self_assessment.organization for one in shown
        }
        self.form = GoalsForm(unions, request.POST, {})
        if self.campaign and self.form.is_valid():
            try:
                changed = recommending.enter_goals(
                    self.campaign, self.form.percents, self.form.seen, request.user
                )
            except NotAllowed as error:
                messages.error(request, str(error))
            else:
                messages.success(
                    request, gettext("已保存，更改 {changed} 个。").format(changed=changed)
                )
                return redirect(request.get_full_path())
        return self.get(request)


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One union: on the list or off it, by hand with a reason; its package."""
    rows = recommending.visible_to(request.user).select_related(
        "list__campaign", "self_assessment__organization__parent", "self_assessment__campaign"
    )
    line = get_object_or_404(packages.with_packages(rows), pk=pk)
    may_change = permissions.may_lead(request.user, line.self_assessment)
    open_ = not line.list.campaign.is_archived
    may_change = may_change and not line.list.is_confirmed
    may_keep = permissions.may_keep_package(request.user, line)
    asked = request.POST.get("act", "")
    form = ReasonForm(request.POST if asked == "change" else None)
    stamp = packages.stamp(line)
    sent = (request.POST, request.FILES) if asked == "package" else ()
    package = PackageForm(*sent, instance=line)
    problem = ""
    if request.method == "POST":
        if not (may_change if asked == "change" else may_keep):
            raise Http404
        seen = request.POST.get("seen", "")
        try:
            if asked == "change" and form.is_valid():
                recommending.change(
                    line, not line.listed, form.cleaned_data["reason"], request.user, seen
                )
                messages.success(request, gettext("名单已调整。"))
                return redirect(line)
            if asked == "package":
                is_valid = package.is_valid()  # a wrong date costs no upload
                packages.add_files(line, package.uploads, request.user)
                if is_valid:
                    packages.describe(line, **package.typed, by=request.user, seen=seen)
                    messages.success(request, gettext("推荐材料已保存。"))
                    return redirect(line)
        except (NotAllowed, EvidenceRefused) as error:
            problem = str(error)
        # The form has put what was typed into it; the page tells what is stored.
        line.refresh_from_db(fields=["story", "published_from", "published_until", "package"])
    return render(
        request,
        "assessments/recommendations/detail.html",
        {
            "line": line,
            "union": line.self_assessment.organization,
            "checklist": packages.pieces(line),
            "is_gone": recommending.is_gone(line),
            "stamp": stamp,
            "form": form,
            # What was typed stays on the page, even where it comes too late.
            "package": package if may_keep and (open_ or package.is_bound) else None,
            "may_change": may_change,
            "leads": permissions.may_lead(request.user),
            "problem": problem,
        },
        status=409 if problem else 200,
    )


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, year: int) -> HttpResponse:
    """确认名单, first and second; a confirmed one is opened again with a reason."""
    made = _list_or_404(request, year)
    sent = request.POST if request.method == "POST" else None
    if made.is_confirmed:
        form = ReasonForm(sent)
    else:
        form = ConfirmationForm(request, gettext("名单须由两人先后确认，确认后才能上报。"), sent)
    if request.method == "POST" and form.is_valid():
        seen = request.POST.get("seen") or "?"
        try:
            if made.is_confirmed:
                recommending.reopen(made, form.cleaned_data["reason"], request.user, seen)
                messages.success(request, gettext("名单已重开，改好后须再由两人确认。"))
            else:
                done = recommending.confirm(made, request.user, seen)
                second = gettext("名单已由两人确认，已通知各工会准备材料。")
                messages.success(
                    request, second if done.is_confirmed else gettext("已确认，等待另一人确认。")
                )
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            return redirect(made)
    return render(
        request,
        "assessments/recommendations/confirm.html",
        {
            "made": made,
            "form": form,
            "lines": recommending.listed_of(made)
            .filter(pk__in=recommending.visible_to(request.user))
            .defer("story")[:_MOST_SHOWN],
            "obstacles": recommending.obstacles(made, request.user),
        },
    )


@require_safe
def summary(request: HttpRequest, year: int) -> HttpResponse:
    """推荐汇总表, of a confirmed list under which nothing has changed."""
    name = f"{year}年推荐汇总表.xlsx"
    return _papers(request, year, exported.summary, name, exported.MEDIA_TYPE)


@require_safe
def forms(request: HttpRequest, year: int) -> HttpResponse:
    """All 推荐审批表 in one archive, of the same."""
    return _papers(request, year, exported.forms, f"{year}年推荐审批表.zip", "application/zip")


def _papers(
    request: HttpRequest,
    year: int,
    write: Callable[[RecommendationList], BinaryIO],
    filename: str,
    content_type: str,
) -> HttpResponse:
    made = _list_or_404(request, year)
    if told := _why_not(made, request):
        messages.error(request, told)
        return redirect(made)
    return FileResponse(
        write(made), as_attachment=True, filename=filename, content_type=content_type
    )


@require_safe
def form(request: HttpRequest, pk: int) -> HttpResponse:
    """推荐审批表 of one union, once the list is confirmed."""
    rows = recommending.visible_to(request.user).filter(listed=True, list__second_by__isnull=False)
    line = get_object_or_404(
        rows.select_related(
            "list__campaign", "self_assessment__organization__parent", "self_assessment__rubric"
        ),
        pk=pk,
    )
    if recommending.is_gone(line):
        messages.error(request, gettext("命名、评定或工会已经撤销，不再推荐。"))
        return redirect(line)
    content = io.BytesIO()
    exported.form(line, content)
    content.seek(0)
    return FileResponse(
        content,
        as_attachment=True,
        filename=exported.file_name(line),
        content_type=word.MEDIA_TYPE,
    )


def _why_not(made: RecommendationList, request: HttpRequest) -> str:
    """What keeps the papers from being drawn; empty where nothing does."""
    if not made.is_confirmed:
        return gettext("名单须由两人确认之后才能导出。")
    if recommending.obstacles(made, request.user):
        return gettext("名单确认之后有了变化，请先重开名单处理，再导出。")
    return ""
