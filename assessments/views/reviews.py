"""A reviewer's queue, and the scoring pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import (
    assigning,
    comparison,
    correcting,
    deadlines,
    permissions,
    queueing,
    reviewing,
    similarity,
    worksheet,
)
from assessments.choices import Action, State
from assessments.forms.filters import AssessmentFilter, counties_of
from assessments.forms.sheets import ReviewSheet
from assessments.models import Review, ReviewScore
from assessments.scoring import score_assessment, score_indicator
from assessments.views import desk
from assessments.views.access import chosen_campaign, review_or_404
from assessments.views.lists import CampaignListView, union_columns
from organizations.choices import Role
from organizations.permissions import has_city_role
from organizations.views.lists import Column


def _state(review: Review) -> str:
    if review.is_complete:
        return gettext("我已完成")
    return review.self_assessment.get_state_display()


class ReviewList(CampaignListView):
    """评审任务: what is assigned to this reviewer, the open ones first."""

    template_name = "assessments/reviews/list.html"
    context_object_name = "reviews"
    title = _("评审任务")
    columns = (
        *union_columns("self_assessment.organization"),
        Column("state", _("状态"), _state, width=10),
        Column(
            "self",
            _("自评总分"),
            lambda review: review.self_assessment.self_total,
            "self_assessment__self_total",
            numeric=True,
        ),
        Column("scored", _("已评分（项）"), lambda review: review.scored, "scored", numeric=True),
        Column(
            "submitted",
            _("提交时间"),
            lambda review: review.self_assessment.submitted_at,
            "self_assessment__submitted_at",
            width=20,
        ),
    )

    def get_queryset(self) -> QuerySet[Review]:
        user = self.request.user
        if not has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER}):
            raise Http404
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = AssessmentFilter(self.request.GET, counties_of(user), [*State.choices[1:]])
        rows = queueing.in_order(
            Review.objects.visible_to(user)
            .filter(self_assessment__campaign=self.campaign)
            .select_related("self_assessment__organization__parent", "self_assessment__rubric")
            .annotate(
                scored=Count(
                    "scores",
                    filter=Q(scores__score__isnull=False)
                    | Q(scores__not_applicable=True)
                    | Q(scores__checked_items__isnull=False)
                    | Q(scores__denominator__isnull=False),
                ),
            )
        )
        return self.filter.apply(
            rows, organization="self_assessment__organization__", state="self_assessment__state"
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pace = queueing.pace(self.request.user, self.campaign, deadlines.now())
        return super().get_context_data(**kwargs) | {"pace": pace}


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The six criteria of one review with what has been scored, and what is still open."""
    review = review_or_404(request, pk)
    assessment = review.self_assessment
    readable = permissions.may_read_content(request.user, assessment)
    sections = worksheet.load(assessment)
    lines = [line for section in sections for line in section.lines]
    scores = {score.indicator_id: score for score in review.scores.all()}
    results = {
        section.criterion.number: [_result(assessment, line, scores) for line in section.lines]
        for section in sections
    }
    result = score_assessment(results, assessment.campaign.thresholds)
    return render(
        request,
        "assessments/reviews/detail.html",
        {
            "review": review,
            "assessment": assessment,
            "readable": readable,
            "result": result,
            "self_result": worksheet.result_of(sections, assessment.campaign),
            "tiles": [
                (section, criterion, _scored(results[section.criterion.number]))
                for section, criterion in zip(sections, result.criteria, strict=True)
            ],
            "gaps": reviewing.gaps(assessment, scores, lines),
            "can_begin": assessment.state in (State.SUBMITTED, State.ENDORSED),
            "can_score": reviewing.why_not_scorable(review, request.user) is None,
            "can_return": assessment.state in assigning.ASSIGNABLE_STATES,
            "similar": similarity.open_count(assessment, request.user),
            "actions": Action,
        },
    )


def _result(assessment, line, scores):
    score = scores.get(line.indicator.pk) or ReviewScore()
    return score_indicator(line.indicator.rule, score.rating, assessment.campaign.thresholds)


def _scored(results) -> int:
    return sum(result.points is not None for result in results)


@require_http_methods(["GET", "POST"])
def criterion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """评分: clause, self-score, account and evidence on one side, score and remark on the other."""
    review = review_or_404(request, pk)
    assessment = review.self_assessment
    if not permissions.may_read_content(request.user, assessment):
        raise Http404
    sections = worksheet.load(assessment)
    section = next((one for one in sections if one.criterion.number == number), None)
    if section is None:
        raise Http404
    scores = desk.scores_of(review)
    locked_reason = reviewing.why_not_scorable(review, request.user)
    sheet = ReviewSheet(
        section.lines,
        desk.stored_entries(section, scores),
        data=request.POST if request.method == "POST" else None,
        writable=locked_reason is None,
    )
    if request.method == "POST":
        try:
            saved = desk.save(request, review, sheet)
        except reviewing.NotAllowed as error:
            locked_reason = gettext("没有保存：{reason}您填写的内容还在下面。").format(reason=error)
        else:
            scores = desk.scores_of(review)
            sheet.settle(desk.stored_entries(section, scores), saved.conflicts)
            kept = desk.keep_phrase(request, sheet)
            if kept:
                messages.info(request, kept)
            if not sheet.faulty_rows:
                messages.success(request, gettext("评分已保存。"))
                return _after_saving(request, review, number)
    context = desk.surroundings(request, review, sections, section, scores)
    last_time = comparison.last_verdicts(assessment, number) if sheet.writable else {}
    sheet.show(context["columns"], context["gap_texts"], scores, last_time)
    flags = similarity.flags_for(assessment, request.user, recounted=False)
    asked = [line.indicator for line in section.lines] if sheet.writable else []
    corrected = correcting.corrections(assessment, asked)
    for row in sheet.rows:
        row.flags = flags.get(row.indicator.code, ())
        row.correction = corrected.get(row.indicator.code)
    return render(
        request,
        "assessments/reviews/criterion.html",
        context
        | {
            "sheet": sheet,
            "locked_reason": locked_reason,
            "page_view": "assessments:review_criterion",
            "page_pk": review.pk,
            "overview_url": review.get_absolute_url(),
            "numbers": range(1, 7),
            "next_number": number + 1 if number < 6 else None,
        },
        status=409 if request.method == "POST" and locked_reason else 200,
    )


def _after_saving(request: HttpRequest, review: Review, number: int) -> HttpResponse:
    if "next" not in request.POST:
        page = redirect("assessments:review_criterion", review.pk, number)
        chosen = request.POST.get("theirs") or request.POST.get("keep")
        page["Location"] += f"#{quote(chosen)}" if chosen else ""
        return page
    if number < 6:
        return redirect("assessments:review_criterion", review.pk, number + 1)
    return redirect(review)
