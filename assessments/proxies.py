"""代填: a union above fills in for a small one; the union's own head still signs, on the portal or
on the sealed paper form (design, “Self-assessment states”)."""

from __future__ import annotations

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext

from assessments import answering, deadlines, files, library, permissions
from assessments.answering import NotEditable
from assessments.models import (
    Campaign,
    Evidence,
    ProxyFilling,
    SealedScan,
    SelfAssessment,
    StoredFile,
)
from organizations.audit import record
from organizations.models import Organization, User


@transaction.atomic
def begin(campaign: Campaign, organization: Organization, reason: str, by: User) -> SelfAssessment:
    """Open the self-assessment for the people of the union above; it is made if need be. Twice
    by the same union is once.

    Raises NotEditable where it cannot be filled in now, or another union does already.
    """
    proxy = permissions.proxy_for(by, organization)
    if proxy is None:
        raise NotEditable(gettext("只有该工会的上级工会可以代填。"))
    assessment = answering.begin(campaign, organization, by)
    locked = (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )
    if not (locked.is_editable_state and deadlines.is_in_time(locked, deadlines.now())):
        raise NotEditable(gettext("该申报目前不能填写（已经提交，或不在填报时间内），不能代填。"))
    if locked.proxy == proxy.pk:
        return locked
    if locked.proxy is not None:
        raise NotEditable(gettext("“{proxy_name}”正在代填。").format(proxy_name=locked.proxy_name))
    ProxyFilling.objects.create(
        self_assessment=locked, organization=proxy, reason=reason, opened_by=by
    )
    record(
        action="PROXY_OPENED",
        by=by,
        subject=locked,
        details=answering.capacity(by, locked) | {"reason": reason},
    )
    return locked


@transaction.atomic
def end(assessment: SelfAssessment, by: User) -> bool:
    """Close it again; False where it was not open. Raises NotEditable where the user may not."""
    locked = (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )
    if locked.proxy is None:
        return False
    if not permissions.may_end_proxy(by, locked):
        raise NotEditable(gettext("只有本工会和代填的工会可以结束代填。"))
    locked.proxies.filter(ended_at=None).update(ended_at=deadlines.now(), ended_by=by)
    record(
        action="PROXY_ENDED",
        by=by,
        subject=locked,
        details=answering.capacity(by, locked) | {"proxy": locked.proxy_name},
    )
    return True


def store_scan(assessment: SelfAssessment, upload: File, by: User) -> Evidence:
    """The scan of a signed and sealed form, in the union's library. Raises EvidenceRefused."""

    def keep(file: StoredFile) -> Evidence:
        _refuse_other_kinds(file, upload)
        return library.enter(assessment.organization, file, upload.name or "", by)

    return library.store(upload, keep)


def add_scan(assessment: SelfAssessment, upload: File, by: User) -> SealedScan:
    """Attach the scan of the sealed form to what was handed in last.

    Raises EvidenceRefused, and NotEditable once it is decided or being corrected.
    """
    added: list[SealedScan] = []

    def keep(file: StoredFile) -> Evidence:
        _refuse_other_kinds(file, upload)
        locked = (
            SelfAssessment.objects.select_for_update(of=("self",))
            .with_context()
            .get(pk=assessment.pk)
        )
        if not permissions.may_add_scan(by, locked):
            raise NotEditable(gettext("该申报目前不能上传扫描件：提交之后、评定之前才可以。"))
        evidence = library.enter(locked.organization, file, upload.name or "", by)
        revision = locked.revisions.get(number=locked.revision)
        added.append(
            SealedScan.objects.create(revision=revision, evidence=evidence, uploaded_by=by)
        )
        record(
            action="SCAN_ADDED",
            by=by,
            subject=locked,
            details=answering.capacity(by, locked)
            | {"file": evidence.name, "sha256": file.sha256, "revision": revision.number},
        )
        return evidence

    library.store(upload, keep)
    return added[0]


def _refuse_other_kinds(file: StoredFile, upload: File) -> None:
    if not (file.is_pdf or file.is_image):
        raise files.EvidenceRefused(
            gettext("“{name}”不是扫描件：请上传 PDF 或照片（JPG、PNG）。").format(name=upload.name)
        )
