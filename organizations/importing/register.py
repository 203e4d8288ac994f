"""The list as a workbook to fill in: empty with drop-downs (模板), or with what is there (名册)."""

from __future__ import annotations

from typing import Any, BinaryIO

from django.db.models import QuerySet
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from organizations import workbook
from organizations.chinese import in_chinese
from organizations.choices import Tier
from organizations.importing.columns import COLUMNS, Column
from organizations.models import Organization, User

#: So many rows of the template have drop-downs.
_ROWS = 5000
_LIST, _HELP, _SUPERIORS = "名册", "填写说明", "上级工会"
_RULES = [
    "一行一个工会。带 * 的列必须填写，其余可以空着；已有工会的空格表示“不改”，不会清除原有内容。",
    "代码在全市唯一，导入时凭代码认出是哪个工会：系统里没有的代码是新增，有的是修改或调整上级。",
    "行的先后没有关系；上级工会可以是系统里已有的，也可以是本表里的另一行。",
    "上传后先看预览：新增、修改、调整上级、不变各是哪些，哪一行哪一格有错误。确认后才导入，有一处错误就全部不导入。",
    "同一份名册导入两次，第二次不会有任何变化。不能用导入撤销工会。",
    "表头请勿改动；隐藏的工作表不会读取；请不要设密码，不要使用宏。",
]


@in_chinese()
def template(user: User) -> BinaryIO:
    """The empty list, its explanation, and the superiors to choose from."""
    book = Workbook()
    sheet = book.active
    sheet.title = _LIST
    _write_headings(sheet)
    superiors = _superiors(user)
    _write_explanation(book.create_sheet(_HELP))
    names = book.create_sheet(_SUPERIORS)
    names.append(["名称", "代码", "层级"])
    for union in superiors:
        names.append([union.name, union.code, str(union.get_tier_display())])
        for cell in names[names.max_row]:
            cell.data_type = "s"
    for letter, width in zip("ABC", (44, 18, 20), strict=True):
        names.column_dimensions[letter].width = width
    _add_drop_downs(sheet, len(superiors))
    return workbook.saved(book)


def _superiors(user: User) -> list[Organization]:
    return list(
        Organization.objects.active()
        .administered_by(user)
        .exclude(tier=Tier.GRASSROOTS)
        .order_by("path")
        .only("name", "code", "tier")
    )


def _write_headings(sheet: Worksheet) -> None:
    for place, column in enumerate(COLUMNS, start=1):
        letter = get_column_letter(place)
        cell = sheet.cell(1, place, _heading(column))
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", start_color="B01E23" if column.required else "8A6D3B")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.column_dimensions[letter].width = column.width
        # Text, so that leading zeros and eighteen digits stay as they are typed.
        sheet.column_dimensions[letter].number_format = "@"
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "C2"


def _heading(column: Column) -> str:
    return f"{column.title}*" if column.required else column.title


def _write_explanation(sheet: Worksheet) -> None:
    sheet.append(["怎样填写工会名册"])
    sheet["A1"].font = Font(bold=True, size=14)
    for rule in _RULES:
        sheet.append(["", rule])
    sheet.append([])
    sheet.append(["列", "说明", "是否必填", "可选内容"])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for column in COLUMNS:
        required = "必填" if column.required else ""
        sheet.append([column.title, column.help, required, "、".join(column.choices)])
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for letter, width in zip("ABCD", (20, 80, 10, 44), strict=True):
        sheet.column_dimensions[letter].width = width


def _add_drop_downs(sheet: Worksheet, superiors: int) -> None:
    for place, column in enumerate(COLUMNS, start=1):
        if column.choices:
            choice = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"')
            choice.error, choice.errorTitle = "请从下拉列表中选择。", column.title
            choice.showErrorMessage = True
        elif column.field == "parent" and superiors:
            choice = DataValidation(type="list", formula1=f"{_SUPERIORS}!$A$2:$A${superiors + 1}")
            choice.showErrorMessage = False  # one of this very list may be typed too
        else:
            continue
        choice.allow_blank = True
        choice.prompt, choice.promptTitle, choice.showInputMessage = column.help, column.title, True
        letter = get_column_letter(place)
        choice.add(f"{letter}2:{letter}{_ROWS + 1}")
        sheet.add_data_validation(choice)


def filename() -> str:
    return f"工会名册{timezone.localdate():%Y%m%d}.xlsx"


@in_chinese()
def write(unions: QuerySet[Organization]) -> BinaryIO:
    """These unions in the columns of the template; rows are written as they are read."""
    book = workbook.new()
    sheet = workbook.Sheet(
        book,
        _LIST,
        title="工会名册",
        notes=["可以直接在本表上修改，再到“导入名册”上传；空格表示不改。"],
        columns=[(_heading(column), column.width) for column in COLUMNS],
        widen=2,
    )
    rows = unions.select_related("parent").order_by("path").iterator(chunk_size=1000)
    for union in rows:
        sheet.append([_cell(union, column.field) for column in COLUMNS])
    sheet.finish()
    return workbook.saved(book)


def _cell(union: Organization, name: str) -> Any:
    if name == "parent":
        return union.parent.code if union.parent else ""
    if name in ("head", "reporter"):
        return ""
    value = getattr(union, name)
    if isinstance(value, bool):
        return "是" if value else "否"
    field = Organization._meta.get_field(name)
    return str(dict(field.choices).get(value, "")) if field.choices else value
