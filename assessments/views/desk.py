"""The scoring desk: what stands around the fields, saving one score, and going on to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from assessments import (
    comparison,
    deadlines,
    inspected,
    permissions,
    phrases,
    queueing,
    reviewing,
    workflow,
    worksheet,
)
from assessments.choices import Action
from assessments.entries import Entry
from assessments.forms.sheets import ReviewSheet
from assessments.models import Review, ReviewScore
from assessments.views.access import number_or_zero, review_or_404

Scores = Mapping[int, ReviewScore]


def scores_of(review: Review) -> Scores:
    """What is stored, by indicator key."""
    return {score.indicator_id: score for score in review.scores.all()}


def stored_entries(section: worksheet.Section, scores: Scores) -> dict[int, Entry]:
    return {
        line.indicator.pk: reviewing.shown_entry(
            line.indicator.rule, line.answer, scores.get(line.indicator.pk)
        )
        for line in section.lines
    }


def save(request: HttpRequest, review: Review, sheet: ReviewSheet) -> reviewing.Saved:
    """Store what was sent. Raises reviewing.NotAllowed."""
    revision = number_or_zero(request.POST.get("revision")) or None
    return reviewing.save(review, sheet.changes, request.user, revision)


def surroundings(
    request: HttpRequest,
    review: Review,
    sections: list[worksheet.Section],
    section: worksheet.Section,
    scores: Scores,
) -> dict[str, Any]:
    """How far the review has come, and where to go on: the first gap on this page, then those
    that follow it, then those before it."""
    assessment = review.self_assessment
    lines = [line for one in sections for line in one.lines]
    gaps = reviewing.gaps(assessment, dict(scores), lines)
    number = section.criterion.number
    ahead = sorted(gaps, key=lambda gap: (gap.criterion < number, gap.criterion))
    elsewhere = [gap for gap in ahead if gap.criterion != number]
    return {
        "review": review,
        "assessment": assessment,
        "section": section,
        "gap_texts": {gap.indicator.pk: gap.text for gap in gaps},
        "gap_count": len(gaps),
        "done": len(lines) - len(gaps),
        "total": len(lines),
        "next_gap": ahead[0] if ahead else None,
        "next_gap_elsewhere": elsewhere[0] if elsewhere else None,
        "columns": comparison.standing_scores(assessment, [section], request.user, scores),
    }


@require_POST
def score(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """One score, sent by the page while it is typed. Comes back as the notes of its row (saved,
    wrong, in conflict) with the progress of the page. `keep` keeps the remark as a phrase."""
    review = review_or_404(request, pk)
    assessment = review.self_assessment
    sections = worksheet.load(assessment)
    at = [
        (section, line)
        for section in sections
        for line in section.lines
        if line.indicator.code == code
    ]
    if not at:
        raise Http404
    section, line = at[0]
    scores = scores_of(review)
    locked_reason = reviewing.why_not_scorable(review, request.user)
    entries = stored_entries(section, scores)
    sheet = ReviewSheet([line], entries, data=request.POST, writable=locked_reason is None)
    row = sheet.rows[0]
    outcome, kept = "locked", ""
    if locked_reason is None:
        try:
            saved = save(request, review, sheet)
        except reviewing.NotAllowed as error:
            locked_reason = str(error)
        else:
            scores = scores_of(review)
            sheet.settle(stored_entries(section, scores), saved.conflicts)
            outcome = "wrong" if row.errors else "conflict" if row.conflict else "saved"
            kept = keep_phrase(request, sheet)
    if locked_reason and not permissions.may_read_content(request.user, assessment):
        return render(
            request,
            "assessments/reviews/_score_locked.html",
            {"locked_reason": locked_reason},
            status=409,
        )
    context = surroundings(request, review, sections, section, scores)
    sheet.show(context["columns"], context["gap_texts"], scores)
    return render(
        request,
        "assessments/reviews/_score_saved.html",
        context
        | {
            "sheet": sheet,
            "row": row,
            "field_errors": sheet.field_errors(row),
            "outcome": outcome,
            "kept": kept,
            "locked_reason": locked_reason,
        },
        status=409 if outcome == "locked" else 200,
    )


def keep_phrase(request: HttpRequest, sheet: ReviewSheet) -> str:
    """Keep a remark as a phrase where `keep` names its row, and count the phrases that were put
    in (`{code}-phrase`). Gives what to tell, if there is anything."""
    told = ""
    for row in sheet.rows:
        code = row.indicator.code
        used = number_or_zero(request.POST.get(f"{code}-phrase"))
        if used and not row.errors:
            phrases.count_use(request.user, used)
        if request.POST.get("keep") == code and not row.errors:
            try:
                phrases.keep(request.user, row.values["remark"], code)
                told = gettext("已存为常用语。")
            except phrases.NotKept as error:
                told = gettext("没有存为常用语：{error}").format(error=error)
    return told


@require_safe
def aside(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What the page fetches once it stands: the phrases for its indicators, the pace, and what an
    inspection found there."""
    review = review_or_404(request, pk)
    assessment = review.self_assessment
    codes = [
        indicator.code
        for criterion, indicators in worksheet.outline(assessment.rubric_id)
        if criterion.number == number
        for indicator in indicators
    ]
    if not codes:
        raise Http404
    return render(
        request,
        "assessments/reviews/_aside.html",
        {
            "assessment": assessment,
            "phrases": phrases.offered(request.user, codes),
            "pace": queueing.pace(request.user, assessment.campaign, deadlines.now()),
            "findings": inspected.notes(assessment, codes) if assessment.inspected else (),
        },
    )


@require_safe
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """To the first indicator that is still open; to the overview where nothing can be scored."""
    review = review_or_404(request, pk)
    if reviewing.why_not_scorable(review, request.user):
        return redirect(review)
    lines = [line for section in worksheet.load(review.self_assessment) for line in section.lines]
    gaps = reviewing.gaps(review.self_assessment, dict(scores_of(review)), lines)
    if not gaps:
        return redirect(review)
    page = reverse("assessments:review_criterion", args=[review.pk, gaps[0].criterion])
    return redirect(f"{page}#{gaps[0].indicator.code}")


@require_safe
def following(request: HttpRequest, pk: int) -> HttpResponse:
    """To the next submission of the queue."""
    return _go_on(request, review_or_404(request, pk))


@require_POST
def complete(request: HttpRequest, pk: int) -> HttpResponse:
    """完成评审 from the desk, and straight on to the next submission."""
    review = review_or_404(request, pk)
    try:
        workflow.perform(
            review.self_assessment, Action.COMPLETE_REVIEW, by=request.user, opinion=review.opinion
        )
    except workflow.TransitionRefused as error:
        found = [str(problem.message) for problem in error.problems[:3]]
        if len(error.problems) > 3:
            found.append(gettext("另有 {number} 处").format(number=len(error.problems) - 3))
        shown = gettext("；").join(found)
        messages.error(request, gettext("还不能完成评审：{problems}").format(problems=shown))
        return redirect(review)
    messages.success(
        request,
        gettext("已完成“{organization}”的评审。").format(
            organization=review.self_assessment.organization
        ),
    )
    return _go_on(request, review)


def _go_on(request: HttpRequest, review: Review) -> HttpResponse:
    found = queueing.next_open(review, request.user)
    if found:
        return redirect("assessments:review_resume", found.pk)
    messages.info(request, gettext("没有其他待评的申报了。"))
    return redirect("assessments:review_list")
