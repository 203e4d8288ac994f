"""Writing decisions (评定), many at a time: the six criteria, what was decided for each indicator and
why, and the number of the letter."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from assessments import worksheet
from assessments.models import (
    Adjustment,
    Campaign,
    Decision,
    DecisionCriterion,
    DecisionScore,
    PendingDecision,
    Review,
    ReviewScore,
    SelfAssessment,
)
from assessments.scoring import ZERO, IndicatorResult, storable
from assessments.verdicts import Verdict
from organizations.models import User


@dataclass(frozen=True)
class Ruling:
    """What is to be decided of one self-assessment. `pending` is its line in a list, with the
    override."""

    assessment: SelfAssessment
    verdict: Verdict
    opinion: str = ""
    pending: PendingDecision | None = None


def write(rulings: Sequence[Ruling], *, by: User, at: dt.datetime) -> list[Decision]:
    """Write the decisions, numbered in the order given, under the locks of the caller, who has asked
    whether they may stand. Seven queries, and two for each campaign, however many there are."""
    numbers = _next_numbers({ruling.assessment.campaign_id for ruling in rulings})
    made = [_decision(ruling, by, at) for ruling in rulings]
    for decision in made:
        decision.number = numbers[decision.campaign_id]
        numbers[decision.campaign_id] += 1
    Decision.objects.bulk_create(made)
    DecisionCriterion.objects.bulk_create(
        DecisionCriterion(
            decision=decision,
            number=criterion.number,
            points=storable(criterion.points),
            maximum=storable(criterion.maximum),
            met=criterion.met,
        )
        for decision, ruling in zip(made, rulings, strict=True)
        for criterion in ruling.verdict.result.criteria
    )
    reasons = _reasons([ruling.assessment.pk for ruling in rulings])
    DecisionScore.objects.bulk_create(
        _score(decision, indicator, result, reasons)
        for decision, ruling in zip(made, rulings, strict=True)
        for indicator, result in _results(ruling)
    )
    return made


def _next_numbers(campaigns: Iterable[int]) -> dict[int, int]:
    """By campaign. Its lock keeps two at once from taking the same number; it comes after the locks
    of the self-assessments."""
    locked = Campaign.objects.filter(pk__in=campaigns).order_by("pk")
    return {
        campaign.pk: 1
        + (Decision.objects.filter(campaign=campaign).aggregate(last=Max("number"))["last"] or 0)
        for campaign in locked.select_for_update(no_key=True)
    }


def _decision(ruling: Ruling, by: User, at: dt.datetime) -> Decision:
    decision = Decision(
        self_assessment=ruling.assessment,
        campaign_id=ruling.assessment.campaign_id,
        revision=ruling.assessment.revision,
        total=storable(ruling.verdict.result.total),
        outcome=ruling.verdict.outcome,
        computed_outcome=ruling.verdict.outcome,
        opinion=ruling.opinion,
        decided_by=by,
        decided_at=at,
    )
    if pending := ruling.pending:
        decision.batch_id = pending.batch_id
        if pending.override and pending.confirmed_by_id:
            decision.outcome = pending.override
            decision.override_reason = pending.override_reason
            decision.overridden_by_id = pending.override_by_id
            decision.override_confirmed_by_id = pending.confirmed_by_id
    return decision


def _results(ruling: Ruling) -> Iterable[tuple[int, IndicatorResult]]:
    """The key of each indicator, and what it comes to."""
    keys = {
        indicator.code: indicator.pk
        for _, some in worksheet.outline(ruling.assessment.rubric_id)
        for indicator in some
    }
    for results in ruling.verdict.results.values():
        for result in results:
            yield keys[result.code], result


def _score(
    decision: Decision,
    indicator: int,
    result: IndicatorResult,
    reasons: Mapping[tuple[int, int], Sequence[str]],
) -> DecisionScore:
    points = result.points or ZERO
    why = reasons.get((decision.self_assessment_id, indicator), ())
    return DecisionScore(
        decision=decision,
        indicator_id=indicator,
        points=storable(points),
        maximum=storable(result.maximum),
        met=result.met,
        remark="\n".join(dict.fromkeys(why)) if points < result.maximum else "",
    )


def _reasons(keys: Sequence[int]) -> dict[tuple[int, int], list[str]]:
    """Why points are missing, by self-assessment and indicator: the city's reason for a score of its
    own stands alone, else what the reviewers said."""
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    reviews = dict(
        Review.objects.filter(self_assessment__in=keys, completed_at__isnull=False).values_list(
            "pk", "self_assessment"
        )
    )
    remarks = ReviewScore.objects.filter(review__in=reviews).exclude(remark="").order_by("review")
    for review, indicator, remark in remarks.values_list("review", "indicator", "remark"):
        found[reviews[review], indicator].append(remark)
    standing = Adjustment.objects.filter(self_assessment__in=keys, lapsed_at=None)
    for key, indicator, reason in standing.values_list("self_assessment", "indicator", "reason"):
        found[key, indicator] = [reason]
    return found
