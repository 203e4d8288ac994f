"""Writing workbooks: row by row, formula-safe, styled where it is seen."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import count
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.translation import gettext
from lxml.etree import fromstring
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import DataBarRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: A cell of text that starts so would be read as a formula by a spreadsheet program.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: What a cell can hold.
_LONGEST = 32767
#: Characters that XML cannot hold.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: What the name of a sheet cannot hold, and its length.
_UNFIT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME = 31
_THIN = Side(style="thin", color="BFBFBF")
_TITLE = Font(name="宋体", size=16, bold=True)
_NOTE = Font(name="宋体", size=10, color="595959")
_HEADING = Font(name="宋体", size=11, bold=True, color="FFFFFF")
_HEADING_FILL = PatternFill("solid", start_color="B01E23")
_TOTAL = Font(name="宋体", size=11, bold=True)
_TOTAL_FILL = PatternFill("solid", start_color="F6EFE6")
#: The form of a share, which a cell holds as a fraction.
PERCENT = "0.00%"
#: The form of points: a Decimal is held as it is, and rounded half up to 0.01 for show.
POINTS = "0.00"
_BAR = "E3A6A2"


class Formula(str):
    """A formula of the portal's own making. Text that users typed never becomes one."""

    __slots__ = ()


class _Rows(WriteOnlyWorksheet):
    """Takes a row as XML too. openpyxl opens and closes four elements for each cell of text, which
    costs more than everything else together; lxml parses a row at once."""

    def _write_rows(self) -> Generator[None, Any, None]:
        output = self._writer.xf.send(True)
        with output.element("sheetData"), suppress(GeneratorExit):
            for number in count(1):
                row = yield
                if isinstance(row, bytes):
                    output.write(fromstring(row))
                else:
                    self._writer.write_row(output, self._values_to_row(row, number), number)
        self._writer.xf.send(None)

    def append_xml(self, row: bytes) -> None:
        self._rows.send(row)


def _cell(address: str, value: Any, points: int) -> str:
    """A cell as `safe` would have it, `points` being the style of a Decimal. Raises TypeError for
    what needs a style of its own."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        if value.startswith(_FORMULA_STARTS):
            raise TypeError
        text = escape(_legal(value))
        space = "" if text == text.strip() else ' xml:space="preserve"'
        return f'<c r="{address}" t="inlineStr"><is><t{space}>{text}</t></is></c>'
    if type(value) is Decimal:
        return f'<c r="{address}" s="{points}" t="n"><v>{value:f}</v></c>'
    if type(value) in (int, float):
        return f'<c r="{address}" t="n"><v>{value}</v></c>'
    raise TypeError


class Sheet:
    """One sheet being written: title, notes and a heading row, then rows as they come, then totals.
    Ready to print on A4 landscape. `shares` are the labels of columns that hold fractions,
    `wrapped` of those whose text is long."""

    def __init__(
        self,
        workbook: Workbook,
        name: str,
        *,
        title: str,
        notes: Iterable[str],
        columns: Sequence[tuple[str, int]],
        widen: int = 0,
        shares: Sequence[str] = (),
        wrapped: Sequence[str] = (),
    ) -> None:
        self._sheet = _Rows(workbook, sheet_name(name, workbook.sheetnames))
        workbook._add_sheet(self._sheet)
        notes = list(notes)
        labels = [label for label, _ in columns]
        self._shares = [labels.index(label) for label in shares]
        self._wrapped = [labels.index(label) for label in wrapped]
        self.heading_row = 2 + len(notes)
        for index, (_, width) in enumerate(columns, start=1):
            self._sheet.column_dimensions[get_column_letter(index)].width = width
        self._sheet.freeze_panes = self._sheet_cell(self.heading_row + 1, widen + 1)
        self._sheet.print_title_rows = f"{self.heading_row}:{self.heading_row}"
        self._sheet.page_setup.orientation = "landscape"
        self._sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
        self._sheet.page_setup.fitToHeight = 0
        self._sheet.sheet_properties.pageSetUpPr.fitToPage = True
        self._sheet.oddFooter.center.text = gettext("第 &P 页，共 &N 页")
        self._columns = len(columns)
        self._letters = [get_column_letter(index + 1) for index in range(len(columns))]
        self._points = self._number("", POINTS).style_id
        self.rows = self._totals = 0
        self._sheet.append([self._styled(title, _TITLE)])
        for note in notes:
            self._sheet.append([self._styled(note, _NOTE)])
        self._sheet.append([self._heading(label) for label, _ in columns])

    @staticmethod
    def _sheet_cell(row: int, column: int) -> str:
        return f"{get_column_letter(column)}{row}"

    def _styled(self, text: str, font: Font) -> Cell:
        cell = _text_cell(self._sheet, text)
        cell.font = font
        return cell

    def _heading(self, text: str) -> Cell:
        cell = self._styled(text, _HEADING)
        cell.fill = _HEADING_FILL
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.border = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
        return cell

    @property
    def first_row(self) -> int:
        """The number of the first row below the heading."""
        return self.heading_row + 1

    @property
    def next_row(self) -> int:
        """The number that the next row will have."""
        return self.first_row + self.rows + self._totals

    def here(self, index: int) -> str:
        """The address of a cell of the next row, by its column from 0."""
        return f"{get_column_letter(index + 1)}{self.next_row}"

    def append(self, values: Iterable[Any]) -> None:
        """Add a row. Text that looks like a formula stays text; numbers stay numbers."""
        row = list(values)
        if not self._append_plain(row):
            self._append_styled(row)
        self.rows += 1

    def _append_plain(self, values: list[Any]) -> bool:
        """The quick way, for a row of which no cell has a style: whether that was possible."""
        if self._shares or self._wrapped:
            return False
        number = self.next_row
        try:
            cells = [
                _cell(f"{letter}{number}", value, self._points)
                for letter, value in zip(self._letters, values, strict=True)
            ]
        except TypeError:
            return False
        self._sheet.append_xml(f'<row r="{number}">{"".join(cells)}</row>'.encode())
        return True

    def _append_styled(self, values: list[Any]) -> None:
        row = [safe(self._sheet, value) for value in values]
        for index, value in enumerate(row):
            if index in self._shares:
                row[index] = self._number(value, PERCENT)
            elif isinstance(value, Decimal):
                row[index] = self._number(value, POINTS)
        for index in self._wrapped:
            if not isinstance(row[index], Cell):
                row[index] = _text_cell(self._sheet, row[index])
            row[index].alignment = Alignment(wrap_text=True, vertical="top")
        self._sheet.append(row)

    def append_total(self, values: Sequence[Any]) -> None:
        """Add a row of totals, below all others: formulas, figures and words of the portal's own."""
        cells = []
        for index, value in enumerate(values):
            cell = (
                self._number(value, PERCENT)
                if index in self._shares
                else WriteOnlyCell(self._sheet, value=value)
            )
            cell.font, cell.fill = _TOTAL, _TOTAL_FILL
            cells.append(cell)
        self._sheet.append(cells)
        self._totals += 1

    def _number(self, value: Any, form: str) -> Cell:
        cell = WriteOnlyCell(self._sheet, value=value)
        cell.number_format = form
        return cell

    def column(self, index: int) -> str:
        """The rows so far of a column, from 0, as a range: `C5:C20`. Of none, the empty row below
        the heading, so that a formula over nothing is a formula still."""
        letter = get_column_letter(index + 1)
        return f"{letter}{self.first_row}:{letter}{self.first_row + max(self.rows, 1) - 1}"

    def finish(self) -> None:
        """Once all rows are there: the filter over exactly them, the bars of shares, the area to
        print."""
        last, end = get_column_letter(self._columns), self.heading_row + self.rows
        self._sheet.auto_filter.ref = f"A{self.heading_row}:{last}{end}"
        self._sheet.print_area = f"A1:{last}{end + self._totals}"
        for index in self._shares:
            if self.rows:
                rule = DataBarRule("num", 0, "num", 1, color=_BAR)
                self._sheet.conditional_formatting.add(self.column(index), rule)


def sheet_name(name: str, taken: Sequence[str] = ()) -> str:
    """The name as a sheet may have it: without what spreadsheet programs forbid, at most 31
    characters, and no other sheet's, whatever the case."""
    cleaned = _legal(_UNFIT_IN_NAMES.sub(" ", name)).strip(" '")[:_LONGEST_NAME] or "Sheet"
    found, number = cleaned, 1
    while found.casefold() in {one.casefold() for one in taken}:
        number += 1
        end = f"({number})"
        found = cleaned[: _LONGEST_NAME - len(end)] + end
    return found


def safe(sheet: WriteOnlyWorksheet, value: Any) -> Any:
    """The value as a cell may hold it: without characters that XML forbids, never a formula, and
    times as the clock on the wall shows them."""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.make_naive(value)
    if not isinstance(value, str) or isinstance(value, Formula):
        return value
    if value.startswith(_FORMULA_STARTS):
        return _text_cell(sheet, value)
    return _legal(value)


def _legal(text: str) -> str:
    return _UNFIT.sub("", text)[:_LONGEST]


def _text_cell(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    """A cell that holds text and stays text when somebody edits it."""
    cell = WriteOnlyCell(sheet, value=_legal(text))
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_FORMULA_STARTS)
    return cell


def new() -> Workbook:
    return Workbook(write_only=True)


@contextmanager
def writing(target: BinaryIO) -> Iterator[Workbook]:
    """A new workbook, written to the target at the end. One that is broken off goes nowhere, and
    leaves nothing behind: openpyxl keeps its rows in temporary files until they are packed."""
    book = new()
    try:
        yield book
    except BaseException:
        with suppress(Exception):
            book.save(os.devnull)
        raise
    book.save(target)


def saved(workbook: Workbook) -> BinaryIO:
    """The workbook as a temporary file, at its beginning, that vanishes when closed."""
    file = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115 - the response closes it
    workbook.save(file)
    file.seek(0)
    return file
