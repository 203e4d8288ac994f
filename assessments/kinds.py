"""What a file is, by its content and never by its name; what is disguised or a bomb is refused.

puremagic reads the signatures. What no library does stands here: which documents a container
holds, files that are two kinds at once, and files that would burst when they are opened.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import PurePosixPath
from typing import BinaryIO

import olefile
import puremagic
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

_OOXML = "application/vnd.openxmlformats-officedocument"
#: The endings that fit a kind; a name without one of them gets the first.
ENDINGS = {
    "application/pdf": [".pdf"],
    "image/jpeg": [".jpg", ".jpeg", ".jfif", ".jpe"],
    "image/png": [".png"],
    "image/webp": [".webp"],
    f"{_OOXML}.wordprocessingml.document": [".docx", ".wps"],
    f"{_OOXML}.spreadsheetml.sheet": [".xlsx", ".et"],
    "application/msword": [".doc", ".wps"],
    "application/vnd.ms-excel": [".xls", ".et"],
    "application/ofd": [".ofd"],
}
ACCEPTED = _("PDF、JPG、PNG、WebP 图片，Word（doc、docx）、Excel（xls、xlsx）、WPS（wps、et）、OFD")
#: For the file dialog of a browser.
ACCEPTED_ENDINGS = ",".join(sorted({ending for kind in ENDINGS.values() for ending in kind}))

_IMAGES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
#: A member of the zip container, and what its presence makes of the file.
_ZIP_MEMBERS = [
    ("word/document.xml", f"{_OOXML}.wordprocessingml.document"),
    ("xl/workbook.xml", f"{_OOXML}.spreadsheetml.sheet"),
    ("OFD.xml", "application/ofd"),
]
#: A stream of the OLE container (doc, wps / xls, et), and what its presence makes of the file.
_OLE_STREAMS = [
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
]
_OLE_MACROS = ["Macros", "_VBA_PROJECT_CUR", "VBA"]
#: What people try to upload most; the beginning of puremagic's media type.
_KNOWN_OTHERS = [
    ("image/heif", _("这是苹果手机的 HEIC 照片，请在手机上改存为 JPG 后再传")),
    ("image/heic", _("这是苹果手机的 HEIC 照片，请在手机上改存为 JPG 后再传")),
    ("video/", _("这是视频，不能作为材料上传，请改传照片或文档")),
    ("audio/", _("这是录音，不能作为材料上传，请改传文档")),
    ("image/", _("这种图片格式不能接受，请改存为 JPG 或 PNG")),
    ("application/x-rar", _("这是压缩包，请解压后把里面的文件逐个上传")),
    ("application/vnd.rar", _("这是压缩包，请解压后把里面的文件逐个上传")),
    ("application/x-7z", _("这是压缩包，请解压后把里面的文件逐个上传")),
    ("application/vnd.microsoft.portable-executable", _("这是程序，不能上传")),
]

#: The largest picture, in pixels: above any phone's, below what would exhaust the memory.
MAX_PIXELS = 80_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
#: What a container may unpack to: in all, and as a multiple of its own size once that is much.
_MAX_UNPACKED = 500 * 1024 * 1024
_MUCH_UNPACKED, _MAX_RATIO = 50 * 1024 * 1024, 150
_MAX_MEMBERS = 10_000

_HEAD = 4096
_ZIP_END = 22  # bytes of the record at the end of a zip file without a comment
_PDF_TAIL = 1024 * 1024
_MARKUP = (b"<script", b"<html", b"<!doctype html", b"<?php", b"<svg")

_DISGUISED = _("文件里藏有另一种文件，不能接受")
_BROKEN = _("文件已损坏或不完整，请检查后重新上传")
_BOMB = _("文件解压后过大，不能接受")


class NotAccepted(Exception):
    """Why the content is not accepted; empty where it is simply another kind."""


def media_type_of(file: BinaryIO) -> str:
    """The media type of an accepted file. Raises NotAccepted."""
    file.seek(0)
    head = file.read(_HEAD)
    found = _signatures(file, head)
    if "application/pdf" in found:
        return _pdf(file, head)
    for media_type in _IMAGES:
        if media_type in found:
            return _image(file, head, media_type)
    if head.startswith(b"PK\x03\x04"):
        return _zip(file)
    if head.startswith(olefile.MAGIC):
        return _ole(file)
    raise NotAccepted(
        next(
            (
                reason
                for begin, reason in _KNOWN_OTHERS
                if any(media_type.startswith(begin) for media_type in found)
            ),
            "",
        )
    )


def _signatures(file: BinaryIO, head: bytes) -> set[str]:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:5] == b"%PDF-":
        return {"application/pdf"}
    try:
        return {match.mime_type for match in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return set()


def _pdf(file: BinaryIO, head: bytes) -> str:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:5] != b"%PDF-":
        raise NotAccepted(_DISGUISED)
    _refuse_second_kind(file, head)
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _PDF_TAIL))
    if b"%%EOF" not in file.read():
        raise NotAccepted(_BROKEN)
    return "application/pdf"


def _image(file: BinaryIO, head: bytes, media_type: str) -> str:
    if b"%PDF-" in head:
        raise NotAccepted(_DISGUISED)
    _refuse_second_kind(file, head)
    try:
        with open_image(file, media_type) as image:
            image.verify()
    except NotAccepted:
        raise
    except Exception as error:  # Pillow's plugins raise whatever a damaged picture makes them
        raise NotAccepted(_BROKEN) from error
    return media_type


def open_image(file: BinaryIO, media_type: str) -> Image.Image:
    """The picture, its pixels not yet read. Raises NotAccepted for one that is no such picture
    or has too many pixels."""
    file.seek(0)
    try:
        image = Image.open(file, formats=[_IMAGES[media_type]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAccepted(_too_many_pixels()) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise NotAccepted(_BROKEN) from error
    if image.width * image.height > MAX_PIXELS:
        raise NotAccepted(_too_many_pixels())
    return image


def _too_many_pixels() -> str:
    return gettext("图片超过 {ten_thousands} 万像素，请缩小后再传").format(
        ten_thousands=MAX_PIXELS // 10_000
    )


def _refuse_second_kind(file: BinaryIO, head: bytes) -> None:
    """Raises NotAccepted for what is also a page or an archive."""
    lowered = head.lower()
    if any(mark in lowered for mark in _MARKUP):
        raise NotAccepted(_DISGUISED)
    file.seek(0)
    if zipfile.is_zipfile(file):
        raise NotAccepted(_DISGUISED)


def _zip(file: BinaryIO) -> str:
    """Only the directory is read: nothing is unpacked."""
    size = file.seek(0, io.SEEK_END)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise NotAccepted(_BROKEN) from error
    names = {member.filename for member in members}
    kind = next((kind for member, kind in _ZIP_MEMBERS if member in names), None)
    if kind is None:
        raise NotAccepted(
            gettext("这是压缩包，请解压后把里面的文件逐个上传") if names else _BROKEN,
        )
    if any(member.flag_bits & 1 for member in members):
        raise NotAccepted(gettext("文件加了密码，请取消密码后再传"))
    if any(name.endswith("vbaProject.bin") for name in names):
        raise NotAccepted(gettext("文件含有宏，请另存为不含宏的格式或 PDF 后再传"))
    _refuse_bomb(members, size)
    # Nothing before the first member, nothing behind the directory.
    file.seek(size - _ZIP_END)
    if members[0].header_offset != 0 or file.read(4) != b"PK\x05\x06":
        raise NotAccepted(_DISGUISED)
    return kind


def _refuse_bomb(members: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if (
        len(members) > _MAX_MEMBERS
        or unpacked > _MAX_UNPACKED
        or (unpacked > _MUCH_UNPACKED and unpacked > _MAX_RATIO * size)
        or packed > size  # members that overlap
    ):
        raise NotAccepted(_BOMB)


def _ole(file: BinaryIO) -> str:
    file.seek(0)
    try:
        with olefile.OleFileIO(file) as container:
            if container.exists("EncryptedPackage"):
                raise NotAccepted(gettext("文件加了密码，请取消密码后再传"))
            if any(container.exists(macro) for macro in _OLE_MACROS):
                raise NotAccepted(gettext("文件含有宏，请另存为不含宏的格式或 PDF 后再传"))
            kind = next((kind for stream, kind in _OLE_STREAMS if container.exists(stream)), None)
    except (OSError, ValueError, IndexError) as error:
        raise NotAccepted(_BROKEN) from error
    if kind is None:
        raise NotAccepted("")
    file.seek(0)
    if zipfile.is_zipfile(file):
        raise NotAccepted(_DISGUISED)
    return kind


def fitting_name(name: str, media_type: str) -> str:
    """A file's name as it is kept: one line without control or direction marks, no slashes, an
    ending that fits the content, at most 255 characters (the ending stays)."""
    shown = "".join(
        character
        for character in name.translate({ord("/"): "／", ord("\\"): "＼"})
        if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ).strip()
    endings = ENDINGS[media_type]
    if PurePosixPath(shown).suffix.lower() not in endings:
        shown = (shown or "未命名") + endings[0]
    return shown[-255:]
