"""Writing Word documents: A4, the fonts of official papers, page numbers, plain tables."""

from __future__ import annotations

from collections.abc import Sequence

from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table
from docx.text.run import Run

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

#: What Word and WPS have, and its free stand-ins.
_SONG, _HEI = "宋体", "黑体"
#: Characters that XML cannot hold.
_UNFIT = {code: None for code in range(32) if code not in (9, 10, 13)} | {
    0xFFFE: None,
    0xFFFF: None,
}


def fit(text: str) -> str:
    """The text without what XML cannot hold."""
    return text.translate(_UNFIT)


def set_up(
    document: WordDocument, *, title: str, author: str, footer: str, header: str = ""
) -> None:
    """A4; `footer` stands before the number of the page."""
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(2)
    _set_font(document.styles["Normal"], _SONG, 11)
    for level, size in ((1, 15), (2, 13)):
        heading = document.styles[f"Heading {level}"]
        _set_font(heading, _HEI, size)
        heading.font.color.rgb = RGBColor(0, 0, 0)
    document.core_properties.title = fit(title)
    document.core_properties.author = fit(author)
    section.header.paragraphs[0].text = fit(header)
    last = section.footer.paragraphs[0]
    last.alignment = WD_ALIGN_PARAGRAPH.CENTER
    last.add_run(f"{fit(footer)}　第 ")
    _page_number(last.add_run())
    last.add_run(" 页")


def _set_font(style: ParagraphStyle, name: str, size: int) -> None:
    style.font.name, style.font.size = name, Pt(size)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)


def _page_number(run: Run) -> None:
    """The field that Word fills with the number of the page."""
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)


def paragraph(
    document: WordDocument, text: str, *, size=11, bold=False, centered=False, above=0
) -> None:
    """`size` and the space `above` in points."""
    added = document.add_paragraph()
    added.paragraph_format.space_before = Pt(above) if above else None
    run = added.add_run(fit(text))
    run.font.size, run.bold = Pt(size), bold
    if bold:
        run.font.name = _HEI
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _HEI)
    if centered:
        added.alignment = WD_ALIGN_PARAGRAPH.CENTER


def table(
    document: WordDocument, *rows: Sequence[str], widths: Sequence[float], repeats: bool = False
) -> Table:
    """A table with borders; `widths` of its columns in cm. With `repeats`, its first row comes again
    on each page."""
    added = document.add_table(rows=0, cols=len(widths), style="Table Grid")
    added.autofit = False
    for row in rows:
        cells = added.add_row().cells
        for cell, text, width in zip(cells, row, widths, strict=True):
            cell.width, cell.text = Cm(width), fit(text)
    if repeats:
        properties = added.rows[0]._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:tblHeader"))
        for cell in added.rows[0].cells:
            for run in cell.paragraphs[0].runs:
                run.bold = True
    document.add_paragraph()
    return added
