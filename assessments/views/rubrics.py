"""标准: the versions of the rubric, for the city's administrators."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, QuerySet, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import permissions, phrases, rubric_editing, rubric_files, rubrics
from assessments.assigning import NotAllowed
from assessments.choices import CampaignState
from assessments.forms.rubrics import (
    CriterionForm,
    IndicatorFormSet,
    RubricFileForm,
    RubricFilter,
    TitleForm,
    judged,
)
from assessments.models import Criterion, Indicator, Rubric, RubricLocked, TierPolicy
from assessments.views.access import number_or_zero
from organizations.importing.reading import ListRefused
from organizations.views.lists import Column, TableView
from organizations.workbook import MEDIA_TYPE


def _standing(rubric: Rubric) -> str:
    if rubric.is_locked:
        return gettext("使用中，已锁定")
    return gettext("未配平，不能使用") if rubric.problems else gettext("可以使用")


def _with_use(rows: QuerySet[Rubric]) -> QuerySet[Rubric]:
    """With the campaigns that have chosen it."""
    policies = TierPolicy.objects.select_related("campaign").order_by("campaign__year")
    return rows.prefetch_related(Prefetch("policies", policies))


def _look_up_use(rubric: Rubric) -> None:
    rubric.campaigns = [policy.campaign for policy in rubric.policies.all()]
    rubric.is_locked = any(one.state != CampaignState.PREPARING for one in rubric.campaigns)


class RubricList(TableView):
    """Every version, and where it is used."""

    template_name = "assessments/rubrics/list.html"
    context_object_name = "rubrics"
    title = _("六好标准")
    columns = (
        Column("title", _("标准"), lambda one: one.title, "title", width=30),
        Column("tier", _("层级"), lambda one: one.tier_label, inside="title"),
        Column("version", _("版本"), lambda one: one.version, "version", numeric=True, width=8),
        Column("number", _("指标"), lambda one: one.number, "number", numeric=True, width=8),
        Column("points", _("满分合计"), lambda one: one.points, "points", numeric=True, width=10),
        Column(
            "used",
            _("使用的活动"),
            lambda one: gettext("、").join(map(str, one.campaigns)),
            width=30,
        ),
        Column("standing", _("状态"), _standing, width=16),
    )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require_admin(request)
        return super().dispatch(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Rubric]:
        self.filter = RubricFilter(self.request.GET)
        rows = _with_use(Rubric.objects.order_by("tier", "-version"))
        rows = rows.annotate(
            number=Count("criteria__indicators"), points=Sum("criteria__indicators__max_points")
        )
        if tier := self.filter.value("tier"):
            rows = rows.filter(tier=tier)
        return rows.filter(title__icontains=self.filter.value("q"))

    def prepared(self, rows: list[Rubric]) -> list[Rubric]:
        faulty = {fault.rubric for fault in rubrics.faults(rows)}
        for rubric in rows:
            _look_up_use(rubric)
            rubric.problems = rubric in faulty
            rubric.standing = _standing(rubric)
        return rows


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: its indicators, its points, and what of the policy they cover."""
    rubric = _rubric_or_404(request, pk)
    _look_up_use(rubric)
    sections, shared = [], phrases.shared_counts()
    for one in rubric.criteria.all():
        indicators = list(one.indicators.all())
        for each in indicators:
            each.phrases = shared.get(each.code, 0)
        one.rubric = rubric
        pieces = rubric_editing.coverage(one, [each.clause for each in indicators])
        points = sum((each.max_points for each in indicators), Decimal(0))
        sections.append((one, indicators, points, pieces))
    return render(
        request,
        "assessments/rubrics/detail.html",
        {
            "rubric": rubric,
            "sections": sections,
            "points": sum((points for _, _, points, _ in sections), Decimal(0)),
            "problems": rubrics.problems(rubric),
            "others": Rubric.objects.filter(tier=rubric.tier).exclude(pk=pk).order_by("-version"),
            "may_share_phrases": permissions.may_share_phrases(request.user),
        },
    )


@require_http_methods(["GET", "POST"])
def criterion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One 好 to edit: its indicators, added, split, ordered, deleted."""
    _require_admin(request)
    found = get_object_or_404(Criterion.objects.select_related("rubric"), rubric=pk, number=number)
    if request.method == "GET" and found.rubric.is_locked:
        messages.info(
            request, gettext("这一版标准已有开放过的活动在使用，只能查看。要修改，请新建版本。")
        )
        return redirect(found.rubric)
    stored = list(found.indicators.order_by("position"))
    rows = [rubric_editing.row_of(one) for one in stored]
    heading, formset = CriterionForm(initial={"title": found.title}), IndicatorFormSet(initial=rows)
    seen, problem = rubric_editing.stamp(found), ""
    if request.method == "POST":
        seen = request.POST.get("seen", "")
        heading, formset = CriterionForm(request.POST), IndicatorFormSet(request.POST)
        if request.POST.keys() & {"add", "split"}:
            after = number_or_zero(request.POST["split"]) if "split" in request.POST else None
            formset = IndicatorFormSet(initial=formset.with_another(after))
            heading = CriterionForm(initial={"title": request.POST.get("title", "")})
        elif heading.is_valid() & formset.is_valid():
            title = heading.cleaned_data["title"]
            try:
                rubric_editing.rewrite(found, title, formset.rows, request.user, seen)
            except (NotAllowed, RubricLocked) as error:
                problem = str(error)
            else:
                _tell_balance(request, found.rubric)
                return redirect("assessments:rubric_criterion", pk, number)
    others = Indicator.objects.filter(criterion__rubric=pk).exclude(criterion=found)
    return render(
        request,
        "assessments/rubrics/criterion.html",
        {
            "criterion": found,
            "rubric": found.rubric,
            "numbers": range(1, 7),
            "heading": heading,
            "formset": formset,
            "pieces": rubric_editing.coverage(found, [one.clause for one in stored]),
            "points": sum((one.max_points for one in stored), Decimal(0)),
            "others": others.aggregate(points=Sum("max_points"))["points"] or Decimal(0),
            "seen": seen,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


def _tell_balance(request: HttpRequest, rubric: Rubric) -> None:
    messages.success(request, gettext("已保存。"))
    for problem in rubrics.problems(rubric):
        messages.warning(
            request, gettext("{problem}配平之前，活动不能使用这一版。").format(problem=problem)
        )


@require_safe
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """What differs from the version of ?with=, the one before where nothing is chosen."""
    rubric = _rubric_or_404(request, pk)
    others = list(Rubric.objects.filter(tier=rubric.tier).exclude(pk=pk).order_by("-version"))
    chosen = number_or_zero(request.GET.get("with"))
    earlier = (one for one in others if one.version < rubric.version)
    other = next((one for one in others if one.pk == chosen), None) or next(earlier, None)
    changed = []
    if other is not None:
        before = rubric_editing.with_indicators(Rubric.objects.filter(pk=other.pk)).get()
        changed = rubric_editing.compare(
            rubric_editing.sections_of(before), rubric_editing.sections_of(rubric)
        )
    return render(
        request,
        "assessments/rubrics/compare.html",
        {"rubric": rubric, "others": others, "other": other, "changed": changed},
    )


@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """新建版本, from this one."""
    rubric = _rubric_or_404(request, pk)
    form = TitleForm(
        request.POST if request.method == "POST" else None, initial={"title": rubric.title}
    )
    if request.method == "POST" and form.is_valid():
        made = rubric_editing.copy(rubric, form.cleaned_data["title"], request.user)
        messages.success(
            request,
            gettext("已新建{made}，内容与{rubric}相同，可以修改。").format(
                made=made, rubric=rubric
            ),
        )
        return redirect(made)
    return render(request, "assessments/rubrics/copy.html", {"rubric": rubric, "form": form})


@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """删除: a version that no campaign has chosen."""
    rubric = _rubric_or_404(request, pk)
    if request.method == "POST":
        try:
            rubric_editing.remove(rubric, request.user)
        except (NotAllowed, RubricLocked) as error:
            messages.error(request, str(error))
            return redirect(rubric)
        messages.success(request, gettext("已删除{rubric}。").format(rubric=rubric))
        return redirect("assessments:rubric_list")
    return render(request, "assessments/rubrics/remove.html", {"rubric": rubric})


@require_safe
def export_json(request: HttpRequest, pk: int) -> HttpResponse:
    rubric = _rubric_or_404(request, pk)
    sections = rubric_editing.sections_of(rubric)
    return HttpResponse(
        rubric_files.as_json(rubric.tier, rubric.title, sections),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="rubric-{rubric.tier}-{pk}.json"'},
    )


@require_safe
def export_workbook(request: HttpRequest, pk: int) -> FileResponse:
    rubric = _rubric_or_404(request, pk)
    return FileResponse(
        rubric_files.as_workbook(rubric),
        as_attachment=True,
        filename=f"{rubric.title}（第{rubric.version}版）.xlsx",
        content_type=MEDIA_TYPE,
    )


@require_http_methods(["GET", "POST"])
def import_file(request: HttpRequest) -> HttpResponse:
    """A file, what it would make, and the new version. The page carries what was read; it is judged
    again when it comes back."""
    _require_admin(request)
    confirmed = "document" in request.POST
    form = RubricFileForm(
        *((request.POST, request.FILES) if request.method == "POST" and not confirmed else ())
    )
    context: dict[str, Any] = {"form": form}
    document = None
    try:
        if confirmed:
            document = rubric_files.from_json(request.POST["document"])
        elif form.is_valid():
            document = rubric_files.read(form.cleaned_data["file"])
    except ListRefused as refused:
        context["problem"] = str(refused)
    if document is None:
        status = 422 if request.method == "POST" else 200
        return render(request, "assessments/rubrics/import.html", context, status=status)
    sections, faults = judged(document)
    if confirmed and not faults:
        made = rubric_editing.make(document.tier, document.title, sections, request.user, "导入")
        messages.success(request, gettext("已导入为{made}。").format(made=made))
        return redirect(made)
    latest = rubric_editing.with_indicators(
        Rubric.objects.filter(tier=document.tier).order_by("-version")
    ).first()
    context |= {
        "document": document,
        "faults": faults,
        "number": sum(len(one.rows) for one in sections),
        "points": sum((Decimal(row["max_points"]) for s in sections for row in s.rows), Decimal(0)),
        "latest": latest,
    }
    if not faults:
        before = rubric_editing.sections_of(latest) if latest else []
        context["changed"] = rubric_editing.compare(before, sections)
        context["content"] = rubric_files.as_json(document.tier, document.title, sections)
    return render(
        request, "assessments/rubrics/import.html", context, status=422 if faults else 200
    )


def _require_admin(request: HttpRequest) -> None:
    """A stranger finds nothing here."""
    if not permissions.may_administer(request.user):
        raise Http404


def _rubric_or_404(request: HttpRequest, pk: int) -> Rubric:
    """With its indicators and its use."""
    _require_admin(request)
    rows = _with_use(rubric_editing.with_indicators(Rubric.objects.all()))
    return get_object_or_404(rows, pk=pk)
