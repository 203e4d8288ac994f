"""Reviewing: assignment, a reviewer's scores, and what several reviewers' scores come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.db import transaction

from assessments import answering, permissions
from assessments.choices import Outcome, State
from assessments.entries import Entry, Merge, merge
from assessments.models import (
    Decision,
    DecisionCriterion,
    Indicator,
    Review,
    ReviewScore,
    SelfAssessment,
    Veto,
)
from assessments.scoring import (
    AssessmentResult,
    IndicatorResult,
    discrepant_criteria,
    is_answered,
    mean_indicator,
    score_assessment,
    score_indicator,
    storable,
)
from assessments.worksheet import Line
from organizations.audit import record
from organizations.models import User

#: States in which a reviewer can be given a self-assessment.
ASSIGNABLE_STATES = (State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW)


class NotAllowed(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


@dataclass
class Saved:
    """What became of a scoring page: see `answering.Saved`."""

    stored: int = 0
    conflicts: dict[int, ReviewScore] = field(default_factory=dict)


@transaction.atomic
def assign(assessment: SelfAssessment, reviewer: User, by: User) -> Review:
    """Give the self-assessment to a reviewer (twice is once).

    Raises NotAllowed on a conflict of interest (回避) of the reviewer or of the one who assigns,
    a wrong state, or too many reviewers.
    """
    locked = _lock_for_lead(assessment, by)
    if locked.state not in ASSIGNABLE_STATES:
        raise NotAllowed(f"“{locked.organization}”目前是“{locked.get_state_display()}”，不能分派。")
    if not permissions.may_be_assigned(reviewer, locked.organization):
        raise NotAllowed(f"{reviewer} 不能评审“{locked.organization}”：须回避，或不是评审员。")
    existing = locked.reviews.filter(reviewer=reviewer).first()
    if existing:
        return existing
    if locked.reviews.count() >= required_reviewers(locked):
        raise NotAllowed(f"“{locked.organization}”的评审员已经满额。")
    review = Review.objects.create(
        self_assessment=locked, reviewer=reviewer, revision=locked.revision, assigned_by=by
    )
    _record("ASSIGN", locked, by, reviewer)
    return review


@transaction.atomic
def unassign(assessment: SelfAssessment, reviewer: User, by: User) -> None:
    """Take the self-assessment from a reviewer who has not completed it, or who must stand back
    (回避); the scores go too. Raises NotAllowed.
    """
    locked = _lock_for_lead(assessment, by)
    review = locked.reviews.filter(reviewer=reviewer).first()
    if review is None:
        return
    free = not permissions.has_conflict(reviewer, locked.organization)
    if (review.is_complete and free) or locked.state not in ASSIGNABLE_STATES:
        raise NotAllowed(f"“{locked.organization}”的评审已经完成，不能取消分派。")
    review.delete()
    _record("UNASSIGN", locked, by, reviewer)


def _lock(assessment: SelfAssessment) -> SelfAssessment:
    return (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )


def _lock_for_lead(assessment: SelfAssessment, by: User) -> SelfAssessment:
    locked = _lock(assessment)
    if not permissions.may_lead(by, locked):
        raise NotAllowed(f"您须回避“{locked.organization}”，不能分派。")
    return locked


def _record(action: str, assessment: SelfAssessment, by: User, reviewer: User) -> None:
    details = answering.capacity(by, assessment) | {"reviewer": reviewer.username}
    record(action=action, by=by, subject=assessment, details=details)


def required_reviewers(assessment: SelfAssessment) -> int:
    """How many reviewers the campaign wants for this tier (评审人数)."""
    return (
        assessment.campaign.policies.filter(tier=assessment.rubric.tier)
        .values_list("reviewers", flat=True)
        .get()
    )


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
    revision that was scored are emptied (remarks stay), so that they are judged anew. Returns
    the codes of what changed."""
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
    locked = _lock(review.self_assessment)
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


def results_of(
    assessment: SelfAssessment, reviews: Iterable[Review], lines: Iterable[Line]
) -> list[dict[int, list[IndicatorResult]]]:
    """For each review, its results by criterion number: one query for all scores."""
    reviews, lines = list(reviews), list(lines)
    by_review: dict[int, dict[int, ReviewScore]] = {review.pk: {} for review in reviews}
    for score in ReviewScore.objects.filter(review__in=reviews):
        by_review[score.review_id][score.indicator_id] = score
    found = []
    for review in reviews:
        results: dict[int, list[IndicatorResult]] = {}
        for line in lines:
            score = by_review[review.pk].get(line.indicator.pk) or ReviewScore()
            results.setdefault(line.indicator.criterion.number, []).append(
                score_indicator(line.indicator.rule, score.rating, assessment.campaign.thresholds)
            )
        found.append(results)
    return found


@dataclass(frozen=True)
class Verdict:
    """What the completed reviews come to. `discrepant` names the criteria in which two
    reviewers are too far apart for a mean to be fair."""

    result: AssessmentResult
    vetoes: tuple[str, ...]
    discrepant: tuple[int, ...]
    reviewers: int

    @property
    def outcome(self) -> Outcome:
        return Outcome.AT_STANDARD if self.result.at_standard else Outcome.NOT_AT_STANDARD


def verdict_of(assessment: SelfAssessment, lines: Iterable[Line]) -> Verdict:
    """The mean of the completed reviews by the one rule of the scoring, with the vetoes."""
    thresholds = assessment.campaign.thresholds
    completed = [review for review in assessment.reviews.all() if review.is_complete]
    lines = list(lines)
    rules = {line.indicator.code: line.indicator.rule for line in lines}
    each = results_of(assessment, completed, lines)
    vetoes = tuple(
        Veto.objects.filter(
            campaign=assessment.campaign_id, organization=assessment.organization_id
        ).values_list("reason", flat=True)
    )
    merged = {
        number: [
            mean_indicator(rules[same[0].code], same, thresholds)
            for same in zip(*(results[number] for results in each), strict=True)
        ]
        for number in (each[0] if each else {})
    }
    return Verdict(
        result=score_assessment(merged, thresholds, vetoed=bool(vetoes)),
        vetoes=vetoes,
        discrepant=discrepant_criteria(
            [score_assessment(results, thresholds) for results in each],
            assessment.campaign.discrepancy_percent,
        )
        if len(each) > 1
        else (),
        reviewers=len(each),
    )


def record_decision(
    assessment: SelfAssessment, verdict: Verdict, *, opinion: str, by: User, at: dt.datetime
) -> Decision:
    """Write the decision with its six criteria."""
    decision = Decision.objects.create(
        self_assessment=assessment,
        revision=assessment.revision,
        total=storable(verdict.result.total),
        outcome=verdict.outcome,
        opinion=opinion,
        decided_by=by,
        decided_at=at,
    )
    DecisionCriterion.objects.bulk_create(
        DecisionCriterion(
            decision=decision,
            number=criterion.number,
            points=storable(criterion.points),
            maximum=storable(criterion.maximum),
            met=criterion.met,
        )
        for criterion in verdict.result.criteria
    )
    return decision
