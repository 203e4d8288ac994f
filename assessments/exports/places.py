"""各县（市、区）汇总 and 各乡镇（街道）汇总: counts of unions by place and tier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openpyxl import Workbook

from assessments.exports.scope import Scope
from assessments.rollups import Figures
from organizations.choices import Tier
from organizations.models.organization import PATH_STEP
from organizations.workbook import Formula, Sheet

#: The figures of a row: what the column is called, and the field of `Figures`.
_COUNTED = {
    "在册工会": "registered",
    "已开始": "started",
    "已提交": "submitted",
    "已初审": "endorsed",
    "已评审": "reviewed",
    "已评定": "decided",
    "达标": "at_standard",
}
_DIRECT = "（直属）"


def counties(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each county and tier."""
    by_county: dict[tuple[str, Tier], Figures] = {}
    for (place, tier), figures in scope.figures.items():
        key = place[: 2 * PATH_STEP], tier
        by_county[key] = by_county.get(key, Figures()) + figures
    order = {path: number for number, path in enumerate(scope.names)}
    rows = sorted(
        by_county.items(), key=lambda one: (order[one[0][0]], list(Tier).index(one[0][1]))
    )
    return _write(
        book,
        scope,
        "各县（市、区）汇总",
        [("县（市、区）", 30)],
        [([scope.county(place)], tier, figures) for (place, tier), figures in rows],
    )


def townships(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each township and tier; what stands directly under a county has a row of its own."""
    rows = sorted(scope.figures.items(), key=lambda one: (one[0][0], list(Tier).index(one[0][1])))
    return _write(
        book,
        scope,
        "各乡镇（街道）汇总",
        [("县（市、区）", 26), ("乡镇（街道）", 30)],
        [
            ([scope.county(place), scope.township(place) or _DIRECT], tier, figures)
            for (place, tier), figures in rows
            if tier != Tier.COUNTY
        ],
    )


def _write(
    book: Workbook,
    scope: Scope,
    name: str,
    places: list[tuple[str, int]],
    rows: list[tuple[list[str], Tier, Figures]],
) -> Iterator[int]:
    target = f"{scope.campaign.target_percent.normalize():f}"
    sheet = Sheet(
        book,
        name,
        title=f"{scope.campaign.name}{name}",
        notes=[
            scope.made,
            f"单位：个。达标率 = 周期（{scope.campaign.window[0]}年起三年）内评定达标的工会数 ÷ 在册工会数，"
            f"一个工会只计一次；目标 {target}%。已提交、已评审、达标分别统计，互不替代。",
        ],
        columns=[
            *places,
            ("层级", 18),
            *((label, 10) for label in _COUNTED),
            ("提交率", 12),
            ("达标率", 12),
            (f"{target}%目标", 12),
            ("尚需达标", 10),
        ],
        widen=len(places) + 1,
        shares=("提交率", "达标率"),
    )
    first = len(places) + 1

    def figures_and_shares(figures: list[Any]) -> list[Any]:
        cells = [sheet.here(first + number) for number in range(len(_COUNTED))]
        at = dict(zip(_COUNTED.values(), cells, strict=True))
        registered, submitted = at["registered"], at["submitted"]
        at_standard = at["at_standard"]
        return [
            *figures,
            Formula(f'=IF({registered}=0,"",{submitted}/{registered})'),
            Formula(f'=IF({registered}=0,"",{at_standard}/{registered})'),
            Formula(
                f'=IF(AND({registered}>0,{at_standard}*100>={target}*{registered}),"达到","未达到")'
            ),
            Formula(f"=MAX(0,ROUNDUP({target}*{registered}/100,0)-{at_standard})"),
        ]

    for labels, tier, figures in rows:
        counted = [getattr(figures, name) for name in _COUNTED.values()]
        sheet.append([*labels, str(tier.label), *figures_and_shares(counted)])
        yield 1
    blank = [""] * (len(places) - 1)
    columns = range(first, first + len(_COUNTED))
    tiers = sheet.column(len(places))
    for tier in dict.fromkeys(tier for _, tier, _ in rows):
        sums = [
            Formula(f'=SUMIF({tiers},"{tier.label}",{sheet.column(number)})') for number in columns
        ]
        sheet.append_total([scope.where, *blank, str(tier.label), *figures_and_shares(sums)])
    # 109 leaves out rows that a filter hides.
    sums = [Formula(f"=SUBTOTAL(109,{sheet.column(number)})") for number in columns]
    sheet.append_total([scope.where, *blank, "合计", *figures_and_shares(sums)])
    sheet.finish()
