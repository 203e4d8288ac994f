"""A process of its own that turns a spreadsheet into JSON: `python spreadsheet.py FILE`.

A hostile workbook can make any reader take all the memory there is. Here that ends a child with
limits of its own, and the server goes on. No Django is imported: it starts in a moment.

Prints {"sheets": [{"name", "rows": [[number, [value, …]], …], "merged": [[r1, c1, r2, c2], …]}]}
of the visible sheets, rows and columns counted from 0, empty rows left out; or {"refused": why}
with why one of "encrypted", "large", "broken". Dates come as {"date": text}; cells of an .xlsx whose
formula failed or was never calculated, which calamine takes for empty ones, as {"failed": text}.
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import resource
import sys
import zipfile
from xml.etree import ElementTree

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

MEMORY_BYTES = 1024**3
CPU_SECONDS = 30
MAX_CELLS = 5_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 60
MAX_MERGED = 20_000
LONGEST = 500
#: Of all sheets together: what the server has to hold.
MAX_CHARACTERS = 10_000_000
MAX_VALUES = 2_000_000

#: A sheet without any of these has no formula and no error, and is not looked at a second time.
_SIGNS = (b'"e"', b"'e'", b"<f", b":f")
_PLACE = re.compile("([A-Z]{1,3})([0-9]{1,7})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class TooLargeError(Exception):
    pass


def plain(value: object) -> object:
    if isinstance(value, str):
        return value[: LONGEST + 1]
    if isinstance(value, (bool, int, float)):
        return value
    return {"date": str(value)}


def rows_of(sheet: CalamineSheet, failed: dict[int, dict[int, str]]) -> dict[int, list[object]]:
    """The rows in which something stands, by number."""
    if sheet.total_height * sheet.total_width > MAX_CELLS:
        raise TooLargeError
    rows: dict[int, list[object]] = {}
    for number, row in enumerate(sheet.to_python(skip_empty_area=False)):
        values = [plain(value) for value in row[:MAX_COLUMNS]]
        if any(
            value != "" and not (isinstance(value, str) and value.isspace()) for value in values
        ):
            rows[number] = values
            if len(rows) > MAX_ROWS:
                raise TooLargeError
    for number, cells in failed.items():
        values = rows.setdefault(number, [])
        for column, text in cells.items():
            values += [""] * (column + 1 - len(values))
            values[column] = {"failed": text}
    return dict(sorted(rows.items()))


def failed_cells(archive: zipfile.ZipFile, part: str) -> dict[int, dict[int, str]]:
    """Cells by row and column whose formula gave an error, with the error, or has no result yet,
    as where a program wrote the file and no spreadsheet program has opened it since."""
    content = archive.read(part)
    failed: dict[int, dict[int, str]] = {}
    if not any(sign in content for sign in _SIGNS):
        return failed
    for _, element in ElementTree.iterparse(io.BytesIO(content)):  # noqa: S314 - within limits
        if element.tag.endswith("}c"):
            kind, value = element.get("t"), element.findtext("{*}v") or ""
            is_uncalculated = element.find("{*}f") is not None and not value and kind != "str"
            place = _PLACE.fullmatch(element.get("r", ""))
            if place and (kind == "e" or is_uncalculated):
                number, column = int(place[2]) - 1, column_number(place[1])
                if column < MAX_COLUMNS:
                    failed.setdefault(number, {})[column] = value
        elif element.tag.endswith("}row"):
            element.clear()
    if len(failed) > MAX_ROWS:
        raise TooLargeError
    return failed


def column_number(letters: str) -> int:
    """A → 0, Z → 25, AA → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def parts_of(archive: zipfile.ZipFile) -> list[str]:
    """The file of each sheet within an .xlsx, in the order of the book."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    return [
        posixpath.join("/xl", targets[sheet.get(_RELATION)])[1:]
        for sheet in book.iterfind("{*}sheets/{*}sheet")
    ]


def sheets_of(path: str) -> list[dict[str, object]]:
    book = CalamineWorkbook.from_path(path)
    archive = zipfile.ZipFile(path) if path.endswith(".xlsx") else None
    parts = parts_of(archive) if archive else []
    found: list[dict[str, object]] = []
    values = characters = 0
    for index, meta in enumerate(book.sheets_metadata):
        if meta.typ != SheetTypeEnum.WorkSheet or meta.visible != SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_index(index)
        rows = rows_of(sheet, failed_cells(archive, parts[index]) if archive else {})
        merged = sheet.merged_cell_ranges or []
        for row in rows.values():
            values += len(row)
            characters += sum(len(value) for value in row if isinstance(value, str))
        if len(merged) > MAX_MERGED or values > MAX_VALUES or characters > MAX_CHARACTERS:
            raise TooLargeError
        found.append(
            {
                "name": meta.name,
                "rows": list(rows.items()),
                "merged": [[*start, *end] for start, end in merged],
            }
        )
    return found


def main(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        answer: dict[str, object] = {"sheets": sheets_of(path)}
    except PasswordError:
        answer = {"refused": "encrypted"}
    except (TooLargeError, MemoryError):
        answer = {"refused": "large"}
    except (CalamineError, zipfile.BadZipFile, SyntaxError, LookupError, OSError, ValueError):
        answer = {"refused": "broken"}
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.buffer.write(text.encode())


if __name__ == "__main__":
    main(sys.argv[1])
