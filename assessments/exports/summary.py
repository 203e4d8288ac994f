"""The summary workbook (汇总表): the sheets that were chosen, and one that explains them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook

from assessments.exports import places, scores, unions
from assessments.exports.scope import Scope
from organizations import workbook
from organizations.choices import Tier
from organizations.workbook import MEDIA_TYPE, Sheet

__all__ = ["MEDIA_TYPE", "SHEETS", "USUAL_SHEETS", "SheetKind", "size", "write"]

#: Writes a sheet, and yields how many rows have been written since it last did.
Writer = Callable[[Workbook, Scope], Iterator[int]]


@dataclass(frozen=True)
class SheetKind:
    """A sheet that can be chosen; its words are in the language of whoever reads them. `tier` is set
    where it lists the unions of one tier."""

    name: str
    label: str
    explanation: str
    write: Writer
    tier: Tier | None = None
    lists_unions: bool = False


def _of_tiers(prefix: str, label: str, explanation: str, write: Callable) -> list[SheetKind]:
    return [
        SheetKind(
            f"{prefix}_{tier.lower()}",
            format_lazy(_("{sheet}（{tier}）"), sheet=label, tier=tier.label),
            explanation,
            partial(write, of=tier),
            tier,
            lists_unions=True,
        )
        for tier in (Tier.COUNTY, Tier.TOWNSHIP, Tier.GRASSROOTS)
    ]


_ALL = [
    SheetKind(
        "counties",
        "各县（市、区）汇总",
        "各县（市、区）按层级的在册、已开始、已提交、已初审、已评审、已评定、达标工会数，提交率、达标率，距目标尚需的个数。",
        places.counties,
    ),
    SheetKind(
        "townships",
        _("各乡镇（街道）汇总"),
        _("同上，细到乡镇（街道）；直接隶属于县（市、区）或市总工会的基层工会列在“（直属）”。"),
        places.townships,
    ),
    *_of_tiers(
        "tier",
        _("汇总表"),
        _("每个在册工会一行：状态、自评总分、六好的评定得分和是否“好”、评定总分、是否达标。"),
        unions.tier,
    ),
    SheetKind(
        "criteria",
        "六好得分情况",
        "六好每一项：评定的工会数，其中“好”的个数和比例，平均得分、得分率，各得分率段的工会数。",
        scores.criteria,
    ),
    SheetKind(
        "indicators",
        "指标得分情况",
        "每个指标：评定的工会数（不适用的不计），达到的个数和比例，平均得分、得分率，各得分率段的工会数；"
        "比率指标另列全部已提交工会的分子、分母合计和合计比率（合计数相除，不是各工会比率的平均）。",
        scores.indicators,
    ),
    SheetKind(
        "missing",
        _("未提交名单"),
        _("未开始、填报中或退回修改后尚未再次提交的工会。"),
        unions.missing,
        lists_unions=True,
    ),
    SheetKind(
        "recommended",
        "初审推荐名单",
        "上级工会已初审推荐的工会：推荐单位、名次、初审总分、推荐意见，以及评定结果。",
        unions.recommended,
        lists_unions=True,
    ),
    SheetKind(
        "province",
        "推荐名单",
        "推荐省总工会表彰的工会：层级、名次、评定总分、年度工作目标完成率、推荐依据；名单是否已经两人确认。",
        unions.province,
    ),
    *_of_tiers(
        "detail",
        _("指标明细"),
        _("每个在册工会一行，每个指标两列：最近一次提交的自评得分、评定得分。"),
        unions.detail,
    ),
]
SHEETS = {one.name: one for one in _ALL}
USUAL_SHEETS = ("counties", "tier_county", "tier_township", "tier_grassroots")


def _chosen(scope: Scope) -> list[SheetKind]:
    return [
        one
        for one in _ALL
        if one.name in scope.sheets and (one.tier is None or one.tier in scope.rubrics)
    ]


def size(scope: Scope) -> int:
    """About how many rows the workbook will have: for a bar, at least one."""
    counts = {tier: scope.unions(tier).count() for tier in scope.rubrics}
    everybody = sum(counts.values())
    return 1 + sum(
        counts[one.tier] if one.tier else everybody for one in _chosen(scope) if one.lists_unions
    )


def write(scope: Scope, target: BinaryIO) -> Iterator[int]:
    """Write the workbook, and yield now and then how many rows were written since. Memory stays
    flat: rows are written as they are read, and what is counted comes from the summary table."""
    chosen = _chosen(scope)
    with workbook.writing(target) as book:
        _explain(book, scope, chosen)
        for one in chosen:
            yield from one.write(book, scope)


def _explain(book: Workbook, scope: Scope, chosen: list[SheetKind]) -> None:
    campaign = scope.campaign
    first = campaign.window[0]
    sheet = Sheet(
        book,
        "说明",
        title=f"{campaign.name}汇总表说明",
        notes=[scope.made],
        columns=[("项目", 28), ("说明", 100)],
        widen=1,
        wrapped=["说明"],
    )
    rows = [
        ("创建活动", f"{campaign.name}（{campaign.year}年度，周期自{first}年起三年）"),
        ("范围", scope.where),
        ("工作表", "、".join(str(one.label) for one in chosen) or "（没有可生成的工作表）"),
        ("工会信息列", "、".join(str(one.label) for one in scope.union_columns)),
        ("制表", f"{scope.prepared_by}，{scope.on:%Y年%m月%d日}"),
        (
            "计量单位",
            "工会数：个；得分：分，显示到 0.01（四舍五入），单元格中保留未舍入的分数；比率：百分数。",
        ),
        (
            "统计口径",
            "统计全部在册工会（不计入达标率的单位除外），按提交时的隶属关系归入县（市、区）和乡镇（街道）。"
            "一个工会在周期内多次达标只计一次。",
        ),
        (
            "合计与比率",
            "合计、平均和比率都是公式，改动或筛选后自动重新计算；没有数据时留空。",
        ),
    ]
    if scope.hidden:
        rows.append(
            ("回避", "制表人须回避的工会不列入逐个列出工会的工作表；按县、按层级的合计数不受影响。")
        )
    rows += [(str(one.label), str(one.explanation)) for one in chosen]
    for row in rows:
        sheet.append(row)
    sheet.finish()
