"""A version of the rubric as a file, written and read again: JSON, or a workbook with one indicator
a row. What is read is text still: `forms.rubrics` judges it by the rules of the editor."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.utils.translation import gettext
from openpyxl.utils import get_column_letter

from assessments.choices import IndicatorKind
from assessments.models import Rubric
from assessments.rubric_editing import FIELDS, LETTERS, Section, sections_of
from organizations import workbook
from organizations.chinese import in_chinese
from organizations.choices import Tier
from organizations.importing import reading
from organizations.importing.reading import ListRefused

#: Far above any rubric; what is longer is no rubric.
MAX_BYTES = 1024 * 1024
MAX_INDICATORS = 300
_NUMBER, _TITLE = "序号", "一好"
#: A file is in Chinese, whoever writes or reads it.
with in_chinese():
    _LABELS = {name: str(label) for name, label in FIELDS.items()}
_HEADINGS = [_NUMBER, _TITLE, *_LABELS.values()]
_WIDTHS = {"clause": 60, "name": 24, "checklist_items": 24, "evidence_hint": 36}
_YES, _NO = "是", "否"
_FLAGS = ("mandatory", "conditional", "evidence_required")


@dataclass(frozen=True)
class Line:
    """One indicator of a file: its values as text, by the names of FIELDS, and where each stands."""

    number: str
    section_title: str
    values: dict[str, str]
    places: dict[str, str] = field(default_factory=dict)

    def place(self, name: str) -> str:
        return self.places.get(name) or next(iter(self.places.values()))


@dataclass(frozen=True)
class Document:
    tier: Tier
    title: str
    lines: list[Line]


def as_json(tier: str, title: str, sections: Iterable[Section]) -> str:
    criteria = [
        {"number": section.number, "title": section.title, "indicators": section.rows}
        for section in sections
    ]
    content = {"tier": tier, "title": title, "criteria": criteria}
    return json.dumps(content, ensure_ascii=False, indent=1)


@in_chinese()
def as_workbook(rubric: Rubric) -> BinaryIO:
    """Read the rubric `with_indicators`."""
    book = workbook.new()
    sheet = workbook.Sheet(
        book,
        "六好标准",
        title=rubric.title,
        notes=[
            "一行一个指标，表头请勿改动。“逐项内容”每项一行；新指标的编号接着本“好”的最大编号往下编。"
        ],
        columns=[(_NUMBER, 6), (_TITLE, 20), *((_LABELS[n], _WIDTHS.get(n, 12)) for n in FIELDS)],
        widen=2,
        wrapped=[_LABELS[name] for name in _WIDTHS],
    )
    for section in sections_of(rubric):
        for row in section.rows:
            sheet.append([section.number, section.title, *(_cell(name, row) for name in FIELDS)])
    sheet.finish()
    return workbook.saved(book)


def _cell(name: str, row: dict[str, Any]) -> str:
    value = row[name]
    if name in _FLAGS:
        return _YES if value else _NO
    if name == "kind":
        return str(IndicatorKind(value).label)
    return "\n".join(value) if name == "checklist_items" else value or ""


def read(file: BinaryIO) -> Document:
    """A file of either kind, told by its content. Raises ListRefused."""
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ListRefused(gettext("文件超过 1 MB，不会是一份标准。"))
    file.seek(0)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return from_json(content.decode("utf-8-sig", errors="replace"))
    return _from_sheet(reading.read(file))


def from_json(text: str) -> Document:
    """Raises ListRefused."""
    try:
        content = json.loads(text)
        lines = [
            Line(
                number=str(section["number"]),
                section_title=str(section["title"]),
                values={name: _text(row.get(name)) for name in FIELDS},
                places={
                    "code": gettext("第 {number} 好第 {place} 条").format(
                        number=section["number"], place=place
                    )
                },
            )
            for section in content["criteria"]
            for place, row in enumerate(section["indicators"], start=1)
        ]
        title, tier = str(content["title"]), Tier(content["tier"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ListRefused(gettext("不是本平台导出的标准文件（JSON），或者内容不完整。")) from error
    return _document(tier, title, lines)


def _text(value: Any) -> str:
    """Raises TypeError for what no field of an indicator is."""
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    if isinstance(value, dict):
        raise TypeError
    if isinstance(value, bool):
        return _YES if value else _NO
    return "" if value is None else str(value)


def _from_sheet(sheets: list[reading.Sheet]) -> Document:
    for sheet in sheets:
        for number, cells in sheet.rows.items():
            labels = [str(cell).strip() for cell in cells]
            if set(_HEADINGS) <= set(labels):
                columns = {label: labels.index(label) for label in _HEADINGS}
                rows = {at: row for at, row in sheet.rows.items() if at > number}
                lines = [_line(at, row, columns) for at, row in rows.items()]
                first = next(iter(sheet.rows.values()))
                title = "" if first is cells else str(first[0])
                return _document(_tier_of(lines), title, lines)
    raise ListRefused(gettext("没有找到表头。请用本平台导出的标准表格修改，不要改动表头。"))


def _line(at: int, row: list[object], columns: dict[str, int]) -> Line:
    cells = {
        label: _plain(row[column], f"{get_column_letter(column + 1)}{at}")
        for label, column in columns.items()
        if column < len(row)
    }
    return Line(
        number=cells.get(_NUMBER, ""),
        section_title=cells.get(_TITLE, ""),
        values={name: cells.get(label, "") for name, label in _LABELS.items()},
        places={
            name: f"{get_column_letter(columns[label] + 1)}{at}" for name, label in _LABELS.items()
        },
    )


def _plain(value: object, place: str) -> str:
    if isinstance(value, dict):
        raise ListRefused(
            gettext("{place}：是日期或没有结果的公式，请改成文字或数字。").format(place=place)
        )
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _text(value)


def _tier_of(lines: list[Line]) -> Tier:
    """That of most codes: a wrong one among them is a fault of its own."""
    letters = Counter(line.values["code"][:1] for line in lines)
    for letter, _times in letters.most_common(1):
        for tier, known in LETTERS.items():
            if letter == known:
                return tier
    raise ListRefused(
        gettext("从第一个指标的编号看不出层级：县级以 C、乡镇（街道）以 T、基层以 G 开头。")
    )


def _document(tier: Tier, title: str, lines: list[Line]) -> Document:
    if tier not in LETTERS:
        raise ListRefused(gettext("这一层级没有六好标准。"))
    if not lines or len(lines) > MAX_INDICATORS:
        raise ListRefused(
            gettext("应有 1 至 {most} 个指标，现为 {number} 个。").format(
                most=MAX_INDICATORS, number=len(lines)
            )
        )
    return Document(tier, title.strip(), lines)
