"""The summary workbook (汇总表): a sheet for each tier, and the roll-up by county."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, BinaryIO

from assessments import rollups
from assessments.choices import Outcome, State
from assessments.models import Campaign, Criterion
from assessments.scoring import rounded
from organizations import workbook
from organizations.choices import Tier
from organizations.workbook import MEDIA_TYPE, Sheet

__all__ = ["MEDIA_TYPE", "write"]

_SHEET_NAMES = {
    Tier.COUNTY: "县（市、区）工会",
    Tier.TOWNSHIP: "乡镇（街道）工会",
    Tier.GRASSROOTS: "基层工会",
}
_NOT_STARTED = "未开始"


def write(campaign: Campaign, *, prepared_by: str, on: dt.date) -> BinaryIO:
    """The workbook as a file at its beginning. Memory stays flat: rows are written as they are
    read. Points are rounded half up to 0.01."""
    book = workbook.new()
    made = f"制表：{prepared_by}  日期：{on:%Y年%m月%d日}"
    policies = campaign.policies.select_related("rubric").order_by("tier")
    by_tier = {policy.tier: policy for policy in policies}
    _write_counties(book, campaign, made)
    for tier, name in _SHEET_NAMES.items():
        if tier in by_tier:
            titles = list(
                Criterion.objects.filter(rubric=by_tier[tier].rubric_id)
                .order_by("number")
                .values_list("title", flat=True)
            )
            _write_tier(book, campaign, tier, name, titles, made)
    return workbook.saved(book)


def _write_counties(book: Any, campaign: Campaign, made: str) -> None:
    target = campaign.target_percent
    sheet = Sheet(
        book,
        "各县（市、区）汇总",
        title=f"{campaign.name}达标情况汇总表",
        notes=[
            made,
            f"达标率 = 周期（{campaign.window[0]}年起三年）内评定达标的工会数 ÷ 在册工会数，"
            f"一个工会只计一次；目标 {target.normalize():f}%。已提交、已评审、达标分别统计，互不替代。",
        ],
        columns=[
            ("县（市、区）", 30),
            ("层级", 18),
            ("在册工会", 10),
            ("已开始", 10),
            ("已提交", 10),
            ("已评审", 10),
            ("已评定", 10),
            ("达标", 10),
            ("达标率（%）", 12),
            (f"{target.normalize():f}%目标", 12),
            ("尚需达标", 10),
        ],
        widen=2,
    )
    counties = rollups.by_county(campaign)
    for county in counties:
        for tier in _SHEET_NAMES:
            if tier in county.by_tier:
                sheet.append(_figures(county.name, tier.label, county.by_tier[tier], target))
        if len(county.by_tier) > 1:
            sheet.append(_figures(county.name, "合计", county.together, target))
    for tier, figures in rollups.by_tier(counties).items():
        sheet.append(_figures("全市", tier.label, figures, target))
    city = sum((county.together for county in counties), rollups.Figures())
    sheet.append(_figures("全市", "合计", city, target))
    sheet.finish()


def _figures(name: str, tier: str, figures: rollups.Figures, target: Decimal) -> list[Any]:
    share = figures.share_percent
    return [
        name,
        str(tier),
        figures.registered,
        figures.started,
        figures.submitted,
        figures.reviewed,
        figures.decided,
        figures.at_standard,
        None if share is None else rounded(share),
        "达到" if figures.reaches(target) else "未达到",
        figures.still_needed(target),
    ]


def _write_tier(
    book: Any, campaign: Campaign, tier: str, name: str, titles: list[str], made: str
) -> None:
    columns = [("序号", 6), ("代码", 16), ("工会名称", 36), ("县（市、区）", 26), ("状态", 10)]
    columns += [("自评总分", 10)]
    for title in titles:
        columns += [(title, 12), ("是否“好”", 9)]
    columns += [("评定总分", 10), ("是否达标", 10)]
    sheet = Sheet(
        book,
        name,
        title=f"{campaign.name}汇总表（{name}）",
        notes=[made, "“—”表示尚无评定结果。分数四舍五入到 0.01。"],
        columns=columns,
        widen=3,
    )
    for number, row in enumerate(rollups.tier_rows(campaign, tier), start=1):
        state = row["entry__state"]
        decision = row["decision"]
        values = [
            number,
            row["code"],
            row["name"],
            row["county"],
            State(state).label if state else _NOT_STARTED,
            _points(row["entry__self_total"]),
        ]
        if decision is None:
            values += ["—"] * (2 * len(titles) + 2)
        else:
            for points, met in decision.criteria:
                values += [rounded(points), "好" if met else "未达"]
            values += [rounded(decision.total), str(Outcome(decision.outcome).label)]
        sheet.append(values)
    sheet.finish()


def _points(value: Decimal | None) -> Decimal | str:
    return "—" if value is None else rounded(value)
