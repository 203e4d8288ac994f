"""六好得分 and 指标得分: what was decided, by criterion and by indicator, over all decided unions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from openpyxl import Workbook

from assessments.choices import DECIDED_STATES
from assessments.exports.scope import Scope, shown
from assessments.models import Criterion, Decision, DecisionCriterion, DecisionScore, Indicator
from organizations.choices import Tier
from organizations.workbook import Formula, Sheet

_FIGURES = [
    ("评定工会数", 12),
    ("达到工会数", 12),
    ("达到率", 12),
    ("得分合计", 14),
    ("满分合计", 14),
    ("平均得分", 12),
    ("平均满分", 12),
    ("得分率", 12),
]
_SHARES = ("达到率", "得分率")


def criteria(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each of the six, by tier: “达到” means 好."""
    sheet = _sheet(book, scope, "六好得分情况", [("层级", 18), ("序号", 6), ("六好", 30)])
    for tier, rubric in scope.rubrics.items():
        found = _summed(DecisionCriterion.objects.all(), scope, tier, "number")
        for criterion in Criterion.objects.filter(rubric=rubric).order_by("number"):
            labels = [str(tier.label), criterion.number, criterion.title]
            _append(sheet, labels, found.get(criterion.number, ()))
            yield 1
    sheet.finish()


def indicators(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each indicator, by tier; unions to which it does not apply are not counted."""
    sheet = _sheet(
        book,
        scope,
        "指标得分情况",
        [("层级", 18), ("六好", 24), ("编号", 9), ("指标", 30), ("政策原文", 60)],
        wrapped=["政策原文"],
    )
    for tier, rubric in scope.rubrics.items():
        found = _summed(DecisionScore.objects.filter(maximum__gt=0), scope, tier, "indicator")
        rows = Indicator.objects.filter(criterion__rubric=rubric).select_related("criterion")
        for one in rows.order_by("criterion__number", "position"):
            labels = [str(tier.label), str(one.criterion), one.code, one.name, one.clause]
            _append(sheet, labels, found.get(one.pk, ()))
            yield 1
    sheet.finish()


def _summed(rows: QuerySet, scope: Scope, tier: Tier, key: str) -> dict[Any, tuple[Any, ...]]:
    """By key: how many unions, how many of them met it, points and maxima together. One query."""
    standing = Decision.objects.filter(
        superseded_at=None,
        self_assessment__campaign=scope.campaign,
        self_assessment__state__in=DECIDED_STATES,
        self_assessment__organization__in=scope.counted(tier).values("pk"),
    )
    found = (
        rows.filter(decision__in=standing)
        .order_by()
        .values_list(key)
        .annotate(
            unions=Count("pk"),
            good=Count("pk", filter=Q(met=True)),
            won=Sum("points"),
            possible=Sum("maximum"),
        )
    )
    return {one: tuple(figures) for one, *figures in found}


def _sheet(
    book: Workbook,
    scope: Scope,
    name: str,
    labels: list[tuple[str, int]],
    wrapped: Sequence[str] = (),
) -> Sheet:
    return Sheet(
        book,
        name,
        title=f"{scope.campaign.name}{name}",
        notes=[scope.made, "单位：个、分。只统计已评定的工会；得分率 = 得分合计 ÷ 满分合计。"],
        columns=labels + _FIGURES,
        widen=len(labels),
        shares=_SHARES,
        wrapped=wrapped,
    )


def _append(sheet: Sheet, labels: list[Any], figures: Iterable[Any]) -> None:
    unions, met, points, maximum = figures or (0, 0, Decimal(0), Decimal(0))
    a, b, _, c, d = (sheet.here(len(labels) + number) for number in range(5))
    sheet.append(
        [
            *labels,
            unions,
            met,
            Formula(f'=IF({a}=0,"",{b}/{a})'),
            shown(points),
            shown(maximum),
            Formula(f'=IF({a}=0,"",ROUND({c}/{a},2))'),
            Formula(f'=IF({a}=0,"",ROUND({d}/{a},2))'),
            Formula(f'=IF({d}=0,"",{c}/{d})'),
        ]
    )
