"""Workbooks that the portal has made: opened, recalculated, read."""

import os
import shutil
import subprocess
import warnings

import pytest
from django.core.files.storage import default_storage
from openpyxl import load_workbook


def opened(path):
    """A file in the storage, formulas as they stand."""
    with default_storage.open(path, "rb") as file:
        return load_workbook(file)


def recalculated(path):
    """The same with the values of its formulas, reckoned by LibreOffice."""
    office = shutil.which("soffice")
    if office is None and not os.environ.get("CI"):
        pytest.skip("LibreOffice (soffice) is not installed: nothing recalculates the formulas")
    assert office, "LibreOffice is missing (Debian: apt install libreoffice-calc)"
    source = default_storage.path(path)
    folder = f"{source}.recalculated"
    subprocess.run(  # noqa: S603
        [
            office,
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            folder,
            source,
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with warnings.catch_warnings():  # about what LibreOffice adds, and openpyxl does not know
        warnings.simplefilter("ignore", UserWarning)
        return load_workbook(f"{folder}/{os.path.basename(path)}", data_only=True)


def named_rows(sheet):
    """Rows below the heading as dictionaries; a repeated heading keeps its first value."""
    table = list(sheet.iter_rows(values_only=True))
    head = next(
        i for i, row in enumerate(table) if row[0] in ("序号", "县（市、区）", "层级", "项目")
    )
    found = []
    for row in table[head + 1 :]:
        named = {}
        for label, value in zip(table[head], row, strict=True):
            named.setdefault(label, value)
        found.append(named)
    return found
