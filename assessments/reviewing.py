"""Reviewing: what a reviewer scores, and what keeps a review from being completed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils.translation import gettext

from assessments import answering, assigning, deadlines, permissions
from assessments.assigning import NotAllowed
from assessments.choices import State
from assessments.entries import Entry, Merge, merge
from assessments.models import Answer, Indicator, Review, ReviewScore, SelfAssessment
from assessments.scoring import ZERO, IndicatorRule, is_answered, score_indicator
from assessments.worksheet import Line
from organizations.models import User

#: A longer gap between two savings is a pause, and does not count as time spent.
LONGEST_PAUSE = dt.timedelta(minutes=5)
#: What a reviewer says to a claimed “not applicable”.
ACCEPT, REFUSE = "accept", "refuse"


@dataclass
class Saved:
    """What became of a scoring page: see `answering.Saved`."""

    stored: int = 0
    conflicts: dict[int, ReviewScore] = field(default_factory=dict)


def entry_of(score: ReviewScore) -> Entry:
    """`claim` is the refusal of a claimed “not applicable”; the acceptance is in the rating."""
    return Entry(
        score.rating, {"remark": score.remark, "claim": REFUSE if score.claim_refused else ""}
    )


def shown_entry(rule: IndicatorRule, answer: Answer, score: ReviewScore | None) -> Entry:
    """What a scoring page shows: the stored score, or what the reviewer starts from, with the
    remark that is there already. A claimed “not applicable” is neither accepted nor refused to
    begin with."""
    own = entry_of(score) if score else Entry(texts={"remark": "", "claim": ""})
    if is_answered(rule, own.rating):
        return own
    return Entry(replace(answer.rating, score=None, not_applicable=False), own.texts)


def clear_outdated(assessment: SelfAssessment) -> list[str]:
    """After a resubmission: scores of indicators whose answer or evidence has changed since the
    revision that was scored are emptied (remarks stay) and adjusted ones lapse, so that they are
    judged anew. Returns the codes of what changed."""
    reviews = list(assessment.reviews.all())
    numbers = {assessment.revision, *(review.revision for review in reviews)}
    revisions = assessment.revisions.filter(number__in=numbers)
    contents = dict(revisions.values_list("number", "content"))
    changed: set[str] = set()
    for review in reviews:
        changed |= assigning.clear_changed(review, contents, assessment.revision)
    assessment.adjustments.filter(indicator__code__in=changed, lapsed_at=None).update(
        lapsed_at=deadlines.now()
    )
    return sorted(changed)


def why_not_scorable(review: Review, by: User) -> str | None:
    """Why scores cannot be written now, in the words of the screen; None if they can."""
    assessment = review.self_assessment
    if review.reviewer_id != by.pk or not permissions.may_review(by, assessment):
        return gettext("您不能评审这个工会（须回避，或已取消分派）。")
    if assessment.state != State.UNDER_REVIEW:
        return gettext("该申报目前是“{state}”，不能评分。").format(
            state=assessment.get_state_display()
        )
    if review.is_complete:
        return gettext("您已完成这份评审，不能再改分。如需修改，请联系评审组长。")
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
        raise NotAllowed(gettext("这份评审已经取消分派。"))
    current.self_assessment = locked
    reason = why_not_scorable(current, by)
    if reason:
        raise NotAllowed(reason)
    if revision is not None and revision != locked.revision:
        raise NotAllowed(gettext("申报工会已经重新提交，请打开新的内容再评分。"))
    answers = {answer.indicator_id: answer for answer in locked.answers.all()}
    scores = {score.indicator_id: score for score in current.scores.all()}
    outcome = Saved()
    to_create, to_update = [], []
    now = deadlines.now()
    for change in changes:
        indicator, entry = change.indicator, change.entry
        answer = answers.get(indicator.pk) or Answer()
        if not answer.not_applicable:
            entry = Entry(replace(entry.rating, not_applicable=False), {**entry.texts, "claim": ""})
        score = scores.get(indicator.pk) or ReviewScore(review=current, indicator=indicator)
        stored = entry_of(score)
        if is_answered(indicator.rule, score.rating):
            verdict = merge(typed=entry, seen=change.seen, stored=stored)
        else:
            # What the page proposed becomes the reviewer's own by saving.
            shown = shown_entry(indicator.rule, answer, score).fingerprint
            verdict = Merge.APPLY
            if entry.fingerprint == stored.fingerprint:
                verdict = Merge.UNTOUCHED
            elif score.pk and change.seen not in ("", shown):
                verdict = Merge.CONFLICT
        if verdict is Merge.CONFLICT:
            outcome.conflicts[indicator.pk] = score
        elif verdict is Merge.APPLY:
            score.apply(entry.rating)
            score.remark = entry.texts["remark"]
            score.claim_refused = entry.texts.get("claim") == REFUSE
            score.saved_at = now
            (to_update if score.pk else to_create).append(score)
    ReviewScore.objects.bulk_create(to_create)
    ReviewScore.objects.bulk_update(
        to_update,
        [
            "score",
            "checked_items",
            "numerator",
            "denominator",
            "not_applicable",
            "claim_refused",
            "remark",
            "saved_at",
        ],
    )
    outcome.stored = len(to_create) + len(to_update)
    if outcome.stored:
        _count_time(current, now)
    return outcome


def _count_time(review: Review, now: dt.datetime) -> None:
    """The time since the last saving, unless that was a pause. The caller holds the lock."""
    gap = now - review.last_saved_at if review.last_saved_at else LONGEST_PAUSE * 2
    if dt.timedelta() < gap <= LONGEST_PAUSE:
        review.active_seconds += round(gap.total_seconds())
    review.last_saved_at = now
    review.save(update_fields=["active_seconds", "last_saved_at"])


@dataclass(frozen=True)
class Gap:
    """An indicator that keeps a review from being completed, and why."""

    criterion: int
    indicator: Indicator
    text: str


def gaps(
    assessment: SelfAssessment, scores: dict[int, ReviewScore], lines: Iterable[Line]
) -> list[Gap]:
    """What a reviewer has still to do, in the order of the rubric: see `gap_at`."""
    found = []
    for line in lines:
        text = gap_at(assessment, scores.get(line.indicator.pk), line)
        if text:
            found.append(Gap(line.indicator.criterion.number, line.indicator, text))
    return found


def gap_at(assessment: SelfAssessment, score: ReviewScore | None, line: Line) -> str:
    """What is still missing at one indicator, in the words of the screen; empty if nothing is.

    A claimed “not applicable” must be accepted or refused; a refusal needs a score and a reason.
    Otherwise a score is needed, and a reason (the remark) wherever the points are below the full
    mark by more than the campaign's `remark_tolerance` – whether they were judged or follow from
    verified counts, and whatever the self-score was: since no self-score exceeds the full mark,
    nobody is scored below what they claimed without being told why.
    """
    rule = line.indicator.rule
    if line.answer.not_applicable:
        if score is None or not (score.not_applicable or score.claim_refused):
            return gettext("请选择认可或不认可“不适用”")
        if score.not_applicable:
            return ""
        if not is_answered(rule, score.rating):
            return gettext("不认可“不适用”，请评分")
        if not score.remark:
            return gettext("不认可“不适用”，请写明理由")
        return ""
    if score is None or not is_answered(rule, score.rating):
        return gettext("尚未评分")
    if score.not_applicable:
        return gettext("申报工会没有申报“不适用”，请评分")
    result = score_indicator(rule, score.rating, assessment.campaign.thresholds)
    lost = result.maximum - (result.points or ZERO)
    if lost > assessment.campaign.remark_tolerance and not score.remark:
        return gettext("低于满分，请写明理由")
    return ""
