"""推进会材料 as a Word document: what the progress conference reads, with charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import BinaryIO

from django.utils import timezone
from docx.document import Document as WordDocument

from assessments.exports import word, word_charts
from assessments.exports.word import paragraph, table
from assessments.exports.word_charts import Chart
from assessments.progress import Progress
from assessments.rollups import Figures
from assessments.scoring import rounded
from organizations.chinese import in_chinese
from organizations.choices import Tier

_NUMBERED = ("不对应", "第一", "第二", "第三", "第四", "第五", "第六")
#: The height of the bar of one county, in cm, and of what stands around the bars.
_BAR, _AROUND = 0.62, 2.4


@in_chinese()
def write(progress: Progress, title: str, held_on: dt.date, author: str, target: BinaryIO) -> None:
    """Write the report as .docx, A4. `author` is the union in whose name it is made."""
    campaign = progress.campaign
    document = word.new(title=title, author=author, header=title, footer=campaign.name)
    document.sections[0].different_first_page_header_footer = True
    _cover(document, progress, title, held_on, author)
    _targets(document, progress)
    _stages(document, progress)
    _counties(document, progress)
    _trend(document, progress)
    _supervision(document, progress)
    _late(document, progress)
    document.save(target)


def share(value: Decimal | None) -> str:
    """A share in percent as all papers of the portal show it."""
    return "—" if value is None else f"{rounded(value)}%"


def _cover(
    document: WordDocument, progress: Progress, title: str, held_on: dt.date, author: str
) -> None:
    paragraph(document, title, size=26, bold=True, centered=True, above=150)
    paragraph(document, progress.campaign.name, size=16, centered=True, above=30)
    paragraph(document, "进展情况", size=16, centered=True)
    paragraph(document, author, size=16, bold=True, centered=True, above=230)
    paragraph(document, f"{held_on:%Y年%m月%d日}", size=14, centered=True)
    counted = timezone.localtime(progress.picture.counted_at)
    paragraph(document, f"数据截至 {counted:%Y年%m月%d日 %H:%M}", centered=True)
    document.add_page_break()


def _targets(document: WordDocument, progress: Progress) -> None:
    document.add_heading("一、对照目标", 1)
    together, target = progress.picture.together, progress.campaign.target_percent
    paragraph(
        document,
        f"全市应创建工会 {together.registered} 个，已提交自评 {together.submitted} 个，已评审 "
        f"{together.reviewed} 个，三年内达标 {together.at_standard} 个，达标率 "
        f"{share(together.share_percent)}。政策要求连续三年达标率达到 {target.normalize():f}%"
        + (f"，还差 {needed} 个。" if (needed := together.still_needed(target)) else "。"),
    )
    rows = [
        (
            one.label,
            f"{one.part} / {one.whole}",
            share(one.share),
            f"{one.target.normalize():f}%",
            {True: "达到", False: "未达到", None: "—"}[one.is_reached],
        )
        for one in progress.targets()
    ]
    heading = ("指标", "数量", "现值", "目标", "是否达到")
    table(document, heading, *rows, widths=(7.2, 3, 2.2, 2, 2.2), repeats=True)


def _stages(document: WordDocument, progress: Progress) -> None:
    document.add_heading("二、各环节进展", 1)
    steps = progress.picture.steps()
    labels = [str(step.label) for step, _ in steps]
    numbers = [number for _, number in steps]
    _chart(document, Chart("各环节工会数（个）", labels, [("工会数", numbers)]))


def _counties(document: WordDocument, progress: Progress) -> None:
    document.add_heading("三、各县（市、区）情况", 1)
    ranked = progress.picture.ranked()
    target = f"{progress.campaign.target_percent.normalize():f}"
    _chart(
        document,
        Chart(
            f"各县（市、区）达标率（目标 {target}%）",
            [one.short_name for one in ranked],
            [("达标率", [one.figures.share_percent for one in ranked])],
            kind="bars",
            percent=True,
            height=_AROUND + _BAR * len(ranked),
        ),
    )
    rows = [_county(one.county.name, one.figures, one.needed) for one in ranked]
    together = progress.picture.together
    total = _county("合计", together, together.still_needed(progress.campaign.target_percent))
    heading = ("县（市、区）", "应创建", "已提交", "已评审", "达标", "达标率", f"距 {target}% 还差")
    table(document, heading, *rows, total, widths=(5, 1.9, 1.9, 1.9, 1.7, 2, 2.2), repeats=True)


def _county(name: str, figures: Figures, needed: int) -> tuple[str, ...]:
    numbers = (figures.registered, figures.submitted, figures.reviewed, figures.at_standard)
    return (name, *map(str, numbers), share(figures.share_percent), str(needed))


def _trend(document: WordDocument, progress: Progress) -> None:
    document.add_heading("四、三年趋势", 1)
    years = [f"{year} 年" for year in progress.picture.years()]
    paths = progress.picture.paths()
    shares = [(str(one.tier.label), [now for _, now, _ in one.years()]) for one in paths]
    _chart(document, Chart("三年达标率（累计）", years, shares, kind="lines", percent=True))
    rows = [(name, *map(share, values)) for name, values in shares]
    table(document, ("层级", *years), *rows, widths=(5.4, 3.7, 3.7, 3.7), repeats=True)


def _supervision(document: WordDocument, progress: Progress) -> None:
    document.add_heading("五、督促检查", 1)
    found = progress.supervision
    if not found.rounds:
        paragraph(document, "还没有组织督查。")
        return
    paragraph(
        document,
        f"组织督查 {found.rounds} 轮，列入走访 {found.planned} 个工会，已走访反馈 {found.visited} 个，"
        f"发现问题 {found.found} 个，整改到位 {found.accepted} 个，逾期未整改 {found.overdue} 个。",
    )
    criteria = found.by_criterion()
    series = [
        (str(tier.label), [criteria[tier].get(number, 0) for number in (*range(1, 7), 0)])
        for tier in Tier
        if tier in criteria
    ]
    labels = [*_NUMBERED[1:], _NUMBERED[0]]
    _chart(document, Chart("督查发现的问题，按六个“好”（个）", labels, series, stacked=True))


def _late(document: WordDocument, progress: Progress) -> None:
    document.add_heading("六、需要推进的事项", 1)
    behind, found = progress.behind(), progress.supervision
    lines = []
    if missing := progress.not_handed_in():
        lines.append(f"自评提交已截止，还有 {missing} 个工会没有提交。")
    if behind:
        names = "、".join(f"{one.short_name}（还差 {one.needed} 个）" for one in behind)
        lines.append(f"没有达到目标的县（市、区）和单位：{names}。")
    if found.overdue:
        lines.append(f"督查发现的问题有 {found.overdue} 个逾期未整改，列表如下。")
    _lines(document, lines or ["没有逾期的事项。"])
    if overdue := found.first_overdue():
        rows = [
            (one.visit.organization.name, one.text, f"{one.rectify_by:%Y-%m-%d}") for one in overdue
        ]
        table(document, ("工会", "问题", "整改期限"), *rows, widths=(5.4, 8.4, 2.8), repeats=True)
    if found.overdue > len(overdue):
        paragraph(document, f"以上是期限最早的 {len(overdue)} 个。")
    weakest = progress.picture.weakest()
    if weakest:
        document.add_heading("得分率最低的条款", 2)
        rows = [
            (one.tier.label, one.indicator.clause, share(one.scores.score_percent))
            for one in weakest
        ]
        table(document, ("层级", "条款", "得分率"), *rows, widths=(3.4, 10.8, 2.4), repeats=True)


def _lines(document: WordDocument, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines, start=1):
        paragraph(document, f"{number}. {line}")


def _chart(document: WordDocument, chart: Chart) -> None:
    if chart.is_empty:
        paragraph(document, f"{chart.title}：还没有数据。")
    else:
        word_charts.add(document, chart)
