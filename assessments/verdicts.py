"""What the reviewers' scores come to: of one, or of many by a fixed number of queries."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from assessments import deadlines, worksheet
from assessments.choices import AdjustmentSource, Outcome
from assessments.models import (
    Adjustment,
    Arbitration,
    Indicator,
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
)
from assessments.worksheet import Line
from organizations.models import User

#: So many self-assessments are reckoned at a time.
BATCH = 200
Scores = Mapping[int, Mapping[int, ReviewScore]]
Results = dict[int, list[IndicatorResult]]


def scores_of(reviews: Iterable[Review]) -> Scores:
    """All scores of some reviews, by review and indicator: one query."""
    found: dict[int, dict[int, ReviewScore]] = defaultdict(dict)
    for score in ReviewScore.objects.filter(review__in=[review.pk for review in reviews]):
        found[score.review_id][score.indicator_id] = score
    return found


def _results(
    assessment: SelfAssessment, review: Review, indicators: Iterable[Indicator], scores: Scores
) -> Results:
    """What one review comes to at each indicator, by criterion number."""
    own, thresholds = scores.get(review.pk, {}), assessment.campaign.thresholds
    results: Results = {}
    for indicator in indicators:
        score = own.get(indicator.pk) or ReviewScore()
        results.setdefault(indicator.criterion.number, []).append(
            score_indicator(indicator.rule, score.rating, thresholds)
        )
    return results


def result_of(
    assessment: SelfAssessment, review: Review, lines: Iterable[Line]
) -> AssessmentResult:
    """What one review comes to by itself."""
    indicators = [line.indicator for line in lines]
    results = _results(assessment, review, indicators, scores_of([review]))
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

    def at(self, indicator: Indicator) -> IndicatorResult | None:
        """What they come to at one indicator."""
        found = self.results.get(indicator.criterion.number, ())
        return next((one for one in found if one.code == indicator.code), None)

    @property
    def outcome(self) -> Outcome:
        return Outcome.AT_STANDARD if self.result.at_standard else Outcome.NOT_AT_STANDARD


def verdict_of(
    assessment: SelfAssessment, lines: Iterable[Line], scores: Scores | None = None
) -> Verdict:
    """The mean of the completed reviews (or their median, as the campaign has it), adjusted scores
    in place of it where the city has set any, by the one rule of the scoring, with the vetoes. `scores` are
    those of the completed reviews, if they have been read already."""
    indicators = [line.indicator for line in lines]
    return _verdicts([(assessment, indicators)], scores)[assessment.pk]


def verdicts_of(assessments: Iterable[SelfAssessment]) -> dict[int, Verdict]:
    """The verdicts of many, by key: four queries for all of them. They come with their campaign,
    and with their reviews prefetched."""
    return _verdicts(
        [
            (one, [each for _, some in worksheet.outline(one.rubric_id) for each in some])
            for one in assessments
        ]
    )


def _verdicts(
    pairs: Sequence[tuple[SelfAssessment, Sequence[Indicator]]], scores: Scores | None = None
) -> dict[int, Verdict]:
    assessments = [assessment for assessment, _ in pairs]
    completed = {
        one.pk: [review for review in one.reviews.all() if review.is_complete]
        for one in assessments
    }
    if scores is None:
        scores = scores_of(review for some in completed.values() for review in some)
    vetoes, adjusted = _vetoes(assessments), _adjusted(assessments)
    found, apart = {}, []
    for assessment, indicators in pairs:
        verdict = _reckon(
            assessment,
            indicators,
            completed[assessment.pk],
            scores,
            vetoes[assessment.campaign_id, assessment.organization_id],
            adjusted[assessment.pk],
        )
        found[assessment.pk] = verdict
        if verdict.discrepant:
            apart.append(assessment.pk)
    if apart:
        settled: dict[int, set[int]] = defaultdict(set)
        standing = Arbitration.objects.filter(self_assessment__in=apart, lapsed_at=None)
        for key, number in standing.values_list("self_assessment", "number"):
            settled[key].add(number)
        for key in apart:
            found[key] = replace(
                found[key],
                discrepant=tuple(n for n in found[key].discrepant if n not in settled[key]),
                arbitrated=tuple(sorted(settled[key])),
            )
    return found


def _vetoes(assessments: Iterable[SelfAssessment]) -> dict[tuple[int, int], tuple[str, ...]]:
    """Reasons by campaign and organization, in the order in which they were recorded."""
    found: dict[tuple[int, int], tuple[str, ...]] = defaultdict(tuple)
    vetoes = Veto.objects.filter(
        campaign__in={one.campaign_id for one in assessments},
        organization__in=[one.organization_id for one in assessments],
    )
    for campaign, organization, reason in vetoes.order_by("pk").values_list(
        "campaign", "organization", "reason"
    ):
        found[campaign, organization] += (reason,)
    return found


def _adjusted(assessments: Iterable[SelfAssessment]) -> dict[int, dict[str, Rating]]:
    """The scores that the city has set, by self-assessment and code."""
    found: dict[int, dict[str, Rating]] = defaultdict(dict)
    for adjustment in Adjustment.objects.filter(
        self_assessment__in=[one.pk for one in assessments], lapsed_at=None
    ).select_related("indicator"):
        found[adjustment.self_assessment_id][adjustment.indicator.code] = adjustment.rating
    return found


def _reckon(
    assessment: SelfAssessment,
    indicators: Sequence[Indicator],
    completed: Sequence[Review],
    scores: Scores,
    vetoes: tuple[str, ...],
    adjusted: Mapping[str, Rating],
) -> Verdict:
    """The verdict of one, of which no criterion has been arbitrated."""
    thresholds = assessment.campaign.thresholds
    rules = {indicator.code: indicator.rule for indicator in indicators}
    each = [_results(assessment, review, indicators, scores) for review in completed]

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
    if len(each) > 1:
        apart = discrepant_criteria(
            [score_assessment(results, thresholds) for results in each],
            assessment.campaign.discrepancy_percent,
        )
    return Verdict(
        result=score_assessment(merged, thresholds, vetoed=bool(vetoes)),
        results=merged,
        vetoes=vetoes,
        discrepant=apart,
        reviewers=len(each),
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
    """Set a score in place of what the reviewers come to; an earlier adjustment lapses. The caller holds the lock of the self-assessment, has asked who may, and puts it on record."""
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
