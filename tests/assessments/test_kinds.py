"""What a file is, by its content: what is taken, what is disguised, what would burst."""

import io
import struct
import warnings
import zipfile
import zlib

import olefile
import pytest

from assessments import kinds
from assessments.kinds import NotAccepted, fitting_name, media_type_of
from tests.uploads import DOCX, JPG, PDF, PNG, WEBP, ole, picture, xlsx, zipped

OOXML = "application/vnd.openxmlformats-officedocument"
ACCEPTED = {
    "pdf": (PDF, "application/pdf"),
    "pdf after a byte order mark": (b"\xef\xbb\xbf\r\n" + PDF, "application/pdf"),
    "png": (PNG, "image/png"),
    "jpg": (JPG, "image/jpeg"),
    "webp": (WEBP, "image/webp"),
    "docx": (DOCX, f"{OOXML}.wordprocessingml.document"),
    "xlsx": (xlsx(), f"{OOXML}.spreadsheetml.sheet"),
    "ofd": (zipped("OFD.xml"), "application/ofd"),
    "doc and wps": (ole("WordDocument"), "application/msword"),
    "xls and et": (ole("Workbook"), "application/vnd.ms-excel"),
    "old xls": (ole("Book"), "application/vnd.ms-excel"),
}


def prefixed_zip():
    """A document with a program in front of it, its directory corrected."""
    buffer = io.BytesIO()
    buffer.write(b"PK\x03\x04" + b"#!/bin/sh\n")
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("word/document.xml", "x")
    return buffer.getvalue()


def png_chunk(kind, content):
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png_of(width, height):
    """A picture that is small as a file, whatever its size in pixels."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [png_chunk(b"IHDR", header), png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b"")]
    )


def overlapping():
    """Members that share their bytes: a bomb without nesting."""
    raw = bytearray(zipped("word/document.xml", **{"b.xml": "y" * 100}))
    start = raw.find(b"PK\x01\x02")
    raw[start + 20 : start + 24] = struct.pack("<I", len(raw))
    return bytes(raw)


def encrypted():
    raw = bytearray(DOCX)
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


REFUSED = {
    "program": (b"MZ\x90\x00" + bytes(64), "这是程序"),
    "page": (b"<html><script>alert(1)</script></html>", ""),
    "vector image": (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "改存为 JPG"),
    "text": ("说明".encode(), ""),
    "one byte": (b"x", ""),
    "archive": (zipped("a.txt"), "压缩包"),
    "java": (zipped("META-INF/MANIFEST.MF"), "压缩包"),
    "rar": (b"Rar!\x1a\x07\x00" + bytes(50), "压缩包"),
    "video": (b"\0\0\0\x18ftypmp42" + bytes(50), "视频"),
    "iphone photo": (b"\0\0\0\x20ftypheic\0\0\0\0mif1heic" + bytes(100), "HEIC"),
    "gif": (picture("GIF"), "改存为 JPG 或 PNG"),
    "macro workbook": (zipped("xl/workbook.xml", "xl/vbaProject.bin"), "含有宏"),
    "old macro document": (ole("Macros", storage=True), "含有宏"),
    "document with a password": (ole("EncryptedPackage"), "密码"),
    "encrypted member": (encrypted(), "密码"),
    "broken archive": (b"PK\x03\x04" + bytes(40), "已损坏"),
    "broken compound file": (olefile.MAGIC + bytes(600), "已损坏"),
    "installer": (ole("SummaryInformation"), ""),
    "half a pdf": (PDF[:100], "已损坏"),
    "page called pdf": (b"%PDF-1.4\n<html><script>alert(1)</script>%%EOF", "藏有另一种文件"),
    "picture cut short": (PNG[:-20], "已损坏"),
    "only the beginning of a jpg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(32), "已损坏"),
    "pdf and archive": (PDF + zipped("a.jar"), "藏有另一种文件"),
    "picture and archive": (JPG + zipped("a.jar"), "藏有另一种文件"),
    "picture and page": (picture("JPEG", comment=b"<script>x()</script>"), "藏有另一种文件"),
    "picture and pdf": (picture("JPEG", comment=b"%PDF-1.4"), "藏有另一种文件"),
    "document and archive": (ole("WordDocument") + zipped("a.jar"), "藏有另一种文件"),
    "document behind a program": (prefixed_zip(), "藏有另一种文件"),
    "document with a tail": (DOCX + b"<?php ?>", "藏有另一种文件"),
    "picture bomb": (png_of(30_000, 30_000), "像素"),
    "picture just too large": (png_of(10_001, 8_000), "像素"),
    "archive bomb": (zipped("word/document.xml", **{"a.xml": bytes(60_000_000)}), "解压后过大"),
    "overlapping members": (overlapping(), "解压后过大"),
    "too many members": (
        zipped("word/document.xml", *(f"a{n}" for n in range(10_001))),
        "解压后过大",
    ),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_kind_is_told_by_content(kind):
    content, media_type = ACCEPTED[kind]
    assert media_type_of(io.BytesIO(content)) == media_type


@pytest.mark.parametrize("kind", REFUSED)
def test_other_content_is_refused_and_the_reason_given(kind):
    content, reason = REFUSED[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, of a large picture
        with pytest.raises(NotAccepted) as refused:
            media_type_of(io.BytesIO(content))
    assert reason in str(refused.value)
    assert bool(reason) == bool(str(refused.value))


def test_a_phones_largest_photo_is_no_bomb():
    assert media_type_of(io.BytesIO(png_of(10_000, 8_000))) == "image/png"


def test_each_accepted_kind_is_named_for_people_and_for_the_file_dialog():
    for media_type in {media_type for _, media_type in ACCEPTED.values()}:
        assert all(ending in kinds.ACCEPTED_ENDINGS for ending in kinds.ENDINGS[media_type])
    assert set(kinds.ENDINGS) == {media_type for _, media_type in ACCEPTED.values()}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("会议纪要.pdf", "会议纪要.pdf"),
        ("a/b\\c.pdf", "a／b＼c.pdf"),
        ("../../etc/passwd", "..／..／etc／passwd.pdf"),
        ('他说"好"\'.PDF', '他说"好"\'.PDF'),
        ("x\u202efdp.exe", "xfdp.exe.pdf"),
        ("两\r\n行\t.pdf", "两行.pdf"),
        ("网页.html", "网页.html.pdf"),
        ("\u200b\u2066", "未命名.pdf"),
        ("", "未命名.pdf"),
        ("长" * 300 + ".pdf", "长" * 251 + ".pdf"),
        ("长" * 255, "长" * 251 + ".pdf"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_a_name(name, kept):
    assert fitting_name(name, "application/pdf") == kept


def test_documents_of_wps_keep_their_endings():
    assert fitting_name("报告.wps", "application/msword") == "报告.wps"
    assert fitting_name("名册.et", "application/vnd.ms-excel") == "名册.et"
