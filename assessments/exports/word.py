"""Word documents for offices: A4, the typefaces that Word and WPS have, text that XML can hold."""

from __future__ import annotations

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table

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


def new(*, title: str, author: str, footer: str = "", header: str = "") -> WordDocument:
    """An empty document; `footer` stands before the number of each page."""
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(2)
    _set_font(document.styles["Normal"], _SONG, 11)
    for level, size in ((1, 15), (2, 13)):
        heading = document.styles[f"Heading {level}"]
        _set_font(heading, _HEI, size)
        heading.font.color.rgb = RGBColor(0, 0, 0)
    document.core_properties.title = fit(title)[:255]
    document.core_properties.author = fit(author)[:255]
    section.header.paragraphs[0].text = fit(header)
    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(f"{fit(footer)}　第 ".lstrip("　"))
    _page_number(paragraph.add_run()._r)
    paragraph.add_run(" 页")
    return document


def _set_font(style: ParagraphStyle, name: str, size: int) -> None:
    style.font.name, style.font.size = name, Pt(size)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), name)


def _page_number(run) -> None:
    """The field that Word fills with the number of the page."""
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run.append(element)


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
    document: WordDocument, *rows: tuple[str, ...], widths: tuple[float, ...], repeats: bool = False
) -> Table:
    """A table with borders; `widths` of its columns in cm. With `repeats`, its first row is bold and
    comes again on each page."""
    added = document.add_table(rows=0, cols=len(widths), style="Table Grid")
    added.autofit = False
    for row in rows:
        cells = added.add_row().cells
        for cell, text, width in zip(cells, row, widths, strict=True):
            cell.width, cell.text = Cm(width), fit(text)
    if repeats:
        added.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        for cell in added.rows[0].cells:
            cell.paragraphs[0].runs[0].bold = True
    document.add_paragraph()
    return added
