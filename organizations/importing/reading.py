"""Taking an uploaded list apart: which kind it is, and its sheets as plain rows."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import olefile
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.importing.spreadsheet import LONGEST, MAX_COLUMNS, MAX_ROWS

MEGABYTE = 1024 * 1024
#: An uploaded list may have so many bytes, and so many once it is unpacked.
MAX_BYTES = 10 * MEGABYTE
MAX_UNPACKED = 150 * MEGABYTE
_MAX_MEMBERS = 2000
_SECONDS = 40
_CHILD = Path(__file__).with_name("spreadsheet.py")
#: So much of a .csv tells by what its cells are divided: notes may stand above the headings.
_SAMPLE = 2000
_ENCODINGS = ("utf-8-sig", "gb18030")

_LARGE = format_lazy(
    _("表格太大：最多 {rows} 行、{columns} 列。请删去多余的内容，或分成几个文件导入。"),
    rows=MAX_ROWS,
    columns=MAX_COLUMNS,
)
_BROKEN = _("文件已损坏，或不是真正的 Excel 文件。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。")
_ENCRYPTED = _("文件设有密码，无法读取。请取消密码后另存再上传。")
_MACRO = _("文件含有宏，为安全起见不予接受。请另存为不含宏的 .xlsx 再上传。")
_UNKNOWN = _(
    "不是可以读取的表格。请上传 Excel（.xlsx、.xls）、WPS 另存的 .xlsx、.ods 或 .csv 文件。"
)
_WEB = _("这是网页格式的文件，只是改了后缀。请用 Excel 打开后另存为 .xlsx 再上传。")
_REFUSALS = {"large": _LARGE, "encrypted": _ENCRYPTED, "broken": _BROKEN}


class ListRefused(Exception):
    """A file that cannot be read as a list; the message says why and what to do."""


@dataclass(frozen=True)
class Sheet:
    """A sheet's rows that are not empty, by their number as the spreadsheet program shows it
    (from 1). A value is text, a number, a truth value, {"date": text}, or {"failed": error} for a
    formula without a result; "" for nothing."""

    name: str
    rows: dict[int, list[object]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def read(file: BinaryIO) -> list[Sheet]:
    """The visible sheets of a list, whatever its name says. Raises ListRefused."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(0)
    if not size:
        raise ListRefused(gettext("文件是空的。"))
    if size > MAX_BYTES:
        raise ListRefused(
            gettext("文件超过 {megabytes} MB。").format(megabytes=MAX_BYTES // MEGABYTE)
        )
    head = file.read(2048)
    file.seek(0)
    if head.startswith(b"PK"):
        return _workbook(file, _zip_suffix(file))
    if head.startswith(olefile.MAGIC):
        return _workbook(file, _ole_suffix(file))
    return [Sheet("CSV", _csv_rows(file.read()))]


def _zip_suffix(file: BinaryIO) -> str:
    """The suffix by which the reader knows the kind. Unpacks everything once, against bombs."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if any(member.flag_bits & 1 for member in members):
                raise ListRefused(_ENCRYPTED)
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise ListRefused(_MACRO)
            unpacked = sum(member.file_size for member in members)
            if unpacked > MAX_UNPACKED or len(members) > _MAX_MEMBERS:
                raise ListRefused(_LARGE)
            if archive.testzip() is not None:  # also where a size in the directory is a lie
                raise ListRefused(_BROKEN)
            if "xl/workbook.xml" in names:
                return ".xlsx"
            if "xl/workbook.bin" in names:
                return ".xlsb"
            if "content.xml" in names and "mimetype" in names:
                return ".ods"
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError) as error:
        raise ListRefused(_BROKEN) from error
    raise ListRefused(_UNKNOWN)


def _ole_suffix(file: BinaryIO) -> str:
    try:
        with olefile.OleFileIO(file.read()) as container:
            if container.exists("EncryptedPackage"):
                raise ListRefused(_ENCRYPTED)
            if container.exists("_VBA_PROJECT_CUR"):
                raise ListRefused(_MACRO)
            if container.exists("Workbook") or container.exists("Book"):
                return ".xls"
    except (OSError, ValueError, IndexError) as error:
        raise ListRefused(_BROKEN) from error
    raise ListRefused(_UNKNOWN)


def _workbook(file: BinaryIO, suffix: str) -> list[Sheet]:
    file.seek(0)
    with tempfile.NamedTemporaryFile(suffix=suffix) as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        try:
            child = subprocess.run(  # noqa: S603 - our own script on a file of our own naming
                [sys.executable, "-I", str(_CHILD), copy.name],
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ListRefused(_LARGE) from error
    if child.returncode < 0:  # ended by its limits
        raise ListRefused(_LARGE)
    if child.returncode:
        raise ListRefused(_BROKEN)
    answer = json.loads(child.stdout)
    if "refused" in answer:
        raise ListRefused(_REFUSALS[answer["refused"]])
    return [
        Sheet(
            sheet["name"],
            {number + 1: values for number, values in sheet["rows"]},
            [(r1 + 1, c1, r2 + 1, c2) for r1, c1, r2, c2 in sheet["merged"]],
        )
        for sheet in answer["sheets"]
    ]


def _csv_rows(content: bytes) -> dict[int, list[object]]:
    text = _decoded(content)
    if text.lstrip()[:5].lower().startswith(("<", "mime-")):
        raise ListRefused(_WEB)
    delimiter = max(",\t;", key=text[:_SAMPLE].count)
    rows: dict[int, list[object]] = {}
    try:
        for number, values in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
            if any(value.strip() for value in values):
                rows[number] = [value[: LONGEST + 1] for value in values[:MAX_COLUMNS]]
            if len(rows) > MAX_ROWS:
                raise ListRefused(_LARGE)
    except csv.Error as error:
        raise ListRefused(_BROKEN) from error
    return rows


def _decoded(content: bytes) -> str:
    """The text of a .csv as Excel, WPS and others write it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = _ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ListRefused(_UNKNOWN)
