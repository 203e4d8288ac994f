"""Writing workbooks: row by row, formula-safe, styled where it is seen."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: A cell of text that starts so would be read as a formula by a spreadsheet program.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
#: What a cell can hold.
_LONGEST = 32767
_THIN = Side(style="thin", color="BFBFBF")
_TITLE = Font(name="宋体", size=16, bold=True)
_NOTE = Font(name="宋体", size=10, color="595959")
_HEADING = Font(name="宋体", size=11, bold=True, color="FFFFFF")
_HEADING_FILL = PatternFill("solid", start_color="B01E23")


class Sheet:
    """One sheet being written: title, notes and a heading row, then rows as they come."""

    def __init__(
        self,
        workbook: Workbook,
        name: str,
        *,
        title: str,
        notes: Iterable[str],
        columns: Sequence[tuple[str, int]],
        widen: int = 0,
    ) -> None:
        self._sheet: WriteOnlyWorksheet = workbook.create_sheet(name)
        notes = list(notes)
        self.heading_row = 2 + len(notes)
        for index, (_, width) in enumerate(columns, start=1):
            self._sheet.column_dimensions[get_column_letter(index)].width = width
        self._sheet.freeze_panes = self._sheet_cell(self.heading_row + 1, widen + 1)
        self._sheet.print_title_rows = f"{self.heading_row}:{self.heading_row}"
        self._sheet.page_setup.orientation = "landscape"
        self._sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
        self._sheet.page_setup.fitToHeight = 0
        self._sheet.sheet_properties.pageSetUpPr.fitToPage = True
        self._sheet.oddFooter.center.text = "第 &P 页，共 &N 页"
        self._columns = len(columns)
        self._rows = 0
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

    def append(self, values: Iterable[Any]) -> None:
        """Add a row. Text that looks like a formula stays text; numbers stay numbers."""
        self._sheet.append([safe(self._sheet, value) for value in values])
        self._rows += 1

    def finish(self) -> None:
        """Once all rows are there: the filter over exactly them."""
        last = get_column_letter(self._columns)
        self._sheet.auto_filter.ref = f"A{self.heading_row}:{last}{self.heading_row + self._rows}"


def safe(sheet: WriteOnlyWorksheet, value: Any) -> Any:
    """The value as a cell may hold it: without characters that XML forbids, never a formula, and
    times as the clock on the wall shows them."""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.make_naive(value)
    if not isinstance(value, str):
        return value
    if value.startswith(_FORMULA_STARTS):
        return _text_cell(sheet, value)
    return _legal(value)


def _legal(text: str) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST]


def _text_cell(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    """A cell that holds text and stays text when somebody edits it."""
    cell = WriteOnlyCell(sheet, value=_legal(text))
    cell.data_type = "s"
    cell.quotePrefix = text.startswith(_FORMULA_STARTS)
    return cell


def new() -> Workbook:
    return Workbook(write_only=True)


def saved(workbook: Workbook) -> BinaryIO:
    """The workbook as a temporary file, at its beginning, that vanishes when closed."""
    file = tempfile.TemporaryFile(suffix=".xlsx")  # noqa: SIM115 - the response closes it
    workbook.save(file)
    file.seek(0)
    return file
