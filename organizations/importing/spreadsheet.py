"""A process of its own that turns a spreadsheet into JSON: `python spreadsheet.py FILE`.

A hostile workbook can make any reader take all the memory there is. Here that ends a child with
limits of its own, and the server goes on. No Django is imported: it starts in a moment.

Prints {"sheets": [{"name", "rows": [[number, [value, …]], …], "merged": [[r1, c1, r2, c2], …]}]}
of the visible sheets, rows and columns counted from 0, empty rows left out; or {"refused": why}
with why one of "encrypted", "large", "broken". Dates come as {"date": text}.
"""

from __future__ import annotations

import json
import resource
import sys

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
MAX_CHARACTERS = 20_000_000
MAX_MERGED = 20_000
LONGEST = 500


class TooLargeError(Exception):
    pass


def plain(value: object) -> object:
    if isinstance(value, str):
        return value[: LONGEST + 1]
    if isinstance(value, (bool, int, float)):
        return value
    return {"date": str(value)}


def rows_of(sheet: CalamineSheet) -> list[list[object]]:
    if sheet.total_height * sheet.total_width > MAX_CELLS:
        raise TooLargeError
    rows: list[list[object]] = []
    characters = 0
    for number, row in enumerate(sheet.to_python(skip_empty_area=False)):
        values = [plain(value) for value in row[:MAX_COLUMNS]]
        if all(value == "" or (isinstance(value, str) and not value.strip()) for value in values):
            continue
        characters += sum(len(value) for value in values if isinstance(value, str))
        rows.append([number, values])
        if len(rows) > MAX_ROWS or characters > MAX_CHARACTERS:
            raise TooLargeError
    return rows


def sheets_of(path: str) -> list[dict[str, object]]:
    book = CalamineWorkbook.from_path(path)
    found: list[dict[str, object]] = []
    for index, meta in enumerate(book.sheets_metadata):
        if meta.typ != SheetTypeEnum.WorkSheet or meta.visible != SheetVisibleEnum.Visible:
            continue
        sheet = book.get_sheet_by_index(index)
        merged = sheet.merged_cell_ranges or []
        if len(merged) > MAX_MERGED:
            raise TooLargeError
        found.append(
            {
                "name": meta.name,
                "rows": rows_of(sheet),
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
    except (CalamineError, OSError, ValueError):
        answer = {"refused": "broken"}
    json.dump(answer, sys.stdout, ensure_ascii=True, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1])
