"""The scoring: pure functions on plain data, Decimal in, Decimal out; no database, no clock.

One rule serves the self-score, a reviewer's scores and the decision alike (policy, section 三,
and the project defaults of the design). Points are compared exactly and rounded for show only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from django.utils.translation import gettext

from assessments.choices import IndicatorKind, SeveralReviewers

ZERO = Decimal(0)
HUNDRED = Decimal(100)
#: A judged score moves in steps of half a point.
SCORE_STEP = Decimal("0.5")


@dataclass(frozen=True)
class IndicatorRule:
    """What the scoring needs to know of an indicator. `max_points` > 0; `threshold_percent`
    in (0, 100], of a RATE only: a RATE without one is judged like a SCORE."""

    code: str
    kind: str
    max_points: Decimal
    mandatory: bool = False
    conditional: bool = False
    threshold_percent: Decimal | None = None
    checklist_items: tuple[str, ...] = ()
    numerator_label: str = ""
    denominator_label: str = ""

    @property
    def is_computed(self) -> bool:
        """Whether points follow from facts (items, counts) rather than from a judgement."""
        return self.kind == IndicatorKind.CHECKLIST or (
            self.kind == IndicatorKind.RATE and self.threshold_percent is not None
        )


@dataclass(frozen=True)
class Rating:
    """What somebody (the union, a reviewer) entered for one indicator. `checked_items` is None
    while nobody has looked at the list, and empty when none of its items is there."""

    score: Decimal | None = None
    checked_items: tuple[str, ...] | None = None
    numerator: int | None = None
    denominator: int | None = None
    not_applicable: bool = False


@dataclass(frozen=True)
class Thresholds:
    """The campaign's own lines, in percent and points (design, “Outcome”)."""

    criterion_pass_percent: Decimal = Decimal(80)
    pass_total: Decimal = Decimal(80)


@dataclass(frozen=True)
class IndicatorResult:
    """Points of one indicator. `points` is None while nothing was entered; `maximum` is zero
    for an indicator that does not apply."""

    code: str
    points: Decimal | None
    maximum: Decimal
    met: bool
    mandatory: bool = False

    @property
    def is_applicable(self) -> bool:
        return self.maximum > 0


@dataclass(frozen=True)
class CriterionResult:
    """One of the six. `met` is the “好”."""

    number: int
    points: Decimal
    maximum: Decimal
    met: bool
    unmet_mandatory: tuple[str, ...] = ()

    @property
    def percent(self) -> Decimal:
        return self.points / self.maximum * HUNDRED if self.maximum else HUNDRED


@dataclass(frozen=True)
class AssessmentResult:
    """All six criteria together. `total` is out of 100: what does not apply leaves the points
    and the maximum alike, and the rest is scaled up."""

    criteria: tuple[CriterionResult, ...]
    total: Decimal
    at_standard: bool

    @property
    def met_count(self) -> int:
        return sum(criterion.met for criterion in self.criteria)


def storable(value: Decimal) -> Decimal:
    """Cut to six places for a database column. Cutting, not rounding, so that `rounded` gives
    the same for the stored figure as for the exact one."""
    return value.quantize(Decimal("0.000001"), rounding=ROUND_DOWN)


def rounded(value: Decimal) -> Decimal:
    """Half up to 0.01, for show: the only rounding on screen, paper and in exports."""
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def rate_percent(numerator: int, denominator: int) -> Decimal | None:
    """numerator ÷ denominator in percent, exact; None without a denominator."""
    return Decimal(numerator) * HUNDRED / Decimal(denominator) if denominator else None


def reaches(numerator: int, denominator: int, threshold_percent: Decimal) -> bool:
    """Whether the rate reaches the threshold, compared by multiplication: 94.995 is not 95."""
    return Decimal(numerator) * HUNDRED >= threshold_percent * Decimal(denominator)


def score_problem(score: Decimal, maximum: Decimal) -> str | None:
    """Why a judged score is not allowed, in the words of the screen; None when it is."""
    if not score.is_finite():
        return gettext("请填写数字。")
    if score < 0:
        return gettext("得分不能为负数。")
    if score > maximum:
        return gettext("得分不能超过满分 {maximum:f} 分。").format(maximum=maximum.normalize())
    if score % SCORE_STEP:
        return gettext("得分以 0.5 分为一档，例如 2 或 2.5。")
    return None


def counts_problem(rule: IndicatorRule, numerator: int, denominator: int) -> dict[str, str]:
    """Messages by field (numerator, denominator) where two counts make no rate."""
    problems = {}
    if numerator < 0:
        problems["numerator"] = gettext("不能为负数。")
    if denominator <= 0:
        problems["denominator"] = gettext("“{denominator_label}”必须大于 0。").format(
            denominator_label=rule.denominator_label
        )
    elif numerator > denominator:
        problems["numerator"] = gettext(
            "“{numerator_label}”不能大于“{denominator_label}”（{denominator}）。"
        ).format(
            numerator_label=rule.numerator_label,
            denominator_label=rule.denominator_label,
            denominator=denominator,
        )
    return problems


def all_needed_below(threshold_percent: Decimal) -> int:
    """The denominator below which the threshold leaves nobody out: 20 for 95 %, 10 for 90 %."""
    missing = HUNDRED - threshold_percent
    return math.ceil(HUNDRED / missing) if missing else 0


def is_answered(rule: IndicatorRule, rating: Rating) -> bool:
    """Whether everything that the indicator's kind asks for has been entered."""
    if rating.not_applicable:
        return rule.conditional
    if rule.kind == IndicatorKind.CHECKLIST:
        return rating.checked_items is not None
    if rule.kind == IndicatorKind.RATE:
        if rating.numerator is None or rating.denominator is None:
            return False
        return rule.threshold_percent is not None or rating.score is not None
    return rating.score is not None


def score_indicator(
    rule: IndicatorRule, rating: Rating, thresholds: Thresholds = Thresholds()
) -> IndicatorResult:
    """Points of one indicator, and whether it is met.

    SCORE: as judged; met at `criterion_pass_percent` of the maximum (project default).
    CHECKLIST: in proportion to the items present; met only when all are.
    RATE with a threshold: maximum × min(1, rate ÷ threshold); met at or above the threshold.
    RATE without one: judged like a SCORE.
    """
    if rating.not_applicable and rule.conditional:
        return IndicatorResult(rule.code, ZERO, ZERO, met=True)
    maximum = rule.max_points
    if not is_answered(rule, rating):
        return IndicatorResult(rule.code, None, maximum, met=False, mandatory=rule.mandatory)
    if rule.kind == IndicatorKind.CHECKLIST:
        present = len(set(rule.checklist_items) & set(rating.checked_items or ()))
        points = maximum * present / len(rule.checklist_items)
        met = present == len(rule.checklist_items)
    elif rule.kind == IndicatorKind.RATE and rule.threshold_percent is not None:
        assert rating.numerator is not None
        assert rating.denominator is not None
        met = reaches(rating.numerator, rating.denominator, rule.threshold_percent)
        points = (
            maximum
            if met
            else maximum
            * (Decimal(rating.numerator) * HUNDRED)
            / (rule.threshold_percent * Decimal(rating.denominator))
        )
    else:
        assert rating.score is not None
        points = rating.score
        met = points * HUNDRED >= thresholds.criterion_pass_percent * maximum
    return IndicatorResult(rule.code, points, maximum, met=met, mandatory=rule.mandatory)


def mean_indicator(
    rule: IndicatorRule,
    results: Sequence[IndicatorResult],
    thresholds: Thresholds = Thresholds(),
) -> IndicatorResult:
    """Several reviewers' results of one indicator as one: the mean of those to whom it applies.
    A judged one is met when the mean is high enough; a fact (items, counts) when all find it so.
    It applies unless all find that it does not."""
    return _merged(rule, results, thresholds, mean, all)


def median_indicator(
    rule: IndicatorRule,
    results: Sequence[IndicatorResult],
    thresholds: Thresholds = Thresholds(),
) -> IndicatorResult:
    """The same by the median: one reviewer who is far off changes nothing. A fact is met when
    more than half find it so."""
    return _merged(rule, results, thresholds, median, _most)


def mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values, ZERO) / len(values)


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle one; of an even number the mean of the middle two."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(ordered) % 2 else mean(ordered[middle - 1 : middle + 1])


def _most(found: Sequence[bool]) -> bool:
    return 2 * sum(found) > len(found)


def _merged(
    rule: IndicatorRule,
    results: Sequence[IndicatorResult],
    thresholds: Thresholds,
    middle: Callable[[Sequence[Decimal]], Decimal],
    agreed: Callable[[Sequence[bool]], bool],
) -> IndicatorResult:
    applicable = [result for result in results if result.is_applicable]
    if not applicable:
        return results[0]
    scored = [result.points for result in applicable if result.points is not None]
    points = middle(scored) if scored else None
    met = agreed([result.met for result in applicable])
    if points is not None and not rule.is_computed:
        met = points * HUNDRED >= thresholds.criterion_pass_percent * rule.max_points
    return IndicatorResult(rule.code, points, rule.max_points, met=met, mandatory=rule.mandatory)


#: How several reviewers' results become one, by the campaign's setting.
MERGES: Mapping[str, Callable[..., IndicatorResult]] = {
    SeveralReviewers.MEAN: mean_indicator,
    SeveralReviewers.MEDIAN: median_indicator,
}


def score_criterion(
    number: int, results: Iterable[IndicatorResult], thresholds: Thresholds = Thresholds()
) -> CriterionResult:
    """One of the six: met when the points reach `criterion_pass_percent` of the maximum and
    every mandatory indicator in it is met."""
    results = list(results)
    points = sum((result.points or ZERO for result in results), ZERO)
    maximum = sum((result.maximum for result in results), ZERO)
    unmet = tuple(result.code for result in results if result.mandatory and not result.met)
    return CriterionResult(
        number=number,
        points=points,
        maximum=maximum,
        met=not unmet and points * HUNDRED >= thresholds.criterion_pass_percent * maximum,
        unmet_mandatory=unmet,
    )


def score_assessment(
    results: Mapping[int, Iterable[IndicatorResult]],
    thresholds: Thresholds = Thresholds(),
    *,
    vetoed: bool = False,
) -> AssessmentResult:
    """Results by criterion number as a whole. 达标 = all six met, the total at `pass_total` or
    above, and no veto (一票否决)."""
    criteria = tuple(
        score_criterion(number, results[number], thresholds) for number in sorted(results)
    )
    points = sum((criterion.points for criterion in criteria), ZERO)
    maximum = sum((criterion.maximum for criterion in criteria), ZERO)
    total = points * HUNDRED / maximum if maximum else ZERO
    at_standard = (
        not vetoed
        and bool(criteria)
        and all(criterion.met for criterion in criteria)
        and points * HUNDRED >= thresholds.pass_total * maximum
    )
    return AssessmentResult(criteria=criteria, total=total, at_standard=at_standard)


def discrepant_criteria(
    reviews: Sequence[AssessmentResult], discrepancy_percent: Decimal
) -> tuple[int, ...]:
    """Numbers of the criteria in which two reviewers differ by more than `discrepancy_percent`
    of the criterion's maximum."""
    found = []
    for same in zip(*(review.criteria for review in reviews), strict=True):
        points = [criterion.points for criterion in same]
        maximum = max(criterion.maximum for criterion in same)
        if (max(points) - min(points)) * HUNDRED > discrepancy_percent * maximum:
            found.append(same[0].number)
    return tuple(found)
