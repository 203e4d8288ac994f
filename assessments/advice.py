"""What looks doubtful in an answer: warnings for the union that never keep it from handing in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.utils.translation import gettext

from assessments.choices import IndicatorKind
from assessments.scoring import HUNDRED, IndicatorRule, Rating, rate_percent, reaches, rounded

#: From this share of the full mark on (percent), a score is high: a reviewer will ask for proof.
HIGH_PERCENT = Decimal(80)
#: Below this rate (percent), a full mark on a RATE that has no line of its own is doubtful.
DOUBTFUL_RATE_PERCENT = Decimal(80)
#: An account below this many characters does not fill a line.
SHORT_ACCOUNT = 20


def warnings(
    rule: IndicatorRule,
    rating: Rating,
    points: Decimal | None,
    *,
    account: str,
    as_of: dt.date | None,
    has_evidence: bool,
    evidence_required: bool,
) -> list[str]:
    """In the words of the screen; `points` is None while the indicator has not been answered,
    which is no matter of advice."""
    if points is None or rating.not_applicable:
        return []
    found = []
    if (
        not has_evidence
        and not evidence_required
        and points * HUNDRED >= HIGH_PERCENT * rule.max_points
    ):
        found.append(gettext("自评分较高，还没有佐证材料"))
    if len(account.strip()) < SHORT_ACCOUNT:
        found.append(gettext("自评说明不足一行") if account.strip() else gettext("没有写自评说明"))
    if rule.kind == IndicatorKind.RATE and rating.numerator is not None and rating.denominator:
        found += _about_rate(rule, rating.numerator, rating.denominator, points)
        if as_of is None:
            found.append(gettext("没有填写数字的截至日期"))
    return found


def _about_rate(
    rule: IndicatorRule, numerator: int, denominator: int, points: Decimal
) -> list[str]:
    line = rule.threshold_percent
    if line is not None and not reaches(numerator, denominator, line):
        consequence = gettext("，这是必达指标，本项“好”不能成立") if rule.mandatory else ""
        return [
            gettext("比率没有达到 {threshold:f}%，只能按比例得分{consequence}").format(
                threshold=line.normalize(), consequence=consequence
            )
        ]
    rate = rate_percent(numerator, denominator)
    doubtful = line is None and rate is not None and rate < DOUBTFUL_RATE_PERCENT
    if doubtful and points == rule.max_points:
        return [gettext("自评满分，而比率只有 {rate}%，请核对").format(rate=rounded(rate))]
    return []
