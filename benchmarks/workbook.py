"""The summary workbook, and the same cells by openpyxl alone."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import deque
from collections.abc import Callable
from typing import IO

from openpyxl import Workbook, load_workbook

from assessments.exports import summary as summary_workbook
from assessments.exports.scope import USUAL_COLUMNS, Scope
from assessments.models import Campaign
from benchmarks.data import World

Job = Callable[[], None]


def write(campaign: Campaign, target: IO[bytes]) -> None:
    """The usual sheets over the whole city."""
    scope = Scope(
        campaign=campaign,
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
            write(world.campaign, target)

    return job


def copy(name: str) -> None:
    """The same cells by openpyxl alone, row by row from one workbook to another."""
    book = Workbook(write_only=True)
    for source in load_workbook(name, read_only=True).worksheets:
        sheet = book.create_sheet(source.title)
        for row in source.iter_rows(values_only=True):
            sheet.append(row)
    with tempfile.TemporaryFile() as target:
        book.save(target)


def bare(world: World) -> Job:
    """The very cells of the summary, read once beforehand, written without a style."""
    with tempfile.TemporaryFile() as file:
        write(world.campaign, file)
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
