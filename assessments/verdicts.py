"""What the reviewers' scores come to, and the decision that is written from it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max

from assessments import deadlines
from assessments.choices import AdjustmentSource, Outcome
from assessments.models import (
    Adjustment,
    Campaign,
    Decision,
    DecisionCriterion,
    DecisionScore,
    Indicator,
    PendingDecision,
    Review,
    ReviewScore,
    SelfAssessment,
    Veto,
)
from assessments.scoring import (
    MERGES,
    AssessmentResult,
    IndicatorResult,
    Rating,
    discrepant_criteria,
    score_assessment,
    score_indicator,
    storable,
)
from assessments.worksheet import Line
from organizations.models import User


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


def result_of(
    assessment: SelfAssessment, review: Review, lines: Iterable[Line]
) -> AssessmentResult:
    """What one review comes to by itself."""
    (results,) = results_of(assessment, [review], lines)
    return score_assessment(results, assessment.campaign.thresholds)


def digest_of(parts: Iterable[object]) -> str:
    """Tells apart values that differ anywhere."""
    return hashlib.sha256(repr(list(parts)).encode()).hexdigest()[:20]


def as_digits(numbers: Iterable[int]) -> str:
    """The numbers of criteria (1–6) as `SelfAssessment.discrepant` keeps them."""
    return "".join(str(number) for number in sorted(numbers))


@dataclass(frozen=True)
class Verdict:
    """What the completed reviews come to. `results` are the indicators' by criterion number.
    `discrepant` names the criteria in which two reviewers are too far apart for a mean to be
    fair, and which nobody has arbitrated; `arbitrated` those that somebody has."""

    result: AssessmentResult
    results: dict[int, list[IndicatorResult]]
    vetoes: tuple[str, ...]
    discrepant: tuple[int, ...]
    reviewers: int
    arbitrated: tuple[int, ...] = ()

    @property
    def stamp(self) -> str:
        """Tells apart two verdicts on a submission."""
        return digest_of([self.result, self.results, self.vetoes, self.discrepant])

    @property
    def outcome(self) -> Outcome:
        return Outcome.AT_STANDARD if self.result.at_standard else Outcome.NOT_AT_STANDARD


def verdict_of(assessment: SelfAssessment, lines: Iterable[Line]) -> Verdict:
    """The mean of the completed reviews (or their median, as the campaign has it), adjusted scores
    in place of it where the city has set any, by the one rule of the scoring, with the vetoes."""
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
    adjusted = {
        adjustment.indicator.code: adjustment.rating
        for adjustment in assessment.adjustments.filter(lapsed_at=None).select_related("indicator")
    }

    def merge(same: tuple[IndicatorResult, ...]) -> IndicatorResult:
        rule = rules[same[0].code]
        if rule.code in adjusted:
            return score_indicator(rule, adjusted[rule.code], thresholds)
        return MERGES[assessment.campaign.several_reviewers](rule, same, thresholds)

    merged = {
        number: [merge(same) for same in zip(*(results[number] for results in each), strict=True)]
        for number in (each[0] if each else {})
    }
    apart: tuple[int, ...] = ()
    arbitrated: tuple[int, ...] = ()
    if len(each) > 1:
        apart = discrepant_criteria(
            [score_assessment(results, thresholds) for results in each],
            assessment.campaign.discrepancy_percent,
        )
    if apart:
        settled = assessment.arbitrations.filter(lapsed_at=None).values_list("number", flat=True)
        arbitrated = tuple(sorted(set(settled)))
    return Verdict(
        result=score_assessment(merged, thresholds, vetoed=bool(vetoes)),
        results=merged,
        vetoes=vetoes,
        discrepant=tuple(number for number in apart if number not in arbitrated),
        reviewers=len(each),
        arbitrated=arbitrated,
    )


def adjust(
    assessment: SelfAssessment,
    indicator: Indicator,
    rating: Rating,
    *,
    source: AdjustmentSource,
    reason: str,
    by: User,
) -> Adjustment:
    """Set a score in place of what the reviewers come to; an earlier adjustment lapses. The
    caller holds the lock of the self-assessment, has asked who may, and puts it on record."""
    at = deadlines.now()
    assessment.adjustments.filter(indicator=indicator, lapsed_at=None).update(lapsed_at=at)
    adjustment = Adjustment(
        self_assessment=assessment,
        indicator=indicator,
        revision=assessment.revision,
        source=source,
        reason=reason,
        author=by,
        at=at,
    )
    adjustment.apply(rating)
    adjustment.save()
    return adjustment


def record_decision(
    assessment: SelfAssessment,
    verdict: Verdict,
    *,
    opinion: str,
    by: User,
    at: dt.datetime,
    pending: PendingDecision | None = None,
) -> Decision:
    """Write the decision with its six criteria and what was decided for each indicator, and give
    it the next number of the campaign. `pending` is its line in a list, with the override."""
    Campaign.objects.select_for_update().get(pk=assessment.campaign_id)  # one number at a time
    last = Decision.objects.filter(campaign=assessment.campaign_id).aggregate(last=Max("number"))
    decision = Decision(
        self_assessment=assessment,
        campaign_id=assessment.campaign_id,
        number=(last["last"] or 0) + 1,
        revision=assessment.revision,
        total=storable(verdict.result.total),
        outcome=verdict.outcome,
        computed_outcome=verdict.outcome,
        opinion=opinion,
        decided_by=by,
        decided_at=at,
    )
    if pending is not None:
        decision.batch_id = pending.batch_id
        if pending.override and pending.confirmed_by_id:
            decision.outcome = pending.override
            decision.override_reason = pending.override_reason
            decision.overridden_by_id = pending.override_by_id
            decision.override_confirmed_by_id = pending.confirmed_by_id
    decision.save(force_insert=True)
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
    indicators = {
        indicator.code: indicator
        for indicator in Indicator.objects.filter(criterion__rubric=assessment.rubric_id)
    }
    DecisionScore.objects.bulk_create(
        DecisionScore(
            decision=decision,
            indicator=indicators[scored.code],
            points=storable(scored.points or Decimal()),
            maximum=storable(scored.maximum),
            met=scored.met,
        )
        for results in verdict.results.values()
        for scored in results
    )
    return decision
