"""The lead's pages of who reviews what: by hand, by county, and by a plan from a seed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import assigning, assignment_runs, permissions, recusals
from assessments.forms.assignments import PlanForm
from assessments.forms.filters import AssessmentFilter, counties_of
from assessments.models import AssignmentRun, Campaign, Review, SelfAssessment
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.lists import LeadListView, union_columns
from organizations.chinese import in_chinese
from organizations.models import User
from organizations.views.lists import Column

#: Submissions without a place that the preview names.
_NAMED = 50


class AssignmentList(LeadListView):
    """分派: choose submissions, choose a reviewer. Conflicts of interest are refused by name."""

    template_name = "assessments/assignments/list.html"
    context_object_name = "assessments"
    title = _("分派评审")
    columns = (
        *union_columns(),
        Column("state", _("状态"), lambda one: one.get_state_display(), "state", width=10),
        Column("self", _("自评总分"), lambda one: one.self_total, "self_total", numeric=True),
        Column(
            "reviewers",
            _("评审员"),
            lambda one: gettext("、").join(str(review.reviewer) for review in one.reviews.all()),
            width=24,
        ),
    )
    states = assigning.ASSIGNABLE_STATES
    http_method_names = ["get", "post", "head"]

    def get_queryset(self) -> QuerySet[SelfAssessment]:
        return assigning.with_places(super().get_queryset()).prefetch_related(
            Prefetch("reviews", Review.objects.select_related("reviewer"))
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.campaign is None:
            return context
        reviewers = list(assigning.reviewers())
        loads = assignment_runs.loads(self.campaign, reviewers)
        waiting = Review.objects.filter(self_assessment__campaign=self.campaign)
        return context | {
            "reviewers": [(one, loads[one.pk]) for one in reviewers],
            "stuck": _stuck(waiting),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        taking = "unassign" in request.POST
        # Who has left can be taken off, though nothing can be given to them.
        people = User.objects.all() if taking else assigning.reviewers()
        reviewer = get_object_or_404(people, pk=number_or_zero(request.POST.get("reviewer")))
        chosen = [number_or_zero(key) for key in request.POST.getlist("assessment")][:200]
        found = SelfAssessment.objects.visible_to(request.user).filter(pk__in=chosen)
        change = assigning.unassign if taking else assigning.assign
        done = 0
        for assessment in found:
            try:
                change(assessment, reviewer, request.user)
                done += 1
            except assigning.NotAllowed as error:
                messages.error(request, str(error))
        if done:
            told = (
                gettext("已取消分派 {reviewer}：{number} 份。")
                if taking
                else gettext("已分派给 {reviewer}：{number} 份。")
            )
            messages.success(request, told.format(reviewer=reviewer, number=done))
        elif not chosen:
            messages.error(request, gettext("请先勾选申报。"))
        query = request.GET.urlencode()
        return redirect(reverse("assessments:assignment_list") + (f"?{query}" if query else ""))


def _stuck(reviews: QuerySet[Review]) -> list[tuple[int, str, int, str, bool]]:
    """Reviewers who cannot go on with what they have open, or who must stand back from what they
    have completed: key, name, how much that is, why, and whether it is completed. One query."""
    open_ones = assigning.open_reviews(reviews)
    first, *others = (
        rows.order_by()
        .values_list("reviewer", "reviewer__full_name")
        .annotate(number=Count("pk"), why=Value(why), done=Value(done))
        for rows, why, done in (
            (assigning.left_behind(open_ones), gettext("评审员已停用"), False),
            (recusals.conflicted(open_ones), gettext("须回避"), False),
            (recusals.conflicted(recusals.settled(reviews)), gettext("须回避"), True),
        )
    )
    return sorted(first.union(*others, all=True))


@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    """自动分派, 按县分派, 改派全部: what would be done, from a seed; then exactly that. The filter of
    the address says which submissions it is about; ?replaces= whose open reviews go to others."""
    if not permissions.may_lead(request.user):
        raise Http404
    campaign, _ = chosen_campaign(request)
    if campaign is None:
        raise Http404
    replaces = None
    if "replaces" in request.GET:
        key = number_or_zero(request.GET.get("replaces"))
        replaces = get_object_or_404(User.objects.filter(reviews__isnull=False).distinct(), pk=key)
    filter_ = _filter(request)
    rows = filter_.apply(
        SelfAssessment.objects.visible_to(request.user).filter(campaign=campaign),
        organization="organization__",
        state="state",
    )
    people = assigning.reviewers()
    if replaces is not None:
        people = people.exclude(pk=replaces.pk)
    form = PlanForm(
        request.POST if request.method == "POST" else request.GET, people, replaces=replaces
    )
    draft, changed = None, ""
    if not form.is_bound or form.is_valid():
        values = form.cleaned_data if form.is_bound else form.preset
        chosen = [one for one in people if one.pk in _keys(values["reviewers"])]
        if request.method == "POST":
            try:
                with in_chinese():  # the run keeps it in words
                    scope = _scope(_filter(request), replaces)
                run = assignment_runs.carry_out(
                    campaign,
                    rows,
                    chosen,
                    values["seed"],
                    request.user,
                    digest=request.POST.get("digest", ""),
                    scope=scope,
                    replaces=replaces,
                    keep=values.get("keep", False),
                )
            except assignment_runs.Changed as error:
                draft, changed = error.draft, str(error)
            else:
                messages.success(
                    request, gettext("已分派 {number} 份次。").format(number=run.placed)
                )
                return redirect(run)
        else:
            draft = assignment_runs.prepare(
                campaign, rows, chosen, values["seed"], request.user, replaces
            )
    return render(
        request,
        "assessments/assignments/plan.html",
        {
            "campaign": campaign,
            "filter": filter_,
            "scope": _scope(filter_, replaces),
            "replaces": replaces,
            "form": form,
            "draft": draft,
            "unplaced": draft.why_unplaced(_NAMED) if draft else [],
            "changed": changed,
            "seed": (draft.plan.seed if draft else None),
        },
        status=409 if changed else 200,
    )


def _keys(reviewers: Any) -> set[int]:
    return {getattr(one, "pk", one) for one in reviewers}


def _filter(request: HttpRequest) -> AssessmentFilter:
    states = [(state.value, state.label) for state in assigning.ASSIGNABLE_STATES]
    return AssessmentFilter(request.GET, counties_of(request.user), states)


def _scope(filter_: AssessmentFilter, replaces: User | None) -> str:
    """Which submissions it is about, in words."""
    parts = [gettext("{replaces} 的待评申报").format(replaces=replaces)] if replaces else []
    for name in ("tier", "county", "state"):
        value = filter_.value(name)
        label = dict(filter_.fields[name].choices).get(value)
        parts += [str(label)] if value and label else []
    if text := filter_.value("q"):
        parts.append(gettext("名称含“{text}”").format(text=text))
    return gettext("，").join(parts) or gettext("全部待分派的申报")


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """分派记录: every plan that was carried out in the campaign."""
    campaign = _campaign_or_404(request)
    found = AssignmentRun.objects.filter(campaign=campaign).select_related("by", "replaces")
    page = Paginator(found.defer("inputs", "result"), 50).get_page(request.GET.get("page"))
    return render(
        request,
        "assessments/assignments/runs.html",
        {"campaign": campaign, "page_obj": page, "paginator": page.paginator},
    )


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: the seed, what each got, and whether the seed still gives the same."""
    if not permissions.may_lead(request.user):
        raise Http404
    found = get_object_or_404(AssignmentRun.objects.select_related("by", "campaign"), pk=pk)
    users = User.objects.in_bulk([key for key, _, _ in found.result["gets"]])
    missing = dict(found.result["missing"])
    visible = SelfAssessment.objects.visible_to(request.user).select_related("organization")
    short = visible.filter(pk__in=list(missing)[:_NAMED])
    return render(
        request,
        "assessments/assignments/run.html",
        {
            "run": found,
            "shares": [
                (users[key], has, gets, has + gets) for key, has, gets in found.result["gets"]
            ],
            "short": [(one, missing[one.pk]) for one in short],
            "replayed": assignment_runs.replay(found) if "replay" in request.GET else None,
        },
    )


def _campaign_or_404(request: HttpRequest) -> Campaign:
    campaign, _ = chosen_campaign(request)
    if campaign is None or not permissions.may_lead(request.user):
        raise Http404
    return campaign
