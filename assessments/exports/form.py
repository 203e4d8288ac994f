"""The paper form (申报表) as PDF and as Word."""

from __future__ import annotations

from typing import BinaryIO

import segno
from docx.document import Document as WordDocument

from assessments import printing
from assessments.exports import word
from assessments.paper import Paper, PaperCriterion
from organizations.chinese import in_chinese


def pdf(paper: Paper, link: str) -> bytes:
    """`link` is where the QR code leads. Raises printing.PrintingUnavailable."""
    picture = "" if paper.is_draft else segno.make(link, error="m").png_data_uri(scale=4, border=1)
    return printing.pdf(
        "assessments/print/form.html",
        "assessments/print/form.css",
        {"paper": paper, "link": link, "picture": picture},
    )


@in_chinese()
def as_word(paper: Paper, link: str, target: BinaryIO) -> None:
    """Write the form as .docx, A4."""
    mark = "草稿" if paper.is_draft else f"第 {paper.number} 次提交　验证码 {paper.code}"
    document = word.new(title=paper.file_name, author=paper.facts["union"], footer=mark)
    word.paragraph(document, paper.facts["campaign"], size=16, bold=True, centered=True)
    word.paragraph(document, "申　报　表", size=26, bold=True, centered=True)
    if paper.is_draft:
        word.paragraph(document, "草稿，尚未提交", size=14, bold=True, centered=True)
    _facts(document, paper)
    _summary(document, paper)
    for criterion in paper.criteria:
        _criterion(document, criterion)
    _signatures(document, paper)
    if not paper.is_draft:
        word.paragraph(document, f"验证码：{paper.code}（{link}）")
        word.paragraph(document, f"内容校验值（SHA-256）：{paper.digest}")
    document.save(target)


def _facts(document: WordDocument, paper: Paper) -> None:
    facts = paper.facts
    rows = [
        ("工会名称", facts["union"]),
        ("层级", facts["tier"]),
        ("上级工会", facts["superior"] or "—"),
        ("统一社会信用代码", facts["credit_code"] or "—"),
        ("自评总分", f"{paper.total} 分（满分 100）"),
    ]
    if paper.submitted_at:
        rows.append(("提交", f"第 {paper.number} 次，{paper.submitted_at:%Y-%m-%d %H:%M}"))
    if paper.filled_by_proxy:
        rows.append(("代填单位", paper.filled_by_proxy))
    if paper.signatory:
        rows.append(("纸质表签字人", paper.signatory))
    word.table(document, *rows, widths=(4.2, 12.4))


def _summary(document: WordDocument, paper: Paper) -> None:
    rows = [("序号", "六好", "自评得分", "满分", "自评")]
    rows += [
        (str(one.number), one.title, one.points, one.maximum, "好" if one.met else "未达到")
        for one in paper.criteria
    ]
    word.table(document, *rows, widths=(1.6, 7, 2.8, 2.6, 2.6))


def _criterion(document: WordDocument, criterion: PaperCriterion) -> None:
    heading = (
        f"{criterion.number}、{criterion.title}（{criterion.points} / {criterion.maximum} 分）"
    )
    word.paragraph(document, heading, size=14, bold=True)
    rows = [("编号", "标准与自评", "得分")]
    for line in criterion.lines:
        parts = [line.indicator.name, f"标准：{line.indicator.clause}"]
        parts += [line.entered] if line.entered else []
        parts.append(f"自评说明：{line.account or '（没有）'}")
        parts += [f"佐证材料：{file['name']}　校验值 {file['sha256']}" for file in line.files]
        score = f"{line.score}\n/ {line.indicator.max_points.normalize():f}"
        rows.append((line.indicator.code, "\n".join(parts), score))
    word.table(document, *rows, widths=(1.8, 12.8, 2))


def _signatures(document: WordDocument, paper: Paper) -> None:
    lines = "\n\n\n负责人（签字）：　　　　　　　　　　（盖章）\n\n　　　　　　年　　月　　日"
    word.table(
        document,
        ("申报工会意见", f"本工会对申报内容和佐证材料的真实性负责。{lines}"),
        ("上级工会意见", f"{paper.opinion}{lines}"),
        widths=(3.2, 13.4),
    )
