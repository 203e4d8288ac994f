"""Keeping the bytes: checked, hashed, stored once, thrown away when nothing uses them.

Only Django's storage API is used: the files may lie on a disk or in an S3-compatible bucket.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import kinds, looks, scanning, thumbnails
from assessments.models import StoredFile
from assessments.uploads import MEGABYTE

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # the packages for S3 are optional
    STORAGE_ERRORS: tuple[type[Exception], ...] = (OSError,)
else:
    STORAGE_ERRORS = (OSError, BotoCoreError, ClientError)

FULL = _("服务器存储空间不足，文件没有保存。请稍后再试或联系管理员。")
FOLDER, THUMBNAIL_FOLDER, EXPORT_FOLDER = "evidence", "thumbnails", "exports"
log = logging.getLogger(__name__)


class EvidenceRefused(Exception):
    """A file that is not accepted; the message says why and what would be."""


class StorageFull(EvidenceRefused):
    """The storage did not take the bytes: the file itself is all right and may come again."""


def too_large_message(name: str) -> str:
    return gettext("“{name}”超过 {megabytes} MB，没有上传。请压缩或拆分后再传。").format(
        name=name, megabytes=settings.EVIDENCE_FILE_MEGABYTES
    )


def refuse_size(name: str, size: int) -> None:
    """Raises EvidenceRefused for a file that is empty or too large."""
    if not size:
        raise EvidenceRefused(gettext("“{name}”是空文件，没有上传。").format(name=name))
    if size > settings.EVIDENCE_FILE_MEGABYTES * MEGABYTE:
        raise EvidenceRefused(too_large_message(name))


def put(path: str, content: File) -> str:
    """Store the content under a path that nobody else writes to; all of it or nothing.

    Returns the path. Raises StorageFull.
    """
    try:
        return default_storage.save(path, content)
    except STORAGE_ERRORS as error:
        log.exception("could not store %s", path)
        remove(path)
        raise StorageFull(FULL) from error


def remove(path: str) -> None:
    """Delete what is stored there, if anything. What cannot be deleted now is an orphan, which
    `manage.py tidy_evidence` finds."""
    try:
        default_storage.delete(path)
    except STORAGE_ERRORS:
        log.exception("could not delete %s", path)


def _fresh_path(folder: str, sha256: str) -> str:
    """By content; the end is one's own, so that cleaning up after a failure never takes away
    what another request has stored at the same moment."""
    return f"{folder}/{sha256[:2]}/{sha256}-{secrets.token_hex(4)}"


def store(upload: File) -> StoredFile:
    """Check the upload and keep its bytes; a file that is there already is not kept twice.

    Raises EvidenceRefused.
    """
    name = upload.name or ""
    refuse_size(name, upload.size)
    content: BinaryIO = upload.file
    try:
        media_type = kinds.media_type_of(content)
    except kinds.NotAccepted as error:
        reason = str(error)
        raise EvidenceRefused(
            gettext("“{name}”没有上传：{reason}。").format(name=name, reason=reason)
            if reason
            else gettext("“{name}”的类型不能接受，没有上传。可以上传：{accepted}。").format(
                name=name, accepted=kinds.ACCEPTED
            )
        ) from error
    content.seek(0)
    sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    known = StoredFile.objects.filter(sha256=sha256).first()
    if known and known.infection:
        raise EvidenceRefused(_infected_message(name, known.infection))
    if known:
        return known
    scanned_at = timezone.now() if _is_clean(content, name) else None
    look = None if scanning.is_on() and not scanned_at else _look(content, media_type)
    upload.seek(0)
    path = put(_fresh_path(FOLDER, sha256), upload)
    try:
        with transaction.atomic():
            return StoredFile.objects.create(
                sha256=sha256,
                size=upload.size,
                media_type=media_type,
                file=path,
                look=look,
                scanned_at=scanned_at,
            )
    except IntegrityError:  # the same content came in by another request at the same moment
        remove(path)
        return StoredFile.objects.get(sha256=sha256)


def _is_clean(content: BinaryIO, name: str) -> bool:
    """Whether the scanner has seen the content and found nothing; False where it is off or does
    not answer: the file then waits in quarantine. Raises EvidenceRefused for a virus."""
    if not scanning.is_on():
        return False
    try:
        infection = scanning.infection_in(content)
    except scanning.ScannerUnavailable as error:
        log.warning("not scanned, kept in quarantine: %s", error)
        return False
    if infection:
        log.warning("refused: %s", infection)
        raise EvidenceRefused(_infected_message(name, infection))
    return True


def _infected_message(name: str, infection: str) -> str:
    return gettext("“{name}”没有上传：查出病毒（{infection}）。请先杀毒再传。").format(
        name=name, infection=infection
    )


def scan(file: StoredFile) -> str:
    """Look into bytes that are stored; returns the virus found, if any. Raises
    scanning.ScannerUnavailable."""
    with file.file.open("rb") as content:
        infection = scanning.infection_in(content)
    StoredFile.objects.filter(pk=file.pk).update(infection=infection, scanned_at=timezone.now())
    return infection


def _look(content: BinaryIO, media_type: str) -> str:
    picture = thumbnails.small(content, media_type) if media_type.startswith("image/") else None
    return looks.of(picture) if picture else ""


def look_at(file: StoredFile) -> str:
    """Look at a stored picture that nobody has looked at (see `StoredFile.look`), and keep what it
    looks like. Raises FileNotFoundError."""
    look = ""
    if file.is_image:
        with file.file.open("rb") as content:
            look = _look(content, file.media_type)
    StoredFile.objects.filter(pk=file.pk).update(look=look)
    return look


def thumbnail_of(file: StoredFile) -> str:
    """The path of the picture's thumbnail, made when it is first asked for; empty for what has
    none. Raises StorageFull, FileNotFoundError."""
    if file.thumbnail is not None or not file.is_image:
        return file.thumbnail or ""
    with file.file.open("rb") as content:
        small = thumbnails.make(content, file.media_type)
    path = put(_fresh_path(THUMBNAIL_FOLDER, file.sha256), ContentFile(small)) if small else ""
    if not StoredFile.objects.filter(pk=file.pk, thumbnail=None).update(thumbnail=path):
        if path:  # somebody else has made it, or the file is gone
            remove(path)
        return (
            StoredFile.objects.filter(pk=file.pk).values_list("thumbnail", flat=True).first() or ""
        )
    return path


@transaction.atomic
def discard(file: StoredFile) -> None:
    """Delete bytes that nothing uses any more."""
    locked = StoredFile.objects.select_for_update().filter(pk=file.pk).first()
    if locked and not any(
        users.exists()
        for users in (
            locked.evidence,
            locked.photos,
            locked.notice_files,
            locked.appeals,
            locked.supervision_files,
            locked.plan_versions,
            locked.case_photos,
        )
    ):
        paths = [path for path in (locked.file.name, locked.thumbnail) if path]
        locked.delete()
        transaction.on_commit(lambda: [remove(path) for path in paths])
