"""Files for the tests: genuine ones of each kind, and hostile ones."""

import io
import zipfile

import olefile
from openpyxl import Workbook
from PIL import Image

from assessments import demo

PDF = demo.small_pdf("hello")


def picture(fmt="PNG", size=(40, 30), color="red", **options):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, fmt, **options)
    return buffer.getvalue()


PNG, JPG, WEBP = picture("PNG"), picture("JPEG"), picture("WEBP")


def zipped(*names, **contents):
    """A zip file with members of these names; `contents` by name instead of a single letter."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "x")
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


DOCX = zipped("[Content_Types].xml", "word/document.xml")


def xlsx():
    buffer = io.BytesIO()
    Workbook().save(buffer)
    return buffer.getvalue()


def ole(stream, storage=False):
    """The smallest compound file with one stream (or storage) of this name: header, FAT,
    directory."""
    sector = 512
    header = bytearray(sector)
    header[:8] = olefile.MAGIC
    header[24:34] = bytes.fromhex("3E000300FEFF09000600")
    for offset, value in {44: 1, 48: 1, 56: 4096, 60: 0xFFFFFFFE, 68: 0xFFFFFFFE, 76: 0}.items():
        header[offset : offset + 4] = value.to_bytes(4, "little")
    header[80:512] = b"\xff" * 432
    fat = bytearray(b"\xff" * sector)
    fat[0:4] = (0xFFFFFFFD).to_bytes(4, "little")
    fat[4:8] = (0xFFFFFFFE).to_bytes(4, "little")

    def entry(name, kind, child):
        raw = bytearray(128)
        encoded = (name + "\0").encode("utf-16-le")
        raw[: len(encoded)] = encoded
        raw[64:66] = len(encoded).to_bytes(2, "little")
        raw[66], raw[67] = kind, 1
        raw[68:76] = b"\xff" * 8
        raw[76:80] = child.to_bytes(4, "little")
        raw[116:120] = (0xFFFFFFFE).to_bytes(4, "little")
        return bytes(raw)

    none = 0xFFFFFFFF
    inner = entry(stream, 1 if storage else 2, none)
    return bytes(header) + bytes(fat) + entry("Root Entry", 5, 1) + inner + bytes(256)
