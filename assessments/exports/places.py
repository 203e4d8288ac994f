"""各县（市、区）汇总 and 各乡镇（街道）汇总: counts of unions by place and tier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, Value, When
from django.db.models.functions import Length, Substr
from openpyxl import Workbook

from assessments import rollups
from assessments.choices import DECIDED_STATES, REVIEWED_STATES, SUBMITTED_STATES
from assessments.exports.scope import Scope
from assessments.rollups import Figures
from organizations.choices import Tier
from organizations.models.organization import PATH_STEP
from organizations.workbook import Formula, Sheet

_COUNTED = ("在册工会", "已开始", "已提交", "已评审", "已评定", "达标")
_DIRECT = "（直属）"


def counties(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each county and tier."""
    by_county: dict[tuple[str, Tier], Figures] = {}
    for (place, tier), figures in figures_by_place(scope).items():
        key = scope.county(place), tier
        by_county[key] = by_county.get(key, Figures()) + figures
    order = {name: number for number, name in enumerate(dict.fromkeys(scope.names.values()))}
    rows = sorted(
        by_county.items(), key=lambda one: (order[one[0][0]], list(Tier).index(one[0][1]))
    )
    return _write(
        book,
        scope,
        "各县（市、区）汇总",
        [("县（市、区）", 30)],
        [([county], tier, figures) for (county, tier), figures in rows],
    )


def townships(book: Workbook, scope: Scope) -> Iterator[int]:
    """A row for each township and tier; what stands directly under a county has a row of its own."""
    rows = sorted(
        figures_by_place(scope).items(), key=lambda one: (one[0][0], one[0][1] != "TOWNSHIP")
    )
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


def figures_by_place(scope: Scope) -> dict[tuple[str, Tier], Figures]:
    """Figures by the path of the union above and tier; those of a county or township union by its
    own path. One query."""

    def state_in(states: tuple[str, ...]) -> Count:
        return Count("pk", filter=Q(entry__state__in=states))

    rows = (
        scope.counted()
        .annotate(
            cell=Case(
                When(
                    tier=Tier.GRASSROOTS,
                    then=Substr("standing_place", 1, Length("standing_place") - PATH_STEP),
                ),
                default=F("standing_place"),
            ),
            standard=Case(
                When(rollups.reached_standard(scope.campaign), then=Value(1)),
                output_field=IntegerField(),
            ),
        )
        .order_by()
        .values_list("cell", "tier")
        .annotate(
            registered=Count("pk"),
            started=Count("entry"),
            submitted=state_in(SUBMITTED_STATES),
            reviewed=state_in(REVIEWED_STATES),
            decided=state_in(DECIDED_STATES),
            at_standard=Count("standard"),
        )
    )
    names = ("registered", "started", "submitted", "reviewed", "decided", "at_standard")
    return {
        (place, Tier(tier)): Figures(**dict(zip(names, figures, strict=True)))
        for place, tier, *figures in rows
    }


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
        registered, submitted, at_standard = cells[0], cells[2], cells[5]
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
        counted = [
            figures.registered,
            figures.started,
            figures.submitted,
            figures.reviewed,
            figures.decided,
            figures.at_standard,
        ]
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
