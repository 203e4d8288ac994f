"""Reviewing: what a reviewer scores, and what keeps a review from being completed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.db import transaction

from assessments import answering, assigning, deadlines, permissions
from assessments.assigning import NotAllowed
from assessments.choices import State
from assessments.entries import Entry, Merge, merge
from assessments.models import Indicator, Review, ReviewScore, SelfAssessment
from assessments.scoring import is_answered, score_indicator
from assessments.worksheet import Line
from organizations.models import User


@dataclass
class Saved:
    """What became of a scoring page: see `answering.Saved`."""

    stored: int = 0
    conflicts: dict[int, ReviewScore] = field(default_factory=dict)


def entry_of(score: ReviewScore) -> Entry:
    return Entry(score.rating, {"remark": score.remark})


def shown_entry(line: Line, score: ReviewScore | None) -> Entry:
    """What a scoring page shows: the stored score, or what the reviewer starts from, with the
    remark that is there already."""
    if score and is_answered(line.indicator.rule, score.rating):
        return entry_of(score)
    return Entry(replace(line.answer.rating, score=None), {"remark": score.remark if score else ""})


def clear_outdated(assessment: SelfAssessment) -> list[str]:
    """After a resubmission: scores of indicators whose answer or evidence has changed since the
    revision that was scored are emptied (remarks stay) and adjusted ones lapse, so that they are
    judged anew. Returns the codes of what changed."""
    contents = dict(assessment.revisions.values_list("number", "content"))
    latest = contents[assessment.revision]
    changed: set[str] = set()
    for review in assessment.reviews.all():
        before = contents.get(review.revision, latest)
        codes = {code for code, content in latest.items() if before.get(code) != content}
        review.scores.filter(indicator__code__in=codes).update(
            score=None, checked_items=None, numerator=None, denominator=None, not_applicable=False
        )
        changed |= codes
    assessment.adjustments.filter(indicator__code__in=changed, lapsed_at=None).update(
        lapsed_at=deadlines.now()
    )
    return sorted(changed)


def why_not_scorable(review: Review, by: User) -> str | None:
    """Why scores cannot be written now, in the words of the screen; None if they can."""
    assessment = review.self_assessment
    if review.reviewer_id != by.pk or not permissions.may_review(by, assessment):
        return "您不能评审这个工会（须回避，或已取消分派）。"
    if assessment.state != State.UNDER_REVIEW:
        return f"该申报目前是“{assessment.get_state_display()}”，不能评分。"
    if review.is_complete:
        return "您已完成这份评审，不能再改分。如需修改，请联系评审组长。"
    return None


@transaction.atomic
def save(
    review: Review, changes: Iterable[answering.Change], by: User, revision: int | None = None
) -> Saved:
    """Store a reviewer's scores; nothing that was stored from another window is overwritten.
    `revision` is the one that the page showed, if it showed one.

    Raises NotAllowed.
    """
    locked = assigning.lock(review.self_assessment)
    current = Review.objects.filter(pk=review.pk).first()
    if current is None:
        raise NotAllowed("这份评审已经取消分派。")
    current.self_assessment = locked
    reason = why_not_scorable(current, by)
    if reason:
        raise NotAllowed(reason)
    if revision is not None and revision != locked.revision:
        raise NotAllowed("申报工会已经重新提交，请打开新的内容再评分。")
    claimed = set(locked.answers.filter(not_applicable=True).values_list("indicator", flat=True))
    scores = {score.indicator_id: score for score in current.scores.all()}
    outcome = Saved()
    to_create, to_update = [], []
    for change in changes:
        indicator, entry = change.indicator, change.entry
        if entry.rating.not_applicable and indicator.pk not in claimed:
            entry = replace(entry, rating=replace(entry.rating, not_applicable=False))
        score = scores.get(indicator.pk) or ReviewScore(review=current, indicator=indicator)
        stored = entry_of(score)
        if is_answered(indicator.rule, score.rating):
            verdict = merge(typed=entry, seen=change.seen, stored=stored)
        else:
            # What the page proposed becomes the reviewer's own by saving.
            same = entry.fingerprint == stored.fingerprint
            verdict = Merge.UNTOUCHED if same else Merge.APPLY
        if verdict is Merge.CONFLICT:
            outcome.conflicts[indicator.pk] = score
        elif verdict is Merge.APPLY:
            score.apply(entry.rating)
            score.remark = entry.texts["remark"]
            (to_update if score.pk else to_create).append(score)
    ReviewScore.objects.bulk_create(to_create)
    ReviewScore.objects.bulk_update(
        to_update,
        ["score", "checked_items", "numerator", "denominator", "not_applicable", "remark"],
    )
    outcome.stored = len(to_create) + len(to_update)
    return outcome


@dataclass(frozen=True)
class Gap:
    """An indicator that keeps a review from being completed, and why."""

    criterion: int
    indicator: Indicator
    text: str


def gaps(
    assessment: SelfAssessment, scores: dict[int, ReviewScore], lines: Iterable[Line]
) -> list[Gap]:
    """What a reviewer has still to do: an unscored indicator, and a missing remark where the
    points are below the self-score or a claimed “not applicable” is refused."""
    found = []
    thresholds = assessment.campaign.thresholds
    for line in lines:
        indicator = line.indicator
        number = indicator.criterion.number
        score = scores.get(indicator.pk)
        if score is None or not is_answered(indicator.rule, score.rating):
            found.append(Gap(number, indicator, "尚未评分"))
            continue
        if score.not_applicable and not line.answer.not_applicable:
            found.append(Gap(number, indicator, "申报工会没有申报“不适用”，请评分"))
            continue
        result = score_indicator(indicator.rule, score.rating, thresholds)
        refused = line.answer.not_applicable and not score.not_applicable
        lower = (
            result.is_applicable
            and line.result.points is not None
            and (result.points or 0) < line.result.points
        )
        if not score.remark and refused:
            found.append(Gap(number, indicator, "不认可“不适用”，请写明理由"))
        elif not score.remark and lower:
            found.append(Gap(number, indicator, "低于自评分，请写明扣分理由"))
    return found
