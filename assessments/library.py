"""The union's library (材料库): its files, what is said of them, and when they may go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Sum
from django.utils.translation import gettext

from assessments import files, kinds
from assessments.choices import EDITABLE_STATES
from assessments.files import EvidenceRefused
from assessments.models import (
    Attachment,
    Evidence,
    PartialUpload,
    RevisionEvidence,
    SelfAssessment,
    StoredFile,
)
from assessments.uploads import MEGABYTE
from organizations.audit import record
from organizations.models import Organization, User

#: How often bytes are stored again that another union discarded at the same moment.
_ATTEMPTS = 3
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Quota:
    """Bytes used, and how many there may be."""

    used: int
    limit: int

    @property
    def percent(self) -> int:
        return min(100, self.used * 100 // self.limit) if self.limit else 100

    def has_room_for(self, size: int) -> bool:
        return self.used + size <= self.limit


def quota_of_library(organization: Organization) -> Quota:
    """The library with what is still coming in."""
    stored = Evidence.objects.filter(organization=organization).aggregate(
        size=Sum("stored_file__size")
    )
    return Quota(stored["size"] or 0, settings.EVIDENCE_LIBRARY_MEGABYTES * MEGABYTE)


def coming_in(organization: Organization) -> int:
    """Bytes that the unfinished uploads of the union will take."""
    pending = PartialUpload.objects.filter(organization=organization)
    return pending.aggregate(size=Sum("size"))["size"] or 0


def quota_of(assessment: SelfAssessment) -> Quota:
    """The files that the self-assessment uses, each counted once."""
    used = StoredFile.objects.filter(
        Exists(
            Attachment.objects.filter(
                answer__self_assessment=assessment, evidence__stored_file=OuterRef("pk")
            )
        )
    ).aggregate(size=Sum("size"))
    return Quota(used["size"] or 0, settings.EVIDENCE_TOTAL_MEGABYTES * MEGABYTE)


def store(upload: File, keep: Callable[[StoredFile], Kept]) -> Kept:
    """Store the bytes, then let `keep` enter them in the books, in one transaction, while nobody
    can discard them. When `keep` raises, the bytes go again unless somebody else uses them.

    Returns what `keep` returns. Raises EvidenceRefused.
    """
    for attempt in range(_ATTEMPTS):
        # A temporary file has been moved into its place by the first attempt.
        content = upload if attempt == 0 else File(upload.file, name=upload.name)
        file = files.store(content)
        try:
            with transaction.atomic():
                locked = StoredFile.objects.select_for_update().filter(pk=file.pk).first()
                if locked is not None:
                    return keep(locked)
        except Exception:
            files.discard(file)
            raise
    raise EvidenceRefused(gettext("“{name}”没有保存，请再传一次。").format(name=upload.name))


def store_all(uploads: Sequence[File], keep: Callable[[list[StoredFile]], Kept]) -> Kept:
    """As `store`, of several files: all of them are kept, or none."""
    if not uploads:
        with transaction.atomic():
            return keep([])
    first, *rest = uploads
    return store(first, lambda file: store_all(rest, lambda found: keep([file, *found])))


def add(organization: Organization, upload: File, by: User) -> Evidence:
    """Keep the upload in the library, at no indicator yet. Raises EvidenceRefused."""

    def keep(file: StoredFile) -> Evidence:
        evidence = enter(organization, file, upload.name or "", by)
        _record("EVIDENCE_ADD", evidence, by)
        return evidence

    return store(upload, keep)


def enter(organization: Organization, file: StoredFile, name: str, by: User) -> Evidence:
    """The union's own entry for the bytes, inside the caller's transaction, which records the act;
    a new name for them counts until they are handed in. Raises EvidenceRefused where the library is full."""
    name = kinds.fitting_name(name, file.media_type)
    evidence = Evidence.objects.filter(organization=organization, stored_file=file).first()
    if evidence is None:
        if not quota_of_library(organization).has_room_for(file.size):
            raise EvidenceRefused(
                gettext(
                    "“{name}”没有上传：本单位材料库合计不能超过 {megabytes} MB。请先删除不用的材料。"
                ).format(name=name, megabytes=settings.EVIDENCE_LIBRARY_MEGABYTES)
            )
        evidence = Evidence.objects.create(
            organization=organization, stored_file=file, name=name, uploaded_by=by
        )
    elif evidence.name != name and why_fixed(evidence) is None:
        evidence.name = name
        evidence.save(update_fields=["name"])
    return evidence


def of(organization: Organization) -> QuerySet[Evidence]:
    """The union's files, newest first, with where they are used."""
    return (
        Evidence.objects.filter(organization=organization)
        .select_related("stored_file", "uploaded_by", "organization")
        .prefetch_related(
            Prefetch(
                "attachments",
                Attachment.objects.select_related(
                    "answer__indicator", "answer__self_assessment__campaign"
                ).order_by("-answer__self_assessment__campaign__year", "answer__indicator__code"),
            )
        )
        .annotate(is_handed_in=Exists(RevisionEvidence.objects.filter(evidence=OuterRef("pk"))))
        .order_by("-uploaded_at", "-pk")
    )


def why_fixed(evidence: Evidence) -> str | None:
    """Why name, description and period cannot change now, in Chinese; None where they can: what
    was handed in stays as it was until it is withdrawn or returned."""
    handed_in = SelfAssessment.objects.filter(revisions__evidence__evidence=evidence)
    if handed_in.exclude(state__in=EDITABLE_STATES).exists():
        return gettext("这份材料已随申报提交，名称和说明不能再改。")
    return None


@transaction.atomic
def describe(
    evidence: Evidence,
    *,
    name: str,
    description: str,
    valid_from: dt.date | None,
    valid_until: dt.date | None,
    by: User,
) -> Evidence:
    """Rename the file, say what it is and which day or period it proves.

    Raises EvidenceRefused where it is fixed.
    """
    locked = _locked(evidence)
    reason = why_fixed(locked)
    if reason:
        raise EvidenceRefused(reason)
    before = _as_told(locked)
    locked.name = kinds.fitting_name(name, locked.stored_file.media_type)
    locked.description = description
    locked.valid_from, locked.valid_until = valid_from, valid_until
    locked.save(update_fields=["name", "description", "valid_from", "valid_until"])
    after = _as_told(locked)
    if after != before:
        _record("EVIDENCE_CHANGE", locked, by, {"before": before, "after": after})
    return locked


def why_not_deletable(evidence: Evidence) -> str | None:
    """Why the file must stay, in Chinese; None where it may go."""
    if evidence.revisions.exists() or evidence.sealed_scans.exists():
        return gettext("这份材料已随申报提交过，不能删除。")
    if evidence.packages.exists():
        return gettext("这份材料是推荐表彰的材料，不能删除。")
    if evidence.attachments.exists():
        return gettext("还有指标在用这份材料，请先从指标中移除，再删除。")
    return None


@transaction.atomic
def delete(evidence: Evidence, by: User) -> None:
    """Take the file out of the library for good. Raises EvidenceRefused while it is used."""
    # The bytes first, as everywhere: whoever attaches them meanwhile waits, or is seen here.
    file = StoredFile.objects.select_for_update().filter(pk=evidence.stored_file_id).first()
    locked = _locked(evidence)
    reason = why_not_deletable(locked)
    if reason:
        raise EvidenceRefused(reason)
    _record("EVIDENCE_DELETE", locked, by)
    locked.delete()
    if file:
        files.discard(file)


def _locked(evidence: Evidence) -> Evidence:
    """The row as it is now; raises EvidenceRefused where it is gone."""
    locked = (
        Evidence.objects.select_for_update(of=("self",))
        .select_related("stored_file", "organization")
        .filter(pk=evidence.pk)
        .first()
    )
    if locked is None:
        raise EvidenceRefused(gettext("这份材料已被删除。"))
    return locked


def _as_told(evidence: Evidence) -> dict[str, str]:
    """What the union says of the file."""
    return {
        "name": evidence.name,
        "description": evidence.description,
        "valid_from": evidence.valid_from.isoformat() if evidence.valid_from else "",
        "valid_until": evidence.valid_until.isoformat() if evidence.valid_until else "",
    }


def _record(
    action: str, evidence: Evidence, by: User, details: dict[str, Any] | None = None
) -> None:
    record(
        action=action,
        by=by,
        subject=evidence.organization,
        details={"file": evidence.name, "sha256": evidence.stored_file.sha256} | (details or {}),
    )
