"""Files as they come: well made, badly made, and made to do harm."""

import datetime as dt
import random
import time
import tracemalloc
import zlib
from contextlib import contextmanager

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from assessments import demo
from organizations.importing import reading
from organizations.models import Organization
from tests.organizations.importing.files import (
    CREDIT_CODE,
    TITLES,
    cells,
    claiming,
    compound,
    counts,
    faults,
    imported,
    inline,
    locked_with_a_password,
    old_workbook,
    open_document,
    package,
    preview,
    refusal,
    saved,
    sheet_xml,
    shown,
    text,
    union,
    workbook,
)

pytestmark = pytest.mark.django_db

MEGABYTE = 1024 * 1024
LARGE = "表格太大：最多 20000 行、60 列。请删去多余的内容，或分成几个文件导入。"
BROKEN = "文件已损坏，或不是真正的 Excel 文件。请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。"
ENCRYPTED = "文件设有密码，无法读取。请取消密码后另存再上传。"
MACRO = "文件含有宏，为安全起见不予接受。请另存为不含宏的 .xlsx 再上传。"
UNKNOWN = "不是可以读取的表格。请上传 Excel（.xlsx、.xls）、WPS 另存的 .xlsx、.ods 或 .csv 文件。"
WEB = "这是网页格式的文件，只是改了后缀。请用 Excel 打开后另存为 .xlsx 再上传。"
NO_HEADINGS = "没有找到表头（代码、名称、层级、上级工会）。请下载模板，按模板的表头填写。"
UNCALCULATED = "公式还没有算出结果。请用 Excel 或 WPS 打开、保存后再上传。"


@contextmanager
def server_memory_below(megabytes):
    """What Python holds in the server's process at its highest; the child has limits of its own."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < megabytes * MEGABYTE


@pytest.fixture
def rows(city):
    return [
        union("N-1", "示例甲工会", city.township.code) | {"职工人数": 12},
        union("N-2", "示例乙工会", city.township.code),
        union("N-3", "示例丙工会", city.township.code),
    ]


def names_created(client, content, name="名册.xlsx"):
    batch = preview(client, content, name)
    assert batch.state == "CHECKED", [row["faults"] for row in shown(client, batch, "FAULT")]
    return [row["name"] for row in shown(client, batch, "CREATE")]


# --- Kinds of files ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [workbook, old_workbook, open_document])
@pytest.mark.parametrize("name", ["名册.xlsx", "名册.xls", "名册.txt", "名册"])
def test_the_content_says_what_a_file_is_not_its_name(admin, rows, make, name):
    assert names_created(admin, make(rows), name) == ["示例甲工会", "示例乙工会", "示例丙工会"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_as_programs_write_it(admin, rows, encoding, delimiter):
    batch = imported(admin, text(rows, encoding, delimiter), "名册.csv")
    assert counts(batch) == {"CREATE": 3}
    assert Organization.objects.get(code="N-1").workers == 12


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_with_notes_above_its_headings(admin, rows, delimiter):
    content = text(rows, delimiter=delimiter, notes=["宝丰县工会名册", "填表人：王某"])
    assert len(names_created(admin, content)) == 3


def test_rows_of_a_csv_are_numbered_as_a_spreadsheet_program_shows_them(admin, rows):
    content = text([rows[0], {}, rows[1] | {"上级工会": "没有"}], notes=["名册"])
    assert [cell for cell, *_ in faults(admin, content)] == ["D5"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "文件是空的。"),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>", WEB),
        (b"\xef\xbb\xbf\r\n  <!DOCTYPE html><html></html>", WEB),
        (b"<meta charset=gb2312><table></table>", WEB),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", WEB),
        (random.Random(6).randbytes(50_000), UNKNOWN),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 20, UNKNOWN),
        (demo.small_pdf("union"), NO_HEADINGS),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", UNKNOWN),
        ("只有一句话".encode(), NO_HEADINGS),
        (b'"' + b"a," * 100_000, BROKEN),
        (b"PK\x03\x04" + b"\0" * 500, BROKEN),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, BROKEN),
        (compound("WordDocument", b"\0"), UNKNOWN),
        (compound("Workbook", b"\0"), NO_HEADINGS),
        (compound("EncryptedPackage", b"\1" * 9000), ENCRYPTED),
        (compound("_VBA_PROJECT_CUR", b"\1"), MACRO),
        (package("", {"xl/vbaProject.bin": b"\0"}), MACRO),
        (package("<worksheet"), BROKEN),
        (locked_with_a_password(package("<worksheet/>")), ENCRYPTED),
        (package("<worksheet/>").replace(b"xl/workbook.xml", b"word/documents1"), UNKNOWN),
    ],
    ids=[
        "empty",
        "html",
        "html after a mark and blanks",
        "html without a head",
        "mhtml",
        "random bytes",
        "pdf",
        "pdf in ascii",
        "png",
        "prose",
        "one endless quoted cell",
        "zip in name only",
        "ole in name only",
        "a Word document of old",
        "no records in the .xls",
        "locked by Excel",
        "macros in an .xls",
        "macros in an .xlsx",
        "no XML in the .xlsx",
        "locked by a zip program",
        "a Word document",
    ],
)
@pytest.mark.parametrize("name", ["名册.xls"])
def test_what_is_no_list_is_refused_with_what_to_do(admin, content, reason, name):
    assert refusal(admin, content, name) == [reason]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("make", [workbook, open_document])
def test_a_file_cut_off_on_its_way(admin, rows, make, share):
    content = make(rows)
    assert refusal(admin, content[: int(len(content) * share)]) == [BROKEN]


def test_an_xls_cut_off_on_its_way(admin, rows):
    content = old_workbook(rows * 40)
    assert refusal(admin, content[: len(content) // 2]) == [BROKEN]


def test_no_file_at_all(admin):
    response = admin.post("/imports/", {})
    assert response.status_code == 422
    assert response.context["form"].errors["file"] == ["请选择文件。"]


@pytest.mark.parametrize("megabytes", [12, 25])
def test_a_file_that_is_too_large(admin, megabytes):
    with server_memory_below(4 * megabytes):  # the test's own copies of it included
        assert refusal(admin, bytes(megabytes * MEGABYTE)) == ["文件超过 10 MB。"]


def test_a_file_name_that_is_too_long(admin, rows):
    file = SimpleUploadedFile("x", text(rows))
    file._name = "名" * 300 + ".csv"
    response = admin.post("/imports/", {"file": file})
    assert response.status_code == 422
    assert response.context["form"].errors["file"] == ["文件名太长，请改短后再上传。"]


def test_a_long_file_name_and_one_like_a_path_are_kept_as_names(admin, rows):
    batch = preview(admin, text(rows), "../" + "名" * 190 + "<b>.csv")
    assert batch.filename == "名" * 190 + "<b>.csv"
    assert "&lt;b&gt;.csv" in admin.get("/imports/").content.decode()
    assert batch.file.name.startswith("imports/")


# --- Cells ---------------------------------------------------------------------------------------


def test_what_nobody_sees_is_left_out_and_full_width_is_as_good(admin, city):
    row = {
        "代码": " Ｎ－\u200b１\u00a0",
        "名称": "\ufeff示例\u200d甲\u00ad 　工会\r\n委员会\t",
        "层级": "基层工会\u3000",
        "上级工会": f"\u200e {city.township.code} ",
        "职工人数": "１２３ 人",
        "会员人数": "１，０２",
        "工会法人资格": "是 ",
        "统一社会信用代码": f" {CREDIT_CODE[:4]} {CREDIT_CODE[4:]}\u200b",
        "负责人姓名": " 王\u200b某 ",
    }
    imported(admin, workbook([row]), "名册.xlsx")
    made = Organization.objects.get(code="N-1")
    assert (made.name, made.workers, made.members) == ("示例甲 工会 委员会", 123, 102)
    assert (made.credit_code, made.memberships.get().user.full_name) == (CREDIT_CODE, "王某")


def test_numbers_in_columns_of_text_and_numbers_as_text(admin, city):
    row = union("", "", city.township.code) | {"代码": 410421001, "名称": 2026, "职工人数": "30"}
    imported(admin, workbook([row | {"会员人数": 29.0}]), "名册.xlsx")
    made = Organization.objects.get(code="410421001")
    assert (made.name, made.workers, made.members) == ("2026", 30, 29)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("名称", dt.date(2026, 3, 1), ("B2", "单元格里是日期（2026-03-01），请改为文本。")),
        (
            "代码",
            dt.datetime.fromisoformat("2026-01-02T03:04"),
            ("A2", "单元格里是日期（2026-01-02），请改为文本。"),
        ),
        ("职工人数", dt.date(1900, 1, 30), ("G2", "单元格里是日期（1900-01-30），请改为文本。")),
        (
            "统一社会信用代码",
            913501001000100143,
            ("J2", "数字过长，Excel 已丢失末尾几位。请把单元格设为文本后重新填写。"),
        ),
        ("职工人数", 12.5, ("G2", "应为人数：不带小数的数字。")),
        ("职工人数", -3, ("G2", "应为人数：不带小数的数字。")),
        ("职工人数", True, ("G2", "应为人数：不带小数的数字。")),
        ("名称", "=A2", ("B2", UNCALCULATED)),
    ],
)
def test_a_cell_of_another_type_than_its_column(admin, city, column, value, expected):
    row = union("N-1", "示例", city.township.code) | {column: value}
    ((cell, title, reason),) = faults(admin, workbook([row]), "名册.xlsx")
    assert (cell, reason) == expected
    assert title == column


def test_formulas_count_by_what_they_gave(admin, rows):
    content = sheet_xml(
        rows,
        B2='<c r="B2" t="str"><f>"示例"&amp;"甲"</f><v>示例算出的工会</v></c>',
        G2='<c r="G2"><f>SUM(1,2)</f><v>3</v></c>',
        G3='<c r="G3" t="str"><f>IF(1,"","")</f><v></v></c>',
    )
    imported(admin, package(content), "名册.xlsx")
    workers = dict(
        Organization.objects.filter(code__startswith="N-").values_list("name", "workers")
    )
    assert workers == {"示例算出的工会": 3, "示例乙工会": None, "示例丙工会": None}


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<c r="G2"><f>A2</f></c>', UNCALCULATED),
        ('<c r="G2"><f>A2</f><v/></c>', UNCALCULATED),
        ('<c r="G2"><f t="shared" si="0"/></c>', UNCALCULATED),
        ('<c r="G2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "公式出错（#DIV/0!）。"),
        ('<c t="e" r="G2"><v>#REF!</v></c>', "公式出错（#REF!）。"),
        (inline("G2", "#N/A"), "公式出错（#N/A）。"),
        (
            '<c r="G2"><v>NaN</v></c>',
            "数字过长，Excel 已丢失末尾几位。请把单元格设为文本后重新填写。",
        ),
        (
            '<c r="G2"><v>1e999</v></c>',
            "数字过长，Excel 已丢失末尾几位。请把单元格设为文本后重新填写。",
        ),
    ],
)
def test_a_cell_without_a_value_of_its_own_is_never_taken_for_an_empty_one(
    admin, rows, cell, reason
):
    content = package(sheet_xml(rows, G2=cell))
    assert faults(admin, content, "名册.xlsx") == [("G2", "职工人数", reason)]


def test_a_row_of_nothing_but_failed_formulas_is_not_overlooked(admin, rows):
    extra = '<row r="9"><c r="B9" t="e"><f>A1</f><v>#REF!</v></c></row>'
    found = faults(admin, package(sheet_xml(rows, extra)), "名册.xlsx")
    assert ("B9", "名称", "公式出错（#REF!）。") in found


# --- Sheets --------------------------------------------------------------------------------------


def book_of(*sheets):
    """A workbook of (name, state, rows of cells)."""
    book = Workbook()
    book.remove(book.active)
    for name, state, lines in sheets:
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        for line in lines:
            sheet.append(line)
    return book


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_are_not_read(admin, rows, state):
    old = cells([union("OLD-1", "去年的名册", "没有")])
    book = book_of(("去年", state, old), ("名册", "visible", cells(rows)))
    assert len(names_created(admin, saved(book))) == 3


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_list_on_a_hidden_sheet_only_is_no_list(admin, rows, state):
    book = book_of(("名册", state, cells(rows)), ("说明", "visible", [["请看另一张表"]]))
    assert refusal(admin, saved(book)) == [NO_HEADINGS]


def test_sheets_without_a_list_are_passed_over(admin, rows):
    notes = [["填写说明"], ["代码", "全市唯一"], ["名称", "代码", "层级"]]
    book = book_of(
        ("说明", "visible", notes), ("空表", "visible", []), ("名册", "visible", cells(rows))
    )
    assert len(names_created(admin, saved(book))) == 3


def test_two_lists_in_one_file_are_refused_rather_than_one_of_them_left_out(admin, rows):
    book = book_of(("宝丰", "visible", cells(rows[:1])), ("叶县", "visible", cells(rows[1:])))
    assert refusal(admin, saved(book)) == [
        "有 2 个工作表都是名册：宝丰、叶县。请合并为一个再上传。"
    ]


def test_a_second_sheet_with_headings_only_does_no_harm(admin, rows):
    book = book_of(("模板", "visible", cells([])), ("名册", "visible", cells(rows)))
    assert len(names_created(admin, saved(book))) == 3


def test_notes_may_stand_above_the_headings_and_merged_titles_too(admin, rows):
    lines = [["平顶山市基层工会名册"], ["填表单位：示例"], [], *cells(rows)]
    book = book_of(("名册", "visible", lines))
    book.active.merge_cells("A1:L1")
    book.active.merge_cells("A2:B2")
    batch = preview(admin, saved(book), "名册.xlsx")
    assert [row["row"] for row in shown(admin, batch, "CREATE")] == [5, 6, 7]


@pytest.mark.parametrize(
    ("titles", "reason"),
    [
        (["代码", "名称", "层级"], "表头缺少这些列：上级工会。请对照模板补上。"),
        (["名称", "职工人数"], "表头缺少这些列：代码、层级、上级工会。请对照模板补上。"),
        (["姓名", "电话"], NO_HEADINGS),
        ([*TITLES, "工会名称"], "表头里“名称”出现了两次，请只留一列。"),
        (list(TITLES), "表头下面没有内容。"),
    ],
    ids=["one missing", "three missing", "another table", "twice", "nothing below"],
)
def test_headings_that_are_no_good(admin, titles, reason):
    below = [["x"] * len(titles)] if titles != list(TITLES) else [["", " ", "　"]]
    assert refusal(admin, saved(book_of(("名册", "visible", [titles, *below])))) == [reason]


def test_headings_too_far_down_are_not_found(admin, rows):
    lines = [*([f"说明 {n}"] for n in range(20)), *cells(rows)]
    assert refusal(admin, saved(book_of(("名册", "visible", lines)))) == [NO_HEADINGS]


def test_columns_of_ones_own_are_passed_over(admin, rows):
    lines = [
        ["序号", "备注", *TITLES],
        *([n, "好", *line] for n, line in enumerate(cells(rows)[1:])),
    ]
    assert len(names_created(admin, saved(book_of(("名册", "visible", lines))))) == 3


def test_one_superior_merged_over_a_block_holds_for_each_row(admin, city, rows):
    blocks = [rows[0], rows[1] | {"上级工会": ""}, rows[2] | {"上级工会": ""}]
    last = union("N-4", "示例丁工会", city.other_township.code)
    book = book_of(("名册", "visible", cells([*blocks, last])))
    book.active.merge_cells("D2:D4")
    imported(admin, saved(book), "名册.xlsx")
    placed = dict(Organization.objects.filter(code__startswith="N-").values_list("code", "parent"))
    assert placed == dict.fromkeys(["N-1", "N-2", "N-3"], city.township.pk) | {
        "N-4": city.other_township.pk
    }


def test_a_block_merged_over_two_columns_fills_nothing(admin, rows):
    book = book_of(("名册", "visible", cells([rows[0], rows[1] | {"层级": "", "上级工会": ""}])))
    book.active.merge_cells("C2:D3")
    found = faults(admin, saved(book), "名册.xlsx")
    assert [(cell, reason) for cell, _, reason in found] == [
        ("D2", "不能为空。"),
        ("C3", "不能为空。"),
        ("D3", "不能为空。"),
    ]


def test_merged_ranges_on_top_of_each_other_cost_no_time(admin, rows):
    ranges = "".join('<mergeCell ref="D2:D1048576"/>' for _ in range(15_000))
    content = sheet_xml(rows).replace(
        "</sheetData>", f'</sheetData><mergeCells count="15000">{ranges}</mergeCells>'
    )
    assert refusal(admin, package(content)) == ["合并单元格有错误，请取消合并后再上传。"]


# --- Too much ------------------------------------------------------------------------------------


def test_a_hundred_thousand_formatted_empty_rows_are_nothing(admin, rows):
    empty = "".join(
        f'<row r="{n}"><c r="A{n}" s="0"/><c r="D{n}" s="0"/><c r="L{n}" s="0"/></row>'
        for n in range(5, 100_005)
    )
    with server_memory_below(60):
        assert len(names_created(admin, package(sheet_xml(rows, empty)))) == 3


def with_a_stray_cell(rows, place):
    number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return package(sheet_xml(rows, f'<row r="{number}">{inline(place, "×")}</row>'))


@pytest.mark.parametrize("place", ["XFD1048576", "A1048576", "LLL30000"])
def test_a_stray_cell_far_away_ends_soon_and_takes_nothing_from_the_server(admin, rows, place):
    started = time.monotonic()
    with server_memory_below(40):
        assert refusal(admin, with_a_stray_cell(rows, place)) == [LARGE]
    assert time.monotonic() - started < 20


def test_a_stray_cell_far_to_the_right_is_no_matter(admin, rows):
    assert len(names_created(admin, with_a_stray_cell(rows, "XFD7"))) == 3


def lines_of(count, parent):
    return [union(f"N-{n}", "示例", parent) for n in range(count)]


@pytest.mark.parametrize("make", [text, lambda rows: package(sheet_xml(rows))], ids=["csv", "xlsx"])
def test_more_rows_than_a_list_may_have(admin, city, make):
    content = make(lines_of(20_001, city.township.code))
    with server_memory_below(60):
        assert refusal(admin, content) == [LARGE]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(admin):
    content = package(b" " * (160 * MEGABYTE))
    assert len(content) < MEGABYTE
    with server_memory_below(20):
        assert refusal(admin, content) == [LARGE]


def test_a_zip_bomb_that_lies_about_its_size(admin):
    content = claiming(package(b" " * (160 * MEGABYTE)), 1000)
    with server_memory_below(20):
        assert refusal(admin, content) == [BROKEN]


def test_a_zip_bomb_that_lies_about_its_checksum_too(admin):
    content = package(b" " * (160 * MEGABYTE))
    with server_memory_below(20):
        refused = refusal(admin, claiming(content, 1000, zlib.crc32(b" " * 1000)))
    assert refused[0] in (BROKEN, LARGE)


def test_a_zip_of_very_many_members(admin, rows):
    more = {f"xl/media/{n}.png": b"" for n in range(2100)}
    assert refusal(admin, package(sheet_xml(rows), more)) == [LARGE]


def many_sheets(count, lines):
    """A book of `count` sheets that all show one long text over and over."""
    cell = "".join(f'<c r="{letter}{{0}}" t="s"><v>0</v></c>' for letter in "ABCDEFGHIJKLMNOPQRST")
    body = "".join(f'<row r="{n}">{cell.format(n)}</row>' for n in range(1, lines + 1))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'.encode()
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = "http://schemas.openxmlformats.org/package/2006/relationships"
    numbers = range(1, count + 1)
    names = "".join(f'<sheet name="表{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    strings = f'<Relationship Id="rId0" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
    return package(
        sheet,
        {f"xl/worksheets/sheet{n}.xml": sheet for n in numbers if n > 1}
        | {
            "xl/sharedStrings.xml": f'<sst xmlns="{main}"><si><t>{"长" * 500}</t></si></sst>'.encode(),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
            f"<sheets>{names}</sheets></workbook>".encode(),
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{kinds}">{targets}{strings}'
            "</Relationships>".encode(),
        },
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_sheets_that_are_each_small_enough_but_not_together(admin):
    """A text stored once and shown a million times over: what the child would hand over."""
    with server_memory_below(40):
        assert refusal(admin, many_sheets(20, 1500)) == [LARGE]


def test_a_child_that_takes_too_long_is_ended_with_a_message(admin, rows, monkeypatch):
    monkeypatch.setattr(reading, "_SECONDS", 0.001)
    assert refusal(admin, workbook(rows)) == [LARGE]
