"""Lists of unions as people make them, well or badly, and the portal's answers to them."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from organizations.importing.columns import COLUMNS
from organizations.models import OrganizationImport

TITLES = tuple(column.title for column in COLUMNS)
#: Two that agree with their check digit, and one that does not.
CREDIT_CODE, OTHER_CREDIT_CODE = "91350100M000100Y43", "91110000600037341L"
WRONG_CREDIT_CODE = "91350100M000100Y42"

Row = dict[str, Any]


def union(code: str, name: str, parent: str, tier: str = "基层工会") -> Row:
    return {"代码": code, "名称": name, "层级": tier, "上级工会": parent}


def cells(rows: Iterable[Row], titles: Sequence[str] = TITLES) -> list[list[Any]]:
    """The headings, and below them each row's cells."""
    return [list(titles), *([row.get(title, "") for title in titles] for row in rows)]


def text(
    rows: Iterable[Row],
    encoding: str = "utf-8-sig",
    delimiter: str = ",",
    notes: Sequence[str] = (),
) -> bytes:
    """The list as .csv."""
    target = io.StringIO()
    for note in notes:
        target.write(f"{note}\r\n")
    csv.writer(target, delimiter=delimiter).writerows(cells(rows))
    return target.getvalue().encode(encoding)


def workbook(rows: Iterable[Row], titles: Sequence[str] = TITLES) -> bytes:
    """The list as .xlsx, its cells as typed as the values."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("名册")
    for row in cells(rows, titles):
        sheet.append(row)
    return saved(book)


def saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


# --- By hand: what no well-behaved program writes ------------------------------------------------

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="名册" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
SHEET = "xl/worksheets/sheet1.xml"


def inline(place: str, value: object) -> str:
    """A cell of text as XML."""
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def sheet_xml(rows: Iterable[Row], extra: str = "", **replaced: str) -> str:
    """The sheet with the list, then rows of one's own; single cells (A2="<c …>") replaced."""
    lines = []
    for number, values in enumerate(cells(rows), start=1):
        places = [(f"{get_column_letter(n)}{number}", v) for n, v in enumerate(values, start=1)]
        line = "".join(replaced.get(place) or inline(place, value) for place, value in places)
        lines.append(f'<row r="{number}">{line}</row>')
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}{extra}</sheetData></worksheet>'


def package(sheet: str | bytes, more: dict[str, bytes] | None = None) -> bytes:
    """An .xlsx around the XML of a sheet; `more` are other members by name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        archive.writestr(SHEET, sheet)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return target.getvalue()


def claiming(content: bytes, size: int, check: int | None = None) -> bytes:
    """The .xlsx, whose headers lie about the unpacked size (and checksum) of its sheet."""
    changed = bytearray(content)
    for signature, size_at, name_at in ((b"PK\3\4", 22, 30), (b"PK\1\2", 24, 46)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            if content[start + name_at :].startswith(SHEET.encode()):
                struct.pack_into("<I", changed, start + size_at, size)
                if check is not None:
                    struct.pack_into("<I", changed, start + size_at - 8, check)
    return bytes(changed)


def locked_with_a_password(content: bytes) -> bytes:
    """The .xlsx with every member marked as encrypted, as a zip program does it."""
    changed = bytearray(content)
    for signature, flags_at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            changed[start + flags_at] |= 1
    return bytes(changed)


def open_document(rows: Iterable[Row]) -> bytes:
    """The list as .ods."""
    table = "".join(
        "<table:table-row>{}</table:table-row>".format(
            "".join(
                '<table:table-cell office:value-type="string">'
                f"<text:p>{escape(str(value))}</text:p></table:table-cell>"
                for value in row
            )
        )
        for row in cells(rows)
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="名册">{table}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return target.getvalue()


def compound(stream: str, content: bytes) -> bytes:
    """An OLE compound file (.xls, and what Excel locks with a password) of one stream."""
    content = content.ljust(4096, b"\0")  # shorter ones would go into a stream of streams
    sectors = -(-len(content) // 512)
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    chain = [*range(3, 2 + sectors), end]
    table = struct.pack("<128I", *([0xFFFFFFFD, end, *chain] + [free] * (126 - sectors)))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"",
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        b"",
        0,
        1,  # sectors of the table
        1,  # where the directory begins
        0,
        4096,
        end,
        0,
        end,
        0,
    ) + struct.pack("<109I", 0, *([free] * 108))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        spelt = name.encode("utf-16-le") + b"\0\0"
        return struct.pack(
            "<64sHBBIII16sIQQIQ",
            *(spelt, len(spelt), kind, 1, free, free, child, b"", 0, 0, 0, start, size),
        )

    directory = entry("Root Entry", 5, 1, end, 0) + entry(stream, 2, free, 2, len(content))
    return header + table + directory.ljust(512, b"\0") + content.ljust(sectors * 512, b"\0")


def old_workbook(rows: Iterable[Row]) -> bytes:
    """The list as a genuine .xls (BIFF8): texts and nothing else."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    def spelt(value: object, length: str) -> bytes:
        return struct.pack(length, len(str(value))) + b"\1" + str(value).encode("utf-16-le")

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 6))

    end = record(0x000A, b"")
    name = spelt("名册", "<B")
    before = begin(5) + record(0x0042, struct.pack("<H", 1200))
    offset = len(before) + 4 + 6 + len(name) + len(end)
    labels = b"".join(
        record(0x0204, struct.pack("<HHH", number, place, 0) + spelt(value, "<H"))
        for number, row in enumerate(cells(rows))
        for place, value in enumerate(row)
    )
    return compound(
        "Workbook",
        before
        + record(0x0085, struct.pack("<IH", offset, 0) + name)
        + end
        + begin(16)
        + labels
        + end,
    )


# --- What the portal answers ---------------------------------------------------------------------


def upload(client: Client, content: bytes, name: str = "名册.csv"):
    return client.post("/imports/", {"file": SimpleUploadedFile(name, content)})


def refusal(client: Client, content: bytes, name: str = "名册.xlsx") -> list[str]:
    """What is said at the field; nothing is kept of a file that cannot be read."""
    response = upload(client, content, name)
    assert response.status_code == 422
    assert not OrganizationImport.objects.exists()
    return response.context["form"].errors["file"]


def preview(
    client: Client, content: bytes | list[Row], name: str = "名册.csv"
) -> OrganizationImport:
    """Upload the list (rows become a .csv) and follow to its preview."""
    content = content if isinstance(content, bytes) else text(content)
    response = upload(client, content, name)
    assert response.status_code == 302, response.context["form"].errors
    assert client.get(response.url).status_code == 200
    return OrganizationImport.objects.get(pk=response.url.split("/")[-2])


def counts(batch: OrganizationImport) -> dict[str, int]:
    return {group: count for group, count in batch.counts.items() if count}


def shown(client: Client, batch: OrganizationImport, group: str, page: int = 1) -> list[Row]:
    """The rows of a page of the preview."""
    response = client.get(batch.get_absolute_url(), {"group": group, "page": page})
    assert response.context["chosen"] == group
    return response.context["rows"]


def faults(client: Client, content: bytes | list[Row], name: str = "名册.csv") -> list[tuple]:
    """(cell, heading, reason) of every fault in the list, as the preview shows them."""
    batch = preview(client, content, name)
    assert batch.state == "FAULTY"
    return [tuple(fault) for row in shown(client, batch, "FAULT") for fault in row["faults"]]


def confirm(client: Client, batch: OrganizationImport) -> list[str]:
    """Confirm the import; the messages on the page that follows."""
    response = client.post(f"{batch.get_absolute_url()}confirm/", follow=True)
    batch.refresh_from_db()
    return [str(message) for message in response.context["messages"]]


def imported(
    client: Client, content: bytes | list[Row], name: str = "名册.csv"
) -> OrganizationImport:
    batch = preview(client, content, name)
    assert confirm(client, batch) == ["导入完成。"]
    assert batch.state == "APPLIED"
    return batch
