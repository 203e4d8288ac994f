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

    Raises NotAllowed on a conflict of interest (回避), a wrong state, or too many reviewers.
    """
    locked = _lock(assessment)
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
    """Take the self-assessment from a reviewer who has not completed it; the scores go too.

    Raises NotAllowed.
    """
    locked = _lock(assessment)
    review = locked.reviews.filter(reviewer=reviewer).first()
    if review is None:
        return
    if review.is_complete or locked.state not in ASSIGNABLE_STATES:
        raise NotAllowed("评审已经完成，不能取消分派。")
    review.delete()
    _record("UNASSIGN", locked, by, reviewer)


def _lock(assessment: SelfAssessment) -> SelfAssessment:
    return (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )


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


def proposed_entry(line: Line) -> Entry:
    """What a reviewer starts from: the union's facts where points follow from facts, its claim
    that an indicator does not apply, and no score where one must be judged."""
    return Entry(replace(line.answer.rating, score=None), {"remark": ""})


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
def save(review: Review, changes: Iterable[answering.Change], by: User) -> Saved:
    """Store a reviewer's scores; nothing that was stored from another window is overwritten.

    Raises NotAllowed.
    """
    review.self_assessment = _lock(review.self_assessment)
    review.refresh_from_db(fields=["completed_at"])
    reason = why_not_scorable(review, by)
    if reason:
        raise NotAllowed(reason)
    scores = {score.indicator_id: score for score in review.scores.all()}
    outcome = Saved()
    to_create, to_update = [], []
    for change in changes:
        score = scores.get(change.indicator.pk)
        if score is None:
            # Nothing is stored: whatever the page proposed becomes the reviewer's own by saving.
            fresh = ReviewScore(review=review, indicator=change.indicator)
            if change.entry.fingerprint != entry_of(fresh).fingerprint:
                _apply(fresh, change.entry)
                to_create.append(fresh)
            continue
        verdict = merge(typed=change.entry, seen=change.seen, stored=entry_of(score))
        if verdict is Merge.CONFLICT:
            outcome.conflicts[change.indicator.pk] = score
        elif verdict is Merge.APPLY:
            _apply(score, change.entry)
            to_update.append(score)
    ReviewScore.objects.bulk_create(to_create)
    ReviewScore.objects.bulk_update(
        to_update,
        ["score", "checked_items", "numerator", "denominator", "not_applicable", "remark"],
    )
    outcome.stored = len(to_create) + len(to_update)
    return outcome


def _apply(score: ReviewScore, entry: Entry) -> None:
    score.apply(entry.rating)
    score.remark = entry.texts["remark"]


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
    each = results_of(assessment, completed, lines)
    vetoes = tuple(
        Veto.objects.filter(
            campaign=assessment.campaign_id, organization=assessment.organization_id
        ).values_list("reason", flat=True)
    )
    merged = {
        number: [
            mean_indicator(same)
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
