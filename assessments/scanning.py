"""Looking for viruses with ClamAV's clamd, where CLAMD_ADDRESS is set.

The bytes go through clamd's INSTREAM command, so it needs no access to the files. There is no
kept client library for it; the protocol is a frame of four bytes before each block.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import BinaryIO

from django.conf import settings

_BLOCK = 128 * 1024


class ScannerUnavailable(Exception):
    """clamd did not answer, or could not judge the file."""


def is_on() -> bool:
    return bool(settings.CLAMD_ADDRESS)


def infection_in(file: BinaryIO) -> str:
    """The name of the virus that clamd finds; empty for a clean file. Raises ScannerUnavailable."""
    file.seek(0)
    try:
        with _connect() as connection:
            connection.sendall(b"zINSTREAM\0")
            for frame in _frames(file):
                connection.sendall(frame)
            answer = _answer(connection)
    except (OSError, ValueError) as error:  # ValueError: an address that is none
        raise ScannerUnavailable(str(error)) from error
    verdict = answer.removeprefix("stream: ")
    if verdict == "OK":
        return ""
    if verdict.endswith(" FOUND"):
        return verdict.removesuffix(" FOUND")[:200]
    raise ScannerUnavailable(answer or "no answer")


def _connect() -> socket.socket:
    address = settings.CLAMD_ADDRESS
    if address.startswith("/"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(settings.CLAMD_SECONDS)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=settings.CLAMD_SECONDS)


def _frames(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield struct.pack(">I", len(block)) + block
    yield struct.pack(">I", 0)


def _answer(connection: socket.socket) -> str:
    parts = []
    while block := connection.recv(4096):
        parts.append(block)
        if block.endswith(b"\0"):
            break
    return b"".join(parts).rstrip(b"\0\n").decode("utf-8", "replace")
