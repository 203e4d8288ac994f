"""Evidence (佐证材料): what is accepted, storing the bytes once, attaching and detaching."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

import olefile
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from assessments import answering
from assessments.models import Answer, Evidence, Indicator, SelfAssessment, StoredFile
from assessments.uploads import MEGABYTE
from organizations.audit import record
from organizations.models import User

ACCEPTED = "PDF、JPG、PNG、WebP 图片，Word（doc、docx）、Excel（xls、xlsx）、WPS（wps、et）、OFD"
ACCEPTED_EXTENSIONS = ".pdf,.jpg,.jpeg,.png,.webp,.docx,.xlsx,.doc,.xls,.wps,.et,.ofd"

_OOXML = "application/vnd.openxmlformats-officedocument"
#: Leading bytes of the kinds that need no look inside.
_SIGNATURES = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (8, b"WEBP", "image/webp"),
]
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


#: How often bytes are stored again that another union discarded at the same moment.
_ATTEMPTS = 3


class EvidenceRefused(Exception):
    """A file that is not accepted; the message says why and what would be, in Chinese."""


def media_type_of(file: BinaryIO) -> str | None:
    """The media type by content, never by name; None for what is not accepted."""
    file.seek(0)
    head = file.read(1024)
    for offset, signature, media_type in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return media_type
    if b"%PDF-" in head:
        return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        return _media_type_of_zip(file)
    if head.startswith(olefile.MAGIC):
        return _media_type_of_ole(file)
    return None


def _media_type_of_zip(file: BinaryIO) -> str | None:
    """Only the directory is read: nothing is unpacked, so a bomb stays a small file."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return None
    if any(name.endswith("vbaProject.bin") for name in names):
        return None
    return next((kind for member, kind in _ZIP_MEMBERS if member in names), None)


def _media_type_of_ole(file: BinaryIO) -> str | None:
    file.seek(0)
    try:
        with olefile.OleFileIO(file) as container:
            return next((kind for stream, kind in _OLE_STREAMS if container.exists(stream)), None)
    except (OSError, ValueError, IndexError):
        return None


def too_large_message(name: str) -> str:
    return f"“{name}”超过 {settings.EVIDENCE_FILE_MEGABYTES} MB，没有上传。请压缩或拆分后再传。"


def _check(upload: UploadedFile) -> str:
    """The media type; raises EvidenceRefused for a file that is empty, too large or of a kind
    that is not accepted."""
    name = upload.name or ""
    if not upload.size:
        raise EvidenceRefused(f"“{name}”是空文件，没有上传。")
    if upload.size > settings.EVIDENCE_FILE_MEGABYTES * MEGABYTE:
        raise EvidenceRefused(too_large_message(name))
    media_type = media_type_of(upload.file)
    if media_type is None:
        raise EvidenceRefused(f"“{name}”的类型不能接受，没有上传。可以上传：{ACCEPTED}。")
    return media_type


def store(upload: UploadedFile) -> StoredFile:
    """Check the upload and keep its bytes; a file that is there already is not kept twice.

    Raises EvidenceRefused.
    """
    media_type = _check(upload)
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    sha256 = digest.hexdigest()
    known = StoredFile.objects.filter(sha256=sha256).first()
    if known:
        return known
    upload.seek(0)
    try:
        path = default_storage.save(f"evidence/{sha256[:2]}/{sha256}", upload)
    except OSError as error:
        raise EvidenceRefused(
            "服务器存储空间不足，文件没有保存。请稍后再试或联系管理员。"
        ) from error
    try:
        with transaction.atomic():
            return StoredFile.objects.create(
                sha256=sha256, size=upload.size, media_type=media_type, file=path
            )
    except IntegrityError:  # the same content came in by another request at the same moment
        default_storage.delete(path)
        return StoredFile.objects.get(sha256=sha256)


def _used_files(assessment: SelfAssessment) -> QuerySet[StoredFile]:
    """The files that the self-assessment uses, each once."""
    return StoredFile.objects.filter(evidence__answers__self_assessment=assessment).distinct()


def attach(
    assessment: SelfAssessment, indicator: Indicator, uploads: Iterable[UploadedFile], by: User
) -> list[str]:
    """Attach what is acceptable to the indicator; return a message for each file that is not.

    Raises answering.NotEditable, and keeps nothing then.
    """
    refused, waiting = [], list(uploads)
    for _ in range(_ATTEMPTS):
        stored = []
        for upload in waiting:
            try:
                stored.append((upload, store(upload)))
            except EvidenceRefused as error:
                refused.append(str(error))
        try:
            found, waiting = _link(assessment, indicator, stored, by)
        except answering.NotEditable:
            for _, file in stored:
                discard(file)
            raise
        refused += found
        if not waiting:
            break
    return refused + [f"“{upload.name}”没有保存，请再传一次。" for upload in waiting]


@transaction.atomic
def _link(
    assessment: SelfAssessment,
    indicator: Indicator,
    stored: list[tuple[UploadedFile, StoredFile]],
    by: User,
) -> tuple[list[str], list[UploadedFile]]:
    """Messages for what exceeds the quota, and the uploads whose bytes somebody discarded since
    they were stored."""
    answer = _answer_for_writing(assessment, indicator, by)
    # Lock the bytes, always in one order: another union may be discarding the same ones.
    keys = [file.pk for _, file in stored]
    present = StoredFile.objects.select_for_update().filter(pk__in=keys).order_by("pk").in_bulk()
    limit = settings.EVIDENCE_TOTAL_MEGABYTES * MEGABYTE
    used = dict(_used_files(assessment).values_list("pk", "size"))
    refused, lost = [], []
    for upload, found in stored:
        name = upload.name or ""
        file = present.get(found.pk)
        if file is None:
            lost.append(upload)
            continue
        if file.pk not in used and sum(used.values()) + file.size > limit:
            refused.append(
                f"“{name}”没有上传：本次申报的材料合计不能超过 {settings.EVIDENCE_TOTAL_MEGABYTES} MB。"
            )
            discard(file)
            continue
        used[file.pk] = file.size
        evidence = _evidence(assessment, file, name, by)
        answer.evidence.add(evidence)
        _record("ATTACH", assessment, indicator, evidence, by)
    return refused, lost


def _evidence(assessment: SelfAssessment, file: StoredFile, name: str, by: User) -> Evidence:
    """The union's own entry for the bytes; a new name for them counts until they are handed in."""
    evidence, created = Evidence.objects.get_or_create(
        organization=assessment.organization,
        stored_file=file,
        defaults={"name": name[-255:], "uploaded_by": by},
    )
    if not created and evidence.name != name[-255:] and not evidence.revisions.exists():
        evidence.name = name[-255:]
        evidence.save(update_fields=["name"])
    return evidence


@transaction.atomic
def detach(
    assessment: SelfAssessment, indicator: Indicator, evidence_pk: int, by: User
) -> Evidence | None:
    """Take a file from the indicator. It is deleted once nothing uses it any more: no other
    indicator and no revision that was handed in. Raises answering.NotEditable."""
    answer = _answer_for_writing(assessment, indicator, by)
    evidence = answer.evidence.filter(pk=evidence_pk).select_related("stored_file").first()
    if evidence is None:
        return None
    answer.evidence.remove(evidence)
    _record("DETACH", assessment, indicator, evidence, by)
    if not evidence.answers.exists() and not evidence.revisions.exists():
        file = evidence.stored_file
        evidence.delete()
        discard(file)
    return evidence


@transaction.atomic
def discard(file: StoredFile) -> None:
    """Delete bytes that no union uses any more."""
    locked = StoredFile.objects.select_for_update().filter(pk=file.pk).first()
    if locked and not locked.evidence.exists():
        path = locked.file.name
        locked.delete()
        transaction.on_commit(lambda: default_storage.delete(path))


def _answer_for_writing(assessment: SelfAssessment, indicator: Indicator, by: User) -> Answer:
    """The answer under the lock of its self-assessment. Raises answering.NotEditable."""
    locked = answering.lock(assessment, by)
    allowed = answering.editable_indicators(locked)
    if allowed is not None and indicator.pk not in allowed:
        raise answering.NotEditable("退回修改期间，只能修改被要求修改的指标。")
    answer, _ = Answer.objects.get_or_create(self_assessment=locked, indicator=indicator)
    return answer


def _record(
    action: str, assessment: SelfAssessment, indicator: Indicator, evidence: Evidence, by: User
) -> None:
    record(
        action=action,
        by=by,
        subject=assessment,
        details=answering.capacity(by, assessment)
        | {
            "indicator": indicator.code,
            "file": evidence.name,
            "sha256": evidence.stored_file.sha256,
        },
    )
