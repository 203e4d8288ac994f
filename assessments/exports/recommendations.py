"""What goes to the province: 推荐汇总表 as Excel, 推荐审批表 as Word, one for each union."""

from __future__ import annotations

import re
import tempfile
import zipfile
from typing import BinaryIO

from assessments import packages, rollups
from assessments.exports import word
from assessments.models import Recognition, Recommendation, RecommendationList
from assessments.recommending import listed_of
from assessments.scoring import rounded
from organizations import workbook
from organizations.chinese import in_chinese
from organizations.workbook import MEDIA_TYPE

__all__ = ["MEDIA_TYPE", "file_name", "form", "forms", "summary"]

_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_SIGN = "\n\n\n（盖章）　　　　　　　　\n\n　　　　　　年　　月　　日"


@in_chinese()
def summary(made: RecommendationList) -> BinaryIO:
    """推荐汇总表, a row for each union on the list."""
    book = workbook.new()
    campaign = made.campaign
    sheet = workbook.Sheet(
        book,
        "推荐汇总表",
        title=f"{campaign.name}推荐省总工会表彰单位汇总表",
        notes=["填报单位：平顶山市总工会（盖章）"],
        columns=[
            ("序号", 6),
            ("工会名称", 40),
            ("层级", 18),
            ("所在县（市、区）", 26),
            ("命名证书编号", 26),
            ("评定总分", 10),
            ("本层级名次", 10),
            ("年度工作目标完成率（%）", 26),
            ("推荐依据", 30),
            ("推荐材料", 14),
        ],
        widen=2,
    )
    names, titles = rollups.county_names(), _titles(made)
    for number, line in enumerate(packages.with_packages(listed_of(made)), start=1):
        assessment, wanting = line.self_assessment, packages.missing(line)
        sheet.append(
            [
                number,
                assessment.organization.name,
                str(assessment.rubric.tier_label),
                names.get(assessment.standing.county, ""),
                titles.get(assessment.organization_id, ""),
                rounded(line.total),
                line.rank,
                line.goals,
                line.why,
                f"缺 {wanting} 项" if wanting else "齐全",
            ]
        )
    sheet.finish()
    return workbook.saved(book)


def _titles(made: RecommendationList) -> dict[int, str]:
    """Certificate numbers by union."""
    found = Recognition.objects.valid().filter(
        organization__self_assessments__recommendation__list=made,
        campaign__cycle_start_year=made.campaign.cycle_start_year,
    )
    return {one.organization_id: str(one) for one in found.select_related("campaign")}


def form(line: Recommendation, target: BinaryIO) -> None:
    """推荐审批表 of one union."""
    _write_form(line, _titles(line.list), target)


def forms(made: RecommendationList) -> BinaryIO:
    """All of them, as a temporary file that vanishes when closed."""
    titles = _titles(made)
    file = tempfile.TemporaryFile(suffix=".zip")  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, line in enumerate(listed_of(made), start=1):
            with archive.open(f"{number:03}-{file_name(line)}", "w") as entry:
                _write_form(line, titles, entry)
    file.seek(0)
    return file


def file_name(line: Recommendation) -> str:
    """Such as any system takes it, whatever the union is called."""
    name = _UNFIT.sub("_", line.self_assessment.organization.name)[:80]
    return f"推荐审批表-{name}.docx"


@in_chinese()
def _write_form(line: Recommendation, titles: dict[int, str], target: BinaryIO) -> None:
    assessment = line.self_assessment
    union = assessment.organization
    document = word.new(title="推荐审批表", author="平顶山市总工会")
    word.paragraph(document, "河南省“六好”工会推荐审批表", size=20, bold=True, centered=True)
    people = [
        f"{label} {number} 人"
        for label, number in (("职工", union.workers), ("会员", union.members))
        if number is not None
    ]
    word.table(
        document,
        ("单位名称", union.name),
        ("层级", str(assessment.rubric.tier_label)),
        ("上级工会", str(union.parent or "—")),
        ("统一社会信用代码", union.credit_code or "—"),
        ("职工和会员", "，".join(people) or "—"),
        ("命名证书编号", titles.get(union.pk, "—")),
        ("评定结果", f"总分 {rounded(line.total)} 分，全市本层级第 {line.rank} 名"),
        ("年度工作目标完成率", "—" if line.goals is None else f"{line.goals.normalize():f}%"),
        ("推荐依据", line.why),
        widths=(4.2, 12.4),
    )
    word.table(document, ("主要事迹", line.story or "\n" * 12), widths=(2.4, 14.2))
    word.table(
        document,
        *(
            (label, _SIGN)
            for label in ("本单位意见", "上级工会意见", "市总工会意见", "省总工会意见")
        ),
        widths=(3.2, 13.4),
    )
    document.save(target)
