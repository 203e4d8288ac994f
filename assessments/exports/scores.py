"""六好得分 and 指标得分: what was decided, by criterion and by indicator, over all decided unions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook

from assessments.choices import IndicatorKind
from assessments.exports.scope import Scope
from assessments.models import Criterion, Indicator
from assessments.rollups import Scores, criterion_code
from assessments.rollups.figures import UNIT
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
#: How many unions got which part of the points.
_BANDS = [
    ("不足60%", 10),
    ("60%—70%", 10),
    ("70%—80%", 10),
    ("80%—90%", 10),
    ("90%以上", 10),
]
#: Of the indicators that are rates: counts as handed in, added up before they are divided.
_RATES = [("填报工会数", 12), ("分子合计", 12), ("分母合计", 12), ("合计比率", 12)]


def criteria(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each of the six, by tier: “达到” means 好."""
    sheet = _sheet(book, scope, "六好得分情况", [("层级", 18), ("序号", 6), ("六好", 30)], [])
    for tier, rubric in scope.rubrics.items():
        found = scope.scores.get(tier, {})
        for one in Criterion.objects.filter(rubric=rubric).order_by("number"):
            scores = found.get(criterion_code(one.number), Scores())
            labels = [str(tier.label), one.number, one.title]
            sheet.append([*labels, *_cells(sheet, len(labels), scores)])
            yield 1
    sheet.finish()


def indicators(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each indicator, by tier; unions to which it does not apply are not counted."""
    sheet = _sheet(
        book,
        scope,
        "指标得分情况",
        [("层级", 18), ("六好", 24), ("编号", 9), ("指标", 30), ("政策原文", 60)],
        _RATES,
        wrapped=["政策原文"],
    )
    for tier, rubric in scope.rubrics.items():
        found = scope.scores.get(tier, {})
        rows = Indicator.objects.filter(criterion__rubric=rubric).select_related("criterion")
        for one in rows.order_by("criterion__number", "position"):
            scores = found.get(one.code, Scores())
            labels = [str(tier.label), str(one.criterion), one.code, one.name, one.clause]
            cells = _cells(sheet, len(labels), scores)
            rate = [None] * len(_RATES)
            if one.kind == IndicatorKind.RATE:
                rate = _rate(sheet, len(labels) + len(cells), scores)
            sheet.append([*labels, *cells, *rate])
            yield 1
    sheet.finish()


def _sheet(
    book: Workbook,
    scope: Scope,
    name: str,
    labels: list[tuple[str, int]],
    more: list[tuple[str, int]],
    wrapped: Sequence[str] = (),
) -> Sheet:
    shares = ("达到率", "得分率", "合计比率")
    return Sheet(
        book,
        name,
        title=f"{scope.campaign.name}{name}",
        notes=[
            scope.made,
            "单位：个、分。只统计已评定的工会；得分率 = 得分合计 ÷ 满分合计。"
            "各分数段为得分率在其中的工会数。",
        ],
        columns=[*labels, *_FIGURES, *_BANDS, *more],
        widen=len(labels),
        shares=[label for label, _ in [*_FIGURES, *more] if label in shares],
        wrapped=wrapped,
    )


def _cells(sheet: Sheet, first: int, scores: Scores) -> list[Any]:
    """The figures of a row; `first` is the column of the first of them, from 0."""
    unions, met, _, points, maximum = (sheet.here(first + number) for number in range(5))
    return [
        scores.unions,
        scores.met,
        Formula(f'=IF({unions}=0,"",{met}/{unions})'),
        Decimal(scores.points) / UNIT,
        Decimal(scores.maximum) / UNIT,
        Formula(f'=IF({unions}=0,"",ROUND({points}/{unions},2))'),
        Formula(f'=IF({unions}=0,"",ROUND({maximum}/{unions},2))'),
        Formula(f'=IF({maximum}=0,"",{points}/{maximum})'),
        *scores.distribution,
    ]


def _rate(sheet: Sheet, first: int, scores: Scores) -> list[Any]:
    numerator, denominator = sheet.here(first + 1), sheet.here(first + 2)
    return [
        scores.rated,
        scores.numerator,
        scores.denominator,
        Formula(f'=IF({denominator}=0,"",{numerator}/{denominator})'),
    ]
