"""Uploads that come in piece by piece and go on after a break (断点续传).

The protocol is the one of tus.io in small: create (or find again), PATCH pieces at an offset,
HEAD asks for the offset, DELETE cancels. Each piece is a file of its own in the storage until
the last one has come; then they become evidence through the same checks as any other upload.
"""

from __future__ import annotations

import secrets
import tempfile
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from assessments import answering, deadlines, evidence, files, library, permissions
from assessments.files import EvidenceRefused, StorageFull
from assessments.models import Evidence, Indicator, PartialUpload, SelfAssessment
from assessments.uploads import MEGABYTE
from organizations.models import Organization, User

FOLDER = "incoming"
#: The largest piece that is taken at once, in bytes.
MAX_PIECE = 8 * MEGABYTE
#: Unfinished uploads that one user may have.
_MAX_UNFINISHED = 300
_IN_MEMORY = 2 * MEGABYTE


class OffsetMismatch(Exception):
    """A piece that does not go on where the last one ended; `offset` says where that is."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


@dataclass(frozen=True)
class Target:
    """Where a file is to go: into the library, or on to an indicator too."""

    organization: Organization
    assessment: SelfAssessment | None = None
    indicator: Indicator | None = None


@dataclass(frozen=True)
class Finished:
    """What became of a file; `notice` where it is not where it was to go, in Chinese."""

    evidence: Evidence
    notice: str = ""


def begin(*, target: Target, name: str, size: int, modified: int, by: User) -> PartialUpload:
    """Take a file in, or go on with the one that the user had begun: the same name, size and
    time of change for the same place. Raises EvidenceRefused, answering.NotEditable."""
    files.refuse_size(name, size)
    if target.assessment:
        reason = answering.why_not_editable(target.assessment, by, deadlines.now())
        if reason:
            raise answering.NotEditable(reason)
    same = PartialUpload.objects.filter(
        user=by,
        organization=target.organization,
        self_assessment=target.assessment,
        indicator=target.indicator,
        name=name[-255:],
        size=size,
        modified=modified,
    ).first()
    if same:
        return same
    _refuse_too_much(target, name, size, by)
    return PartialUpload.objects.create(
        user=by,
        organization=target.organization,
        self_assessment=target.assessment,
        indicator=target.indicator,
        name=name[-255:],
        size=size,
        modified=modified,
    )


def _refuse_too_much(target: Target, name: str, size: int, by: User) -> None:
    if by.partial_uploads.count() >= _MAX_UNFINISHED:
        raise EvidenceRefused(
            gettext(
                "“{name}”没有上传：没有传完的文件太多，请先传完或取消一些，再传这一个。"
            ).format(name=name)
        )
    quota = library.quota_of_library(target.organization)
    if not quota.has_room_for(size + library.coming_in(target.organization)):
        raise EvidenceRefused(
            gettext(
                "“{name}”没有上传：本单位材料库合计不能超过 {megabytes} MB。请先删除不用的材料。"
            ).format(name=name, megabytes=quota.limit // MEGABYTE)
        )


def unfinished(by: User, assessment: SelfAssessment | None = None) -> QuerySet[PartialUpload]:
    """What the user has begun and not finished, for the self-assessment or for the library."""
    return by.partial_uploads.filter(self_assessment=assessment)


def own(key: uuid.UUID, by: User) -> PartialUpload | None:
    """One of the user's uploads, as long as the user may write for the union."""
    upload = (
        PartialUpload.objects.filter(pk=key, user=by)
        .select_related("organization", "self_assessment__organization", "indicator")
        .first()
    )
    return upload if upload and permissions.may_keep_evidence(by, upload.organization) else None


def append(upload: PartialUpload, offset: int, content: bytes) -> PartialUpload:
    """Add a piece at its place; an empty one changes nothing. Returns the upload as it is then.

    Raises OffsetMismatch, EvidenceRefused for more than was announced, StorageFull.
    """
    if offset != upload.offset:
        raise OffsetMismatch(upload.offset)
    if offset + len(content) > upload.size:
        raise EvidenceRefused(
            gettext("“{name}”在上传期间有改动，请重新选择文件上传。").format(name=upload.name)
        )
    if not content:
        return upload
    path = f"{FOLDER}/{upload.pk}-{offset:012}-{secrets.token_hex(4)}"
    files.put(path, ContentFile(content))
    with transaction.atomic():
        locked = PartialUpload.objects.select_for_update().filter(pk=upload.pk).first()
        if locked and locked.offset == offset:
            locked.pieces.append(path)
            locked.offset += len(content)
            locked.save(update_fields=["pieces", "offset", "touched_at"])
            upload.offset, upload.pieces = locked.offset, locked.pieces
            return upload
    files.remove(path)  # the same piece came in by another request, or all was cancelled
    raise OffsetMismatch(locked.offset if locked else 0)


def finish(upload: PartialUpload, by: User) -> Finished:
    """Make evidence of an upload whose last piece has come. What comes too late for its
    indicator is kept in the library.

    Raises EvidenceRefused: the upload is gone then, unless it is StorageFull.
    """
    try:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
            _assemble(upload, whole)
            done = _keep(upload, File(whole, name=upload.name), by)
    except StorageFull:
        raise
    except files.STORAGE_ERRORS as error:
        raise StorageFull(gettext("服务器暂时不能保存文件。请稍后再试或联系管理员。")) from error
    except EvidenceRefused:
        cancel(upload)
        raise
    cancel(upload)
    return done


def _assemble(upload: PartialUpload, whole: IO[bytes]) -> None:
    for path in upload.pieces:
        with default_storage.open(path, "rb") as piece:
            for block in piece.chunks():
                whole.write(block)
    if whole.tell() != upload.size:
        raise EvidenceRefused(gettext("“{name}”没有传完整，请重新上传。").format(name=upload.name))
    whole.seek(0)


def _keep(upload: PartialUpload, content: File, by: User) -> Finished:
    content.size = upload.size
    notice = ""
    if upload.self_assessment and upload.indicator:
        try:
            return Finished(
                evidence.add(
                    upload.self_assessment, upload.indicator, content, by, upload.started_at
                )
            )
        except answering.NotEditable as error:
            notice = gettext("{error}“{name}”没有附到指标，已存入材料库。").format(
                error=error, name=upload.name
            )
    return Finished(library.add(upload.organization, content, by), notice)


def cancel(upload: PartialUpload) -> None:
    """Forget the upload and delete its pieces."""
    pieces = list(
        PartialUpload.objects.filter(pk=upload.pk).values_list("pieces", flat=True).first() or []
    )
    PartialUpload.objects.filter(pk=upload.pk).delete()
    for path in pieces:
        files.remove(path)


def cancel_expired() -> int:
    """Forget uploads that nobody has gone on with for UPLOAD_HOURS; returns how many."""
    before = deadlines.now() - timedelta(hours=settings.UPLOAD_HOURS)
    expired = list(PartialUpload.objects.filter(touched_at__lt=before))
    for upload in expired:
        cancel(upload)
    return len(expired)
