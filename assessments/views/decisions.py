"""评定: the table of what has been reviewed, and the lists on which decisions are prepared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from assessments import deciding, permissions, standings, verdicts, worksheet
from assessments.choices import DECIDED_STATES, State
from assessments.forms.decisions import (
    ApplyForm,
    BatchForm,
    ConfirmationForm,
    CorrectionForm,
    DecisionFilter,
    OverrideForm,
)
from assessments.models import (
    Decision,
    DecisionBatch,
    PendingDecision,
    Review,
    Revision,
    SelfAssessment,
)
from assessments.templatetags.portal import numeral
from assessments.views.access import number_or_zero
from assessments.views.lists import LeadListView, union_columns
from organizations.views.lists import Column

#: Lines of a list on one page.
_LINES = 50
#: Chosen rows that are taken at once.
_CHOSEN = 1000


def _decision(assessment: SelfAssessment) -> Decision | None:
    return next(iter(assessment.standing_decisions), None)


def _total(assessment: SelfAssessment) -> Decimal:
    return (_decision(assessment) or assessment.standing).total


def _outcome(assessment: SelfAssessment) -> str:
    if decision := _decision(assessment):
        return decision.get_outcome_display()
    return gettext("{outcome}（待定）").format(outcome=assessment.standing.get_outcome_display())


def _remarks(assessment: SelfAssessment) -> str:
    decision = _decision(assessment)
    found = (
        (gettext("推翻"), decision is not None and decision.is_overridden),
        (gettext("一票否决"), assessment.standing.vetoed),
        (gettext("分差过大"), assessment.discrepant),
        (gettext("代填"), assessment.filled_by_proxy),
        (gettext("已列入名单"), assessment.open_lines),
    )
    return gettext("、").join(text for text, holds in found if holds)


def _criteria_met(assessment: SelfAssessment) -> str:
    return gettext("{number} 好").format(
        number=sum(met for *_others, met in assessment.standing.criteria)
    )


def _criterion_column(number: int) -> Column:
    def points(assessment: SelfAssessment) -> Decimal | None:
        criteria = assessment.standing.criteria
        return Decimal(criteria[number - 1][0]) if len(criteria) >= number else None

    label = format_lazy(_("第{number}好"), number=lazy(numeral, str)(number))
    return Column(f"c{number}", label, points, width=9, inside="criteria")


class DecisionList(LeadListView):
    """All reviewed submissions: points, marks, total, ranks, what stands out, what was decided."""

    template_name = "assessments/decisions/list.html"
    context_object_name = "assessments"
    title = _("评定")
    columns = (
        *union_columns(),
        Column("state", _("状态"), lambda one: one.get_state_display(), width=10, inside="name"),
        Column("self", _("自评"), lambda one: one.self_total, "self_total", numeric=True),
        Column("criteria", _("六好（得分）"), _criteria_met, width=12),
        *(_criterion_column(number) for number in range(1, 7)),
        Column("total", _("总分"), _total, "standing__total", numeric=True),
        Column("tier_rank", _("全市名次"), lambda one: one.tier_rank, "tier_rank", numeric=True),
        Column(
            "county_rank", _("本县名次"), lambda one: one.county_rank, "county_rank", numeric=True
        ),
        Column("outcome", _("结果与提示"), _outcome, "standing__outcome"),
        Column("remarks", _("提示"), _remarks, width=30, inside="outcome"),
    )
    states = (State.REVIEWED, *DECIDED_STATES)
    filter_class = DecisionFilter

    def left(self) -> QuerySet[SelfAssessment]:
        """The rows that the filter leaves."""
        return _narrowed(super().get_queryset(), self.filter)

    def get_queryset(self) -> QuerySet[SelfAssessment]:
        rows = self.left().select_related("standing")
        standing = Decision.objects.filter(superseded_at=None)
        pending = PendingDecision.objects.filter(is_open=True).select_related("batch")
        return (
            standings.by_rank(rows, county=False, backwards=False)
            .annotate(filled_by_proxy=Exists(_by_proxy()))
            .prefetch_related(
                Prefetch("decisions", standing, to_attr="standing_decisions"),
                Prefetch("pending_decisions", pending, to_attr="open_lines"),
            )
        )

    def in_order(self, rows: QuerySet, sort: str, backwards: bool) -> QuerySet:
        if sort in ("tier_rank", "county_rank"):
            return standings.by_rank(rows, county=sort == "county_rank", backwards=backwards)
        return super().in_order(rows, sort, backwards)

    def prepared(self, rows: list[SelfAssessment]) -> list[SelfAssessment]:
        return list(standings.with_ranks(rows))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        batches = DecisionBatch.objects.filter(campaign=self.campaign)
        return context | {
            "batches": batches.select_related("created_by")[:20],
            "numbers": range(1, 7),
        }


def _by_proxy() -> QuerySet[Revision]:
    return Revision.objects.filter(
        self_assessment=OuterRef("pk"), number=OuterRef("revision")
    ).exclude(filled_by_proxy="")


def _narrowed(rows: QuerySet[SelfAssessment], filter_: DecisionFilter) -> QuerySet[SelfAssessment]:
    """Of what the filter of every list leaves, what that of decisions does."""
    if outcome := filter_.value("outcome"):
        rows = rows.filter(standing__outcome=outcome)
    listed = PendingDecision.objects.filter(self_assessment=OuterRef("pk"), is_open=True)
    match filter_.value("flag"):
        case "discrepant":
            rows = rows.exclude(discrepant="")
        case "vetoed":
            rows = rows.filter(standing__vetoed=True)
        case "proxy":
            rows = rows.filter(Exists(_by_proxy()))
        case "listed":
            rows = rows.filter(Exists(listed))
        case "unlisted":
            rows = rows.filter(~Exists(listed), state=State.REVIEWED)
    return rows


@require_http_methods(["GET", "POST"])
def prepare(request: HttpRequest) -> HttpResponse:
    """拟定名单: of the chosen rows, or of everything that the filter of the address leaves."""
    page = DecisionList()
    page.setup(request)
    if not permissions.may_lead(request.user):
        raise Http404
    rows = page.left().filter(state=State.REVIEWED)
    if page.campaign is None:
        raise Http404
    chosen = [number_or_zero(key) for key in request.GET.getlist("assessment")][:_CHOSEN]
    if chosen:
        rows = rows.filter(pk__in=chosen)
    number = DecisionBatch.objects.filter(campaign=page.campaign).count() + 1
    form = BatchForm(_sent(request), initial={"name": f"{page.campaign.year}年第{number}次评定会"})
    if request.method == "POST" and form.is_valid():
        try:
            batch, listed = deciding.prepare(
                page.campaign, rows.order_by(), form.cleaned_data["name"], request.user
            )
        except deciding.NotAllowed as error:
            form.add_error(None, str(error))
        else:
            told = (
                gettext(
                    "已拟定名单，列入 {added} 份，另有 {left_out} 份不能列入（已在别的名单里，或分差待仲裁）。"
                )
                if listed.left_out
                else gettext("已拟定名单，列入 {added} 份。")
            )
            messages.success(request, told.format(added=listed.added, left_out=listed.left_out))
            return redirect(batch)
    return render(
        request,
        "assessments/decisions/prepare.html",
        {"form": form, "campaign": page.campaign, "number": rows.count(), "chosen": chosen},
    )


def batch_or_404(request: HttpRequest, pk: int) -> DecisionBatch:
    if not permissions.may_lead(request.user):
        raise Http404
    return get_object_or_404(DecisionBatch.objects.select_related("campaign", "closed_by"), pk=pk)


def lines_of(request: HttpRequest, batch: DecisionBatch | int) -> QuerySet[PendingDecision]:
    """The lines of the list that the user may see, with what a line shows."""
    visible = SelfAssessment.objects.visible_to(request.user)
    rows = PendingDecision.objects.filter(batch=batch, self_assessment__in=visible)
    return rows.select_related(
        "self_assessment__organization__parent",
        "self_assessment__rubric",
        "self_assessment__standing",
        "override_by",
        "confirmed_by",
    )


@require_http_methods(["GET", "POST"])
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """One list: its lines, what keeps it from being applied; applying it with the own password."""
    found = batch_or_404(request, pk)
    form = ApplyForm(request, _sent(request))
    problems: tuple[str, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            done = deciding.apply(
                found, form.cleaned_data["opinion"], request.user, request.POST.get("seen", "")
            )
        except deciding.NotAllowed as error:
            problems = (str(error), *error.lines)
            found.refresh_from_db()
        else:
            messages.success(request, gettext("已作出 {number} 份评定。").format(number=done))
            return redirect(found)
    page = Paginator(lines_of(request, found), _LINES).get_page(request.GET.get("page"))
    return render(
        request,
        "assessments/decisions/batch.html",
        {
            "batch": found,
            "form": form,
            "page_obj": page,
            "paginator": page.paginator,
            "problems": problems,
            "obstacles": deciding.obstacles(found, request.user) if found.is_open else [],
            "hidden": found.lines.count() - page.paginator.count,
        },
        status=409 if problems else 200,
    )


@require_POST
def change_batch(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """更新 (take the standings as they are now) or 作废 of a list."""
    found = batch_or_404(request, pk)
    try:
        if act == "refresh":
            changed, gone = deciding.refresh(found, request.user)
            messages.success(
                request,
                gettext("已更新 {changed} 份，移出 {gone} 份。").format(changed=changed, gone=gone),
            )
        elif act == "drop":
            deciding.drop(found, request.user)
            messages.success(
                request, gettext("名单“{batch}”已作废，没有通知任何人。").format(batch=found)
            )
            return redirect("assessments:decision_list")
        else:
            raise Http404
    except deciding.NotAllowed as error:
        messages.error(request, str(error))
    return redirect(found)


@require_http_methods(["GET", "POST"])
def line(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """One line of a list: what it rests on, correcting a score, overriding, taking it off."""
    if not permissions.may_lead(request.user):
        raise Http404
    with_batch = lines_of(request, pk).select_related("batch__campaign", "batch__closed_by")
    one = get_object_or_404(with_batch, pk=line)
    found = one.batch
    assessment = get_object_or_404(
        SelfAssessment.objects.with_context().prefetch_related(
            Prefetch("reviews", Review.objects.select_related("reviewer"))
        ),
        pk=one.self_assessment_id,
    )
    asked = request.POST.get("act", "")
    sections = worksheet.load(assessment)
    lines = [each for part in sections for each in part.lines]
    correction = CorrectionForm(
        lines,
        _sent(request) if asked == "correct" else None,
        chosen=(request.POST or request.GET).get("correct-indicator", ""),
        prefix="correct",
    )
    override = OverrideForm(_sent(request) if asked == "override" else None, prefix="override")
    confirmation = ConfirmationForm(
        request,
        gettext("推翻须由提出人以外的另一人确认。"),
        _sent(request) if asked == "confirm" else None,
        prefix="confirm",
    )
    forms = {"correct": correction, "override": override, "confirm": confirmation}
    acts = {
        "correct": lambda values: deciding.correct(
            one,
            correction.line.indicator,
            correction.rating.rating,
            values["reason"],
            request.user,
        ),
        "override": lambda values: deciding.propose_override(one, values["reason"], request.user),
        "confirm": lambda values: deciding.confirm_override(
            one, request.user, request.POST.get("seen", "")
        ),
        "withdraw": lambda values: deciding.withdraw_override(one, request.user),
        "exclude": lambda values: deciding.exclude(one, request.user),
    }
    done = {
        "correct": gettext("已调整得分。"),
        "override": gettext("已提出推翻，等待另一人确认。"),
        "confirm": gettext("已确认推翻。"),
        "withdraw": gettext("已撤回推翻。"),
        "exclude": gettext("已移出名单。"),
    }
    problem = ""
    if request.method == "POST":
        if asked not in acts:
            raise Http404
        form = forms.get(asked)
        if form is None or form.is_valid():
            try:
                acts[asked](form.cleaned_data if form else {})
            except deciding.NotAllowed as error:
                problem = str(error)
            else:
                messages.success(request, done[asked])
                return redirect(found if asked == "exclude" else one)
    verdict = verdicts.verdict_of(assessment, lines)
    own = worksheet.result_of(sections, assessment.campaign)
    return render(
        request,
        "assessments/decisions/line.html",
        {
            "batch": found,
            "line": one,
            "assessment": assessment,
            "verdict": verdict,
            "rows": [
                (part.criterion.title, mine, final)
                for part, mine, final in zip(
                    sections, own.criteria, verdict.result.criteria, strict=False
                )
            ],
            "own_total": own.total,
            "is_stale": one.stamp != verdict.stamp,
            "correction": correction,
            "standing": verdict.at(correction.line.indicator) if correction.line else None,
            "override": override,
            "confirmation": confirmation,
            "seen": deciding.override_stamp(one),
            "may_confirm": one.awaits_confirmation and one.override_by_id != request.user.pk,
            "problem": problem,
            "back": reverse("assessments:decision_batch", args=[found.pk]),
        },
        status=409 if problem else 200,
    )


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None
