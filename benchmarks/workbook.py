"""The summary workbook, and the same cells by openpyxl alone."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable

from openpyxl import Workbook, load_workbook

from assessments.exports import summary as summary_workbook
from benchmarks.data import World

Job = Callable[[], None]


def summary(world: World) -> Job:
    def job() -> None:
        summary_workbook.write(world.campaign, prepared_by="基准", on=dt.date(2026, 1, 1)).close()

    return job


def bare(world: World) -> Job:
    """The very cells of the summary, read once beforehand, written without a style."""
    with summary_workbook.write(world.campaign, prepared_by="基准", on=dt.date(2026, 1, 1)) as file:
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
