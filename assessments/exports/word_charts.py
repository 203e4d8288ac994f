"""Charts in Word documents: Word's own (DrawingML), so that they print sharp, need no font and can be
edited. Each carries its figures in a small workbook, and in words for who cannot see it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from docx.document import Document as WordDocument
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Cm
from lxml import etree
from openpyxl.chart import BarChart, LineChart
from openpyxl.chart.data_source import (
    AxDataSource,
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.utils import get_column_letter
from openpyxl.xml.functions import tostring

from assessments.exports.word import fit
from assessments.scoring import rounded
from organizations import workbook

_CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "数据"
_WIDTH = Cm(16.4)
#: Told apart in print too: from dark to light, each with a mark of its own.
_COLOURS = ("8C1A1F", "0B4F8A", "C98A1B", "5B7F3B")
_MARKS = ("circle", "square", "triangle", "diamond")


@dataclass(frozen=True)
class Chart:
    """What a chart shows: for each series its name and one value a category, None for none."""

    title: str
    categories: Sequence[str]
    series: Sequence[tuple[str, Sequence[Decimal | int | None]]]
    kind: str = "columns"  # or "bars", which lie, or "lines"
    percent: bool = False
    stacked: bool = False
    height: float = 7.5  # cm

    @property
    def is_empty(self) -> bool:
        return not any(value for _, values in self.series for value in values)

    @property
    def in_words(self) -> str:
        sign = "%" if self.percent else ""
        lines = []
        for name, values in self.series:
            pairs = zip(self.categories, values, strict=True)
            told = [
                f"{label} {_number(value)}{sign}" for label, value in pairs if value is not None
            ]
            lines.append(f"{name}：{'，'.join(told)}")
        return fit(f"{self.title}。{'；'.join(lines)}")


def add(document: WordDocument, chart: Chart) -> None:
    """Put the chart into a paragraph of its own."""
    package = document.part.package
    number = 1 + sum(
        str(part.partname).startswith("/word/charts/") for part in package.iter_parts()
    )
    book = Part(
        PackURI(f"/word/embeddings/chart{number}.xlsx"),
        CONTENT_TYPE.SML_SHEET,
        _book(chart),
        package,
    )
    part = Part(PackURI(f"/word/charts/chart{number}.xml"), CONTENT_TYPE.DML_CHART, b"", package)
    part._blob = _xml(chart, part.relate_to(book, RELATIONSHIP_TYPE.PACKAGE))
    _place(document, chart, number, document.part.relate_to(part, RELATIONSHIP_TYPE.CHART))


def _number(value: Decimal | int | None) -> float | None:
    return None if value is None else float(rounded(Decimal(value)))


def _book(chart: Chart) -> bytes:
    """What Word opens when somebody edits the figures."""
    target = io.BytesIO()
    with workbook.writing(target) as book:
        sheet = book.create_sheet(_SHEET)
        sheet.append(
            [workbook.safe(sheet, name) for name in ("", *(one for one, _ in chart.series))]
        )
        columns = [map(_number, values) for _, values in chart.series]
        for label, *values in zip(chart.categories, *columns, strict=True):
            sheet.append([workbook.safe(sheet, label), *values])
    return target.getvalue()


def _xml(chart: Chart, book: str) -> bytes:
    drawn = LineChart() if chart.kind == "lines" else BarChart()
    if chart.kind != "lines":
        drawn.type = "bar" if chart.kind == "bars" else "col"
        drawn.gapWidth = 45
    if chart.stacked:
        drawn.grouping, drawn.overlap = "stacked", 100
    drawn.title = fit(chart.title)
    drawn.legend = drawn.legend if len(chart.series) > 1 else None
    if drawn.legend:
        drawn.legend.position, drawn.legend.overlay = "b", False
    drawn.x_axis.delete = drawn.y_axis.delete = False
    drawn.y_axis.number_format = '0"%"' if chart.percent else "0"
    drawn.title.overlay = False
    drawn.y_axis.scaling.min = 0
    if chart.percent:
        drawn.y_axis.scaling.max = 100
    if chart.kind == "bars":
        drawn.x_axis.scaling.orientation = "maxMin"  # the first on top
        drawn.y_axis.crosses = "max"
    drawn.series = [_series(chart, index) for index in range(len(chart.series))]
    space = etree.fromstring(tostring(drawn._write()))
    for form in space.iter(f"{{{_CHART}}}numFmt"):
        form.set("sourceLinked", "0")  # openpyxl leaves that out for labels
    external = etree.SubElement(space, f"{{{_CHART}}}externalData", {f"{{{_RELATED}}}id": book})
    etree.SubElement(external, f"{{{_CHART}}}autoUpdate", {"val": "0"})
    return etree.tostring(space, xml_declaration=True, encoding="UTF-8", standalone=True)


def _series(chart: Chart, index: int) -> Series:
    """With its figures beside the address of their cells, so that they show without the workbook."""
    name, values = chart.series[index]
    last, letter = 1 + len(chart.categories), get_column_letter(index + 2)
    labels = [StrVal(idx=n, v=fit(label)) for n, label in enumerate(chart.categories)]
    figures = [
        NumVal(idx=n, v=_number(value)) for n, value in enumerate(values) if value is not None
    ]
    series = Series(
        idx=index,
        order=index,
        tx=SeriesLabel(
            strRef=StrRef(
                f=f"'{_SHEET}'!${letter}$1",
                strCache=StrData(ptCount=1, pt=[StrVal(idx=0, v=fit(name))]),
            )
        ),
        cat=AxDataSource(
            strRef=StrRef(
                f=f"'{_SHEET}'!$A$2:$A${last}", strCache=StrData(ptCount=len(labels), pt=labels)
            )
        ),
        val=NumDataSource(
            numRef=NumRef(
                f=f"'{_SHEET}'!${letter}$2:${letter}${last}",
                numCache=NumData(formatCode="General", ptCount=len(labels), pt=figures),
            )
        ),
    )
    colour = _COLOURS[index % len(_COLOURS)]
    if chart.kind == "lines":
        series.graphicalProperties.line.solidFill = colour
        series.marker.symbol, series.marker.size = _MARKS[index % len(_MARKS)], 7
        series.marker.graphicalProperties.solidFill = colour
        series.smooth = False
    else:
        series.graphicalProperties.solidFill = colour
    if len(chart.series) == 1:
        series.dLbls = DataLabelList(
            showVal=True,
            showSerName=False,
            showCatName=False,
            showLegendKey=False,
            showPercent=False,
        )
        series.dLbls.numFmt = '0.0"%"' if chart.percent else "0"
    return series


def _place(document: WordDocument, chart: Chart, number: int, relation: str) -> None:
    inline = parse_xml(
        f"<w:drawing {nsdecls('w', 'wp', 'a', 'r')}>"
        '<wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{int(_WIDTH)}" cy="{int(Cm(chart.height))}"/>'
        f'<wp:docPr id="{1000 + number}" name="chart{number}"/><wp:cNvGraphicFramePr/>'
        f'<a:graphic><a:graphicData uri="{_CHART}">'
        f'<c:chart xmlns:c="{_CHART}" r:id="{relation}"/>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
    inline.find(".//{*}docPr").set("descr", chart.in_words)
    document.add_paragraph().add_run()._r.append(inline)
