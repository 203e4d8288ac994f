"""Word documents for offices: A4, the typefaces that Word and WPS have, text that XML can hold."""

from __future__ import annotations

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.table import Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#: What Word and WPS have, and its free stand-ins.
_SONG, _HEI = "宋体", "黑体"
#: Characters that XML cannot hold.
_UNFIT = {code: None for code in range(32) if code not in (9, 10, 13)} | {
    0xFFFE: None,
    0xFFFF: None,
}


def new(*, title: str, author: str, footer: str = "") -> WordDocument:
    """An empty document; `footer` stands before the number of each page."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(2)
    style = document.styles["Normal"]
    style.font.name, style.font.size = _SONG, Pt(11)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _SONG)
    document.core_properties.title = title.translate(_UNFIT)[:255]
    document.core_properties.author = author.translate(_UNFIT)[:255]
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(f"{footer}　第 ".lstrip("　"))
    _page_number(paragraph.add_run()._r)
    paragraph.add_run(" 页")
    return document


def _page_number(run) -> None:
    """The field that Word fills with the number of the page."""
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run.append(element)


def paragraph(document: WordDocument, text: str, *, size=11, bold=False, centered=False) -> None:
    added = document.add_paragraph()
    run = added.add_run(text.translate(_UNFIT))
    run.font.size, run.bold = Pt(size), bold
    if bold:
        run.font.name = _HEI
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _HEI)
    if centered:
        added.alignment = WD_ALIGN_PARAGRAPH.CENTER


def table(document: WordDocument, *rows: tuple[str, ...], widths: tuple[float, ...]) -> Table:
    """A table with borders; `widths` of its columns in cm."""
    added = document.add_table(rows=0, cols=len(widths), style="Table Grid")
    added.autofit = False
    for row in rows:
        cells = added.add_row().cells
        for cell, text, width in zip(cells, row, widths, strict=True):
            cell.width, cell.text = Cm(width), text.translate(_UNFIT)
    document.add_paragraph()
    return added
