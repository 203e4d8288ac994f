"""The summary workbook, and the same cells by openpyxl alone."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import deque
from collections.abc import Callable

from openpyxl import Workbook, load_workbook

from assessments.exports import summary as summary_workbook
from assessments.exports.scope import USUAL_COLUMNS, Scope
from benchmarks.data import World

Job = Callable[[], None]


def _write(world: World, target) -> None:
    scope = Scope(
        campaign=world.campaign,
        place=None,
        sheets=summary_workbook.USUAL_SHEETS,
        columns=frozenset(USUAL_COLUMNS),
        prepared_by="基准",
        on=dt.date(2026, 1, 1),
    )
    deque(summary_workbook.write(scope, target), maxlen=0)


def summary(world: World) -> Job:
    def job() -> None:
        with tempfile.TemporaryFile() as target:
            _write(world, target)

    return job


def bare(world: World) -> Job:
    """The very cells of the summary, read once beforehand, written without a style."""
    with tempfile.TemporaryFile() as file:
        _write(world, file)
        book = load_workbook(file, read_only=True)
        sheets = {
            sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)]
            for sheet in book.worksheets
        }

    def job() -> None:
        book = Workbook(write_only=True)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        with tempfile.TemporaryFile() as target:
            book.save(target)

    return job
