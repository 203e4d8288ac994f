"""Evidence (佐证材料) at the indicators: attaching, from an upload, from the library or from the last
time, ordering and detaching."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from assessments import answering, deadlines, library, versions
from assessments.files import EvidenceRefused
from assessments.models import (
    Answer,
    Attachment,
    Evidence,
    Indicator,
    RevisionEvidence,
    SelfAssessment,
    StoredFile,
)
from assessments.previous import LastTime
from organizations.audit import record
from organizations.models import User


def attach(
    assessment: SelfAssessment, indicator: Indicator, uploads: Iterable[File], by: User
) -> list[str]:
    """Attach what is acceptable to the indicator; return a message for each file that is not.

    Raises answering.NotEditable, and keeps nothing then.
    """
    refused = []
    for upload in uploads:
        try:
            add(assessment, indicator, upload, by)
        except EvidenceRefused as error:
            refused.append(str(error))
    return refused


def add(
    assessment: SelfAssessment,
    indicator: Indicator,
    upload: File,
    by: User,
    chosen_at: dt.datetime | None = None,
) -> Evidence:
    """Keep the upload in the union's library and attach it to the indicator, behind what was
    chosen before `chosen_at` (now).

    Raises EvidenceRefused, answering.NotEditable; nothing is kept then.
    """

    def keep(file: StoredFile) -> Evidence:
        answer = _answer_for_writing(assessment, indicator, by)
        name = upload.name or ""
        evidence = library.enter(answer.self_assessment.organization, file, name, by)
        _append(answer, indicator, evidence, by, chosen_at)
        return evidence

    return library.store(upload, keep)


def keep_for_later(assessment: SelfAssessment, uploads: Iterable[File], by: User) -> list[str]:
    """What to tell about uploads that came too late for the self-assessment: they are kept in
    the library, so that nothing is lost."""
    told = []
    for upload in uploads:
        try:
            kept = library.add(assessment.organization, upload, by)
            told.append(gettext("“{name}”没有附到指标，已存入材料库。").format(name=kept.name))
        except EvidenceRefused as error:
            told.append(str(error))
    return told


@transaction.atomic
def link(
    assessment: SelfAssessment, indicator: Indicator, keys: Collection[int], by: User
) -> tuple[int, list[str]]:
    """Attach files of the library; how many, and a message for each that was refused.

    Raises answering.NotEditable. Keys of files that are not the union's own are passed over.
    """
    answer = _answer_for_writing(assessment, indicator, by)
    count, refused = 0, []
    own = Evidence.objects.filter(organization=assessment.organization, pk__in=keys)
    own = own.select_related("stored_file", "organization").select_for_update(of=("self",))
    for evidence in own.order_by("pk"):
        if answer.attachments.filter(evidence=evidence).exists():
            continue
        try:
            _append(answer, indicator, evidence, by)
            count += 1
        except EvidenceRefused as error:
            refused.append(str(error))
    return count, refused


@transaction.atomic
def take_over(
    assessment: SelfAssessment, indicators: Iterable[Indicator], last: LastTime, by: User
) -> tuple[list[Indicator], list[str]]:
    """Answers and files of the last time, where nothing stands yet (沿用). What is filled waits to
    be confirmed. Returns the indicators that were filled, and a message for each file that was refused.

    Raises answering.NotEditable.
    """
    wanted = list(indicators)
    filled = answering.take_over(assessment, wanted, last, by)
    allowed = answering.editable_indicators(assessment)
    has_files = set(
        Attachment.objects.filter(answer__self_assessment=assessment).values_list(
            "answer__indicator", flat=True
        )
    )
    handed_in: dict[str, list[int]] = {}
    for code, key in RevisionEvidence.objects.filter(
        revision=last.revision, evidence__stored_file__infection=""
    ).values_list("indicator__code", "evidence"):
        handed_in.setdefault(code, []).append(key)
    refused: list[str] = []
    for indicator in wanted:
        keys = handed_in.get(indicator.code, [])
        is_open = allowed is None or indicator.pk in allowed
        if not keys or not is_open or indicator.pk in has_files:
            continue
        count, messages = link(assessment, indicator, keys, by)
        refused += messages
        if count:
            answering.mark_carried_over(assessment, indicator, by)
            filled += [] if indicator in filled else [indicator]
    return filled, refused


def _append(
    answer: Answer,
    indicator: Indicator,
    evidence: Evidence,
    by: User,
    chosen_at: dt.datetime | None = None,
) -> None:
    """Raises EvidenceRefused where the self-assessment would exceed its quota."""
    if answer.attachments.filter(evidence=evidence).exists():
        return
    assessment = answer.self_assessment
    used = Attachment.objects.filter(answer__self_assessment=assessment, evidence=evidence)
    quota = library.quota_of(assessment)
    if not used.exists() and not quota.has_room_for(evidence.stored_file.size):
        raise EvidenceRefused(
            gettext("“{name}”没有附上：本次申报的材料合计不能超过 {megabytes} MB。").format(
                name=evidence.name, megabytes=quota.limit // 1024**2
            )
        )
    position = int((chosen_at or deadlines.now()).timestamp() * 1000)
    Attachment.objects.create(answer=answer, evidence=evidence, position=position)
    _keep(answer, before="", after=evidence.name, by=by)
    _record("ATTACH", assessment, indicator, evidence, by)


@transaction.atomic
def detach(
    assessment: SelfAssessment, indicator: Indicator, evidence_pk: int, by: User
) -> Evidence | None:
    """Take a file from the indicator; it stays in the library. None where it was not there.

    Raises answering.NotEditable.
    """
    answer = _answer_for_writing(assessment, indicator, by)
    attachment = (
        answer.attachments.filter(evidence=evidence_pk)
        .select_related("evidence__stored_file")
        .first()
    )
    if attachment is None:
        return None
    attachment.delete()
    _keep(answer, before=attachment.evidence.name, after="", by=by)
    _record("DETACH", assessment, indicator, attachment.evidence, by)
    return attachment.evidence


@transaction.atomic
def move(
    assessment: SelfAssessment, indicator: Indicator, evidence_pk: int, by: User, *, up: bool
) -> bool:
    """Move a file one place up or down at its indicator; False where there is no such place.

    Raises answering.NotEditable.
    """
    answer = _answer_for_writing(assessment, indicator, by)
    attachments = list(answer.attachments.select_related("evidence__stored_file"))
    place = next((n for n, a in enumerate(attachments) if a.evidence_id == evidence_pk), None)
    if place is None or not 0 <= (target := place - 1 if up else place + 1) < len(attachments):
        return False
    attachments[place], attachments[target] = attachments[target], attachments[place]
    for position, attachment in enumerate(attachments, start=1):
        attachment.position = position
    Attachment.objects.bulk_update(attachments, ["position"])
    _record("REORDER", assessment, indicator, attachments[target].evidence, by)
    return True


def of_last_year(assessment: SelfAssessment, indicator: Indicator) -> QuerySet[Evidence]:
    """The union's files at the same indicator in its latest earlier self-assessment."""
    earlier = (
        SelfAssessment.objects.filter(
            organization=assessment.organization, campaign__year__lt=assessment.campaign.year
        )
        .order_by("-campaign__year")
        .values("pk")[:1]
    )
    return Evidence.objects.filter(
        attachments__answer__self_assessment__in=earlier,
        attachments__answer__indicator__code=indicator.code,
    )


def _answer_for_writing(assessment: SelfAssessment, indicator: Indicator, by: User) -> Answer:
    """The answer under the lock of its self-assessment. Raises answering.NotEditable."""
    locked = answering.lock(assessment, by)
    allowed = answering.editable_indicators(locked)
    if allowed is not None and indicator.pk not in allowed:
        raise answering.NotEditable(gettext("退回修改期间，只能修改被要求修改的指标。"))
    answer, _ = Answer.objects.get_or_create(self_assessment=locked, indicator=indicator)
    answer.self_assessment = locked
    return answer


def _keep(answer: Answer, *, before: str, after: str, by: User) -> None:
    change = versions.Written(answer.indicator_id, {"file": before}, {"file": after})
    versions.keep(answer.self_assessment, [change], by)


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
