"""What stands in a list of unions: its columns, and what each cell means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.chinese import in_chinese
from organizations.choices import Ownership, Tier, UnitKind
from organizations.credit_code import is_credit_code
from organizations.importing import reading
from organizations.importing.reading import ListRefused, Sheet
from organizations.models.organization import WRONG_CREDIT_CODE

#: The headings stand within so many rows from the top: titles and notes may come before them.
_HEADING_WITHIN = 20
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,29}")
_MOST_HEADS = 10_000_000
#: Beyond it a number in a cell has lost digits.
_EXACT_FLOAT = 10**15
_UNCALCULATED = _("公式还没有算出结果。请用 Excel 或 WPS 打开、保存后再上传。")
_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!")


class CellFault(Exception):
    """A cell that cannot be taken as it is; the message says why, in Chinese."""


def text_of(value: object) -> str:
    """The text of a cell as a person reads it: no blanks around, none of the characters that
    nobody sees, whole numbers without a point. Raises CellFault."""
    if isinstance(value, dict) and "failed" in value:
        if not value["failed"]:
            raise CellFault(_UNCALCULATED)
        raise CellFault(gettext("公式出错（{error}）。").format(error=value["failed"]))
    if isinstance(value, dict):
        date = value["date"][:10]
        raise CellFault(gettext("单元格里是日期（{date}），请改为文本。").format(date=date))
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, (int, float)):
        if not abs(value) < _EXACT_FLOAT:  # so that what is not a number at all is caught too
            raise CellFault(
                gettext("数字过长，Excel 已丢失末尾几位。请把单元格设为文本后重新填写。")
            )
        return str(int(value)) if value == int(value) else str(value)
    text = str(value)
    if text in _ERRORS:
        raise CellFault(gettext("公式出错（{error}）。").format(error=text))
    if not text.isprintable():
        text = "".join(
            " " if unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc") else character
            for character in text
            if unicodedata.category(character) not in ("Cf", "Cs", "Co")
        )
    return " ".join(text.split())


def narrow(text: str) -> str:
    """The text with full-width letters, digits and brackets made ordinary ones."""
    return unicodedata.normalize("NFKC", text).strip()


def code_of(text: str) -> str:
    """The code that is typed there. Raises CellFault where none could be."""
    code = narrow(text)
    if not _CODE.fullmatch(code):
        raise CellFault(gettext("代码只能用字母、数字、点、横线和下划线，最多 30 位。"))
    return code


def _limited(longest: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if len(text) > longest:
            fault = gettext("太长：{count} 字，最多 {longest} 字。")
            raise CellFault(fault.format(count=len(text), longest=longest))
        return text

    return parse


@in_chinese()
def _word(value: Any) -> str:
    """A choice as the list has it."""
    return ("是" if value else "否") if isinstance(value, bool) else str(value.label)


def _one_of(choices: dict[str, Any]) -> Callable[[str], Any]:
    words = dict.fromkeys(map(_word, choices.values()))

    @lru_cache(maxsize=1000)
    def parse(text: str) -> Any:
        key = narrow(text).replace(" ", "").upper()
        if key not in choices:
            fault = gettext("“{text}”不在可选范围内：{words}。")
            raise CellFault(fault.format(text=text[:20], words=gettext("、").join(words)))
        return choices[key]

    return parse


def _heads(text: str) -> int:
    digits = narrow(text).replace(",", "").removesuffix("人").strip()
    if not (digits.isascii() and digits.isdigit()) or int(digits) > _MOST_HEADS:
        raise CellFault(gettext("应为人数：不带小数的数字。"))
    return int(digits)


def _credit_code(text: str) -> str:
    code = narrow(text).replace(" ", "").upper()
    if not is_credit_code(code):
        raise CellFault(WRONG_CREDIT_CODE)
    return code


def _words(labels: dict[Any, str]) -> dict[str, Any]:
    """Choices by what people write for them: the label, and shorter forms after a comma."""
    return {
        narrow(word).replace(" ", "").upper(): value
        for value, words in labels.items()
        for word in [_word(value), *words.split(",")]
        if word
    }


_TIERS = _words(
    {
        Tier.CITY: "市,市级,市总",
        Tier.COUNTY: "县,县级,区,区县,县(市、区)总工会,县总工会,区总工会",
        Tier.INDUSTRY: "产业,行业,产业(行业)工会",
        Tier.TOWNSHIP: "乡镇,街道,乡镇街道,乡镇工会,街道工会",
        Tier.GRASSROOTS: "基层",
    }
)
_KINDS = _words(
    {
        UnitKind.ENTERPRISE: "企业单位",
        UnitKind.INSTITUTION: "事业单位",
        UnitKind.GOVERNMENT: "机关单位,党政机关",
        UnitKind.OTHER: "社会组织",
    }
)
_OWNERSHIPS = _words(
    {
        Ownership.STATE: "国有企业,全民",
        Ownership.COLLECTIVE: "集体企业",
        Ownership.PRIVATE: "私营,民营企业,私营企业,非公,非公有制",
        Ownership.FOREIGN: "外资,外商,港澳台",
        Ownership.MIXED: "混合所有制,股份制",
        Ownership.OTHER: "",
    }
)
_YES_NO = {"是": True, "有": True, "Y": True, "否": False, "无": False, "没有": False, "N": False}


@dataclass(frozen=True)
class Column:
    """A column of the list. `field` is the union's field, or names what the plan does with it."""

    field: str
    title: str
    width: int
    help: str
    parse: Callable[[str], Any]
    aliases: tuple[str, ...] = ()
    required: bool = False
    choices: tuple[str, ...] = ()


COLUMNS = (
    Column(
        "code",
        "代码",
        18,
        "全市唯一，导入时凭它认出是哪个工会。县、乡镇用区划代码；基层工会建议用上级代码加三位序号。",
        code_of,
        ("工会代码", "组织代码", "编号"),
        required=True,
    ),
    Column(
        "name",
        "名称",
        40,
        "工会全称，最多 120 字。",
        _limited(120),
        ("工会名称", "工会全称", "单位名称"),
        required=True,
    ),
    Column(
        "tier",
        "层级",
        20,
        "从下拉列表选。导入不能更改已有工会的层级。",
        _one_of(_TIERS),
        ("工会层级", "级别"),
        required=True,
        choices=tuple(_word(tier) for tier in Tier if tier != Tier.CITY),
    ),
    Column(
        "parent",
        "上级工会",
        34,
        "填上级工会的代码或全称。上级可以是系统中已有的，也可以是本表中的另一行，先后不限。",
        _limited(120),
        ("上级", "上级工会代码", "上级代码", "上级工会名称", "所属上级"),
        required=True,
    ),
    Column(
        "kind",
        "单位性质",
        12,
        "只有基层工会填写。",
        _one_of(_KINDS),
        ("性质",),
        choices=tuple(map(_word, UnitKind)),
    ),
    Column(
        "ownership",
        "所有制",
        14,
        "只有基层工会填写。",
        _one_of(_OWNERSHIPS),
        ("经济类型", "所有制形式"),
        choices=tuple(map(_word, Ownership)),
    ),
    Column("workers", "职工人数", 10, "只有基层工会填写。", _heads, ("职工数", "职工总数")),
    Column(
        "members",
        "会员人数",
        10,
        "不能多于职工人数。",
        _heads,
        ("会员数", "会员总数", "工会会员数"),
    ),
    Column(
        "has_legal_person",
        "工会法人资格",
        12,
        "是或否。",
        _one_of(_YES_NO),
        ("法人资格", "是否法人", "法人"),
        choices=("是", "否"),
    ),
    Column(
        "credit_code",
        "统一社会信用代码",
        24,
        "18 位。工会有自己的代码就填工会的，没有就填所在单位的。系统会核对末位校验码。",
        _credit_code,
        ("信用代码", "社会信用代码"),
    ),
    Column(
        "head",
        "负责人姓名",
        14,
        "填写后为该工会开设负责人账号（签批、提交）。已有同名负责人账号的不再开设。",
        _limited(40),
        ("负责人", "工会主席", "主席"),
    ),
    Column(
        "reporter",
        "填报员姓名",
        14,
        "填写后为该工会开设填报员账号（填写、上传材料）。已有同名填报员账号的不再开设。",
        _limited(40),
        ("填报员", "填报人", "联系人"),
    ),
)
BY_FIELD = {column.field: column for column in COLUMNS}
REQUIRED = tuple(column.field for column in COLUMNS if column.required)


def _heading(value: object) -> str:
    text = narrow(str(value)) if isinstance(value, str) else ""
    return re.sub(r"\(.*\)$|[\s*:]", "", text)


_REQUIRED = set(REQUIRED)
_TITLES = {_heading(title): c for c in COLUMNS for title in (c.title, *c.aliases)}


@dataclass(slots=True)
class ListedRow:
    """One row of the list: its number as the spreadsheet shows it, and the raw values by field."""

    number: int
    values: dict[str, object]


@dataclass(frozen=True)
class Listing:
    """The rows of the list, where each column stands, and the headings that mean nothing here."""

    sheet: str
    places: dict[str, int]
    rows: list[ListedRow]
    ignored: list[str]


def read(file: BinaryIO) -> Listing:
    """The list in the file: the only sheet with the required headings and rows below them. Raises
    ListRefused where there is none, or more than one: nothing of a list is left out unsaid."""
    sheets = reading.read(file)
    found = [listing for sheet in sheets if (listing := _listing(sheet)) is not None]
    filled = [listing for listing in found if listing.rows]
    if len(filled) > 1:
        names = gettext("、").join(listing.sheet for listing in filled[:5])
        refusal = gettext("有 {count} 个工作表都是名册：{names}。请合并为一个再上传。")
        raise ListRefused(refusal.format(count=len(filled), names=names))
    if filled:
        return filled[0]
    if found:
        raise ListRefused(gettext("表头下面没有内容。"))
    nearest = min(filter(None, map(_missing, sheets)), key=len, default=None)
    if nearest is not None and len(nearest) < len(_REQUIRED):
        titles = gettext("、").join(column.title for column in COLUMNS if column.field in nearest)
        raise ListRefused(
            gettext("表头缺少这些列：{titles}。请对照模板补上。").format(titles=titles)
        )
    raise ListRefused(
        gettext("没有找到表头（代码、名称、层级、上级工会）。请下载模板，按模板的表头填写。")
    )


def _heading_rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    for number in sorted(sheet.rows)[:_HEADING_WITHIN]:
        yield number, [_heading(value) for value in sheet.rows[number]]


def _listing(sheet: Sheet) -> Listing | None:
    """The sheet as a list, where its headings are those of one."""
    for number, headings in _heading_rows(sheet):
        if _fields(headings) >= _REQUIRED:
            places = _places(headings)
            ignored = [h for h in headings if h and h not in _TITLES and h != "序号"]
            return Listing(sheet.name, places, _rows_below(sheet, number, places), ignored)
    return None


def _missing(sheet: Sheet) -> set[str]:
    """The required columns that the likeliest heading row has not."""
    rows = (_REQUIRED - _fields(headings) for _, headings in _heading_rows(sheet))
    return min(rows, key=len, default=set(_REQUIRED))


def _fields(headings: list[str]) -> set[str]:
    return {_TITLES[heading].field for heading in headings if heading in _TITLES}


def _places(headings: list[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        column = _TITLES.get(heading)
        if column is None:
            continue
        if column.field in places:
            raise ListRefused(
                gettext("表头里“{title}”出现了两次，请只留一列。").format(title=column.title)
            )
        places[column.field] = place
    return places


def _rows_below(sheet: Sheet, heading: int, places: dict[str, int]) -> list[ListedRow]:
    fields = {place: field for field, place in places.items()}
    rows = {
        number: {
            field: values[place] if place < len(values) else "" for field, place in places.items()
        }
        for number, values in sheet.rows.items()
        if number > heading
    }
    last = max(rows, default=0)
    covered = 0
    for top, left, bottom, right in sheet.merged:
        # One value over several rows, as in “上级工会” of a block, holds for each of them.
        field = fields.get(left)
        if field is None or left != right or top not in rows:
            continue
        bottom = min(bottom, last)
        covered += bottom - top
        if covered > last * len(places):  # ranges on top of each other: no program writes that
            raise ListRefused(gettext("合并单元格有错误，请取消合并后再上传。"))
        for number in range(top + 1, bottom + 1):
            if number in rows:
                rows[number][field] = rows[top][field]
    return [
        ListedRow(number, values)
        for number, values in sorted(rows.items())
        if any(not isinstance(value, str) or value.strip() for value in values.values())
    ]
