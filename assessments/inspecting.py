"""现场核查: drawn by lot or named for a reason, visited, written down, and – by the lead – made to
count. What is found is the city's until the result is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from assessments import (
    answering,
    assigning,
    audiences,
    deadlines,
    entries,
    files,
    library,
    permissions,
    standings,
    verdicts,
)
from assessments.choices import AdjustmentSource, InspectionState, State
from assessments.models import (
    FindingPhoto,
    Indicator,
    Inspection,
    InspectionFinding,
    SelfAssessment,
    StoredFile,
)
from assessments.scoring import Rating
from organizations.audit import record
from organizations.chinese import in_chinese
from organizations.choices import NotificationKind
from organizations.models import User
from organizations.notifications import notify

#: What can be checked: handed in, and not published yet.
INSPECTABLE_STATES = (
    State.SUBMITTED,
    State.ENDORSED,
    State.UNDER_REVIEW,
    State.REVIEWED,
    State.DECIDED,
)
#: Photos at one indicator.
MAX_PHOTOS = 20


class NotAllowed(Exception):
    """Cannot be done now; the message says why, in the words of the screen."""


@transaction.atomic
def add(assessment: SelfAssessment, reason: str, by: User) -> Inspection:
    """Named for a reason instead of by lot (例如群众反映). Raises NotAllowed."""
    locked = _lock_assessment(assessment, by)
    if locked.state not in INSPECTABLE_STATES:
        raise NotAllowed(
            gettext("该申报目前是“{state}”，不能列入现场核查。").format(
                state=locked.get_state_display()
            )
        )
    try:
        with transaction.atomic():
            inspection = Inspection.objects.create(
                self_assessment=locked, reason=reason, revision=locked.revision, created_by=by
            )
    except IntegrityError:
        raise NotAllowed(gettext("该申报已经列入现场核查。")) from None
    _record("INSPECTION_ADDED", inspection, by, {"reason": reason})
    return inspection


# --- The visit ----------------------------------------------------------------------------------------


def may_write(user: User, inspection: Inspection) -> bool:
    """Inspectors, and the lead; as long as no conflict of interest has arisen."""
    organization = inspection.self_assessment.organization
    if permissions.has_conflict(user, organization):
        return False
    return permissions.may_lead(user, inspection.self_assessment) or (
        permissions.may_be_assigned(user, organization)
        and inspection.inspectors.filter(pk=user.pk).exists()
    )


@transaction.atomic
def schedule(
    inspection: Inspection,
    *,
    inspectors: Iterable[User],
    planned_on: dt.date,
    announced: bool,
    by: User,
    seen: str | None = None,
) -> Inspection:
    """Who goes, and when; the union is told unless the visit is to come unannounced. `seen` is the
    stamp of the plan that the page showed. Raises NotAllowed, also for an inspector with a conflict
    of interest, a union that is dissolved, and a plan that somebody else has changed."""
    locked = _lock(inspection, by, lead=True)
    inspectors = list(inspectors)
    organization = locked.self_assessment.organization
    if not organization.is_active:
        raise NotAllowed(
            gettext("“{organization}”已经撤销，不能再安排。请取消这次核查，并写明原因。").format(
                organization=organization
            )
        )
    if seen is not None and seen != plan_stamp(locked):
        raise NotAllowed(gettext("刚刚有人改过安排。现在的安排显示在上面，请核对后再保存。"))
    for one in inspectors:
        if not permissions.may_be_assigned(one, organization):
            raise NotAllowed(
                gettext("{inspector} 须回避“{organization}”，不能核查。").format(
                    inspector=one, organization=organization
                )
            )
    first = locked.planned_on is None
    locked.planned_on, locked.announced = planned_on, announced
    locked.state = InspectionState.SCHEDULED
    locked.save()
    locked.inspectors.set(inspectors)
    _record(
        "INSPECTION_SCHEDULED",
        locked,
        by,
        {"on": planned_on.isoformat(), "inspectors": [one.username for one in inspectors]},
    )
    day = f"{planned_on:%Y年%m月%d日}"
    notify(
        inspectors,
        kind=NotificationKind.TURN,
        text=f"请于 {day} 现场核查“{organization}”。",
        link=locked.get_absolute_url(),
        by=by,
    )
    if announced:
        notify(
            audiences.writers_of(organization),
            kind=NotificationKind.INFO,
            text=f"市总工会{'定于' if first else '改于'} {day} 到你会现场核查，请准备有关资料。",
            link=locked.self_assessment.get_absolute_url(),
            by=by,
        )
    return locked


def plan_stamp(inspection: Inspection) -> str:
    """Tells apart two plans of a visit."""
    people = sorted(one.pk for one in inspection.inspectors.all())
    return verdicts.digest_of([inspection.planned_on, inspection.announced, people])


@dataclass(frozen=True)
class Entry:
    """What is written at one indicator; `rating` is what is proposed, if anything is, and `seen`
    the stamp of what the page showed."""

    indicator: Indicator
    verdict: str
    text: str
    rating: Rating | None
    seen: str


def stamp(finding: InspectionFinding | None) -> str:
    if finding is None:
        return ""
    texts = {"verdict": finding.verdict, "text": finding.text}
    return entries.Entry(finding.rating, texts).fingerprint


@transaction.atomic
def save(
    inspection: Inspection, entries: Iterable[Entry], by: User
) -> dict[int, InspectionFinding]:
    """Store what was written; what somebody else has stored meanwhile is not overwritten but given
    back, by key of the indicator. Raises NotAllowed."""
    locked = _lock(inspection, by)
    stored = {
        one.indicator_id: one for one in locked.findings.select_related("saved_by", "indicator")
    }
    conflicts: dict[int, InspectionFinding] = {}
    for entry in entries:
        finding = stored.get(entry.indicator.pk)
        typed = InspectionFinding(verdict=entry.verdict, text=entry.text)
        typed.apply(entry.rating or Rating())
        if stamp(typed) == stamp(finding) or (finding is None and stamp(typed) == _EMPTY):
            continue
        if stamp(finding) != entry.seen:
            conflicts[entry.indicator.pk] = finding
            continue
        finding = finding or InspectionFinding(inspection=locked, indicator=entry.indicator)
        finding.verdict, finding.text, finding.saved_by = entry.verdict, entry.text, by
        finding.apply(typed.rating)
        finding.save()
    return conflicts


_EMPTY = stamp(InspectionFinding())


def add_photo(inspection: Inspection, indicator: Indicator, upload: File, by: User) -> FindingPhoto:
    """Keep a photo at an indicator (twice is once). Raises NotAllowed and EvidenceRefused."""

    def keep(file: StoredFile) -> FindingPhoto:
        if not file.is_image:
            raise files.EvidenceRefused(
                gettext("“{name}”不是照片，请上传 JPG、PNG 或 WebP 图片。").format(name=upload.name)
            )
        locked = _lock(inspection, by)
        if locked.photos.filter(indicator=indicator).count() >= MAX_PHOTOS:
            raise files.EvidenceRefused(
                gettext("一项最多 {number} 张照片，“{name}”没有上传。").format(
                    number=MAX_PHOTOS, name=upload.name
                )
            )
        photo, created = FindingPhoto.objects.get_or_create(
            inspection=locked,
            indicator=indicator,
            stored_file=file,
            defaults={"name": (upload.name or "照片")[-255:], "taken_by": by},
        )
        if created:
            details = {"indicator": indicator.code, "sha256": file.sha256}
            _record("INSPECTION_PHOTO", locked, by, details)
        return photo

    return library.store(upload, keep)


@transaction.atomic
def remove_photo(photo: FindingPhoto, by: User) -> None:
    """Raises NotAllowed once the check is closed: then it stays on record."""
    locked = _lock(photo.inspection, by)
    file = photo.stored_file
    details = {"indicator": photo.indicator.code, "sha256": file.sha256}
    _record("INSPECTION_PHOTO_REMOVED", locked, by, details)
    photo.delete()
    files.discard(file)


@transaction.atomic
def complete(
    inspection: Inspection, *, visited_on: dt.date, minutes: str, statement: str, by: User
) -> Inspection:
    """办结: nothing is written any more. Raises NotAllowed."""
    locked = _lock(inspection, by)
    if not locked.findings.exclude(verdict="").exists():
        raise NotAllowed(gettext("还没有填写任何一项的核查结论。"))
    if visited_on > deadlines.local_day(deadlines.now()):
        raise NotAllowed(gettext("核查日期不能晚于今天。"))
    locked.visited_on, locked.minutes, locked.statement = visited_on, minutes, statement
    locked.state, locked.closed_at = InspectionState.DONE, deadlines.now()
    locked.save()
    _record("INSPECTION_DONE", locked, by, {"on": visited_on.isoformat()})
    number, organization = proposed(locked).count(), locked.self_assessment.organization
    told = f"，建议调整 {number} 项得分，请处理" if number else ""
    notify(
        audiences.leads(organization),
        kind=NotificationKind.TURN if number else NotificationKind.INFO,
        text=f"“{organization}”的现场核查已办结{told}。",
        link=locked.get_absolute_url(),
        by=by,
    )
    return locked


@transaction.atomic
def cancel(inspection: Inspection, reason: str, by: User) -> None:
    """What was written and photographed stays on record. Who was to go is told, and the union if
    it knew of the visit. Raises NotAllowed."""
    locked = _lock(inspection, by, lead=True)
    was_announced = locked.state == InspectionState.SCHEDULED and locked.announced
    locked.state, locked.cancel_reason = InspectionState.CANCELLED, reason
    locked.closed_at = deadlines.now()
    locked.save()
    _record("INSPECTION_CANCELLED", locked, by, {"reason": reason})
    assessment = locked.self_assessment
    text = f"“{assessment.organization}”的现场核查已取消。"
    kind = NotificationKind.INFO
    visits = reverse("assessments:inspection_list")
    notify(locked.inspectors.all(), kind=kind, text=text, link=visits, by=by)
    if was_announced:
        union = audiences.writers_of(assessment.organization)
        notify(union, kind=kind, text=text, link=assessment.get_absolute_url(), by=by)


# --- What comes of it -----------------------------------------------------------------------------------


def proposed(inspection: Inspection) -> QuerySet[InspectionFinding]:
    """Scores that the lead has not made count yet."""
    return inspection.findings.proposing().filter(applied_at=None)


def changed_since(inspection: Inspection, assessment: SelfAssessment) -> set[str]:
    """Codes of the indicators that the union has handed in otherwise since they were looked at:
    what was found there says nothing of what stands now. A query where it has handed in again."""
    if inspection.revision == assessment.revision:
        return set()
    numbers = (inspection.revision, assessment.revision)
    revisions = assessment.revisions.filter(number__in=numbers)
    contents = dict(revisions.values_list("number", "content"))
    before, now = (contents[number] for number in numbers)
    return {code for code, content in now.items() if before.get(code) != content}


@transaction.atomic
def apply_scores(inspection: Inspection, by: User) -> int:
    """Make the proposed scores count in place of what the reviewers come to, but for indicators
    that have changed since they were looked at; how many. Raises NotAllowed: not done yet, not
    reviewed yet (they wait), or nothing (any more) to make count."""
    assessment = _lock_assessment(inspection.self_assessment, by)
    locked = Inspection.objects.select_for_update().get(pk=inspection.pk)
    if locked.state != InspectionState.DONE:
        raise NotAllowed(gettext("核查还没有办结。"))
    if assessment.state != State.REVIEWED:
        raise NotAllowed(
            gettext("该申报目前是“{state}”；评审完毕、作出评定之前才能调整得分。").format(
                state=assessment.get_state_display()
            )
        )
    outdated = changed_since(locked, assessment)
    found = list(proposed(locked).select_related("indicator"))
    waiting = [one for one in found if one.indicator.code not in outdated]
    if found and not waiting:
        raise NotAllowed(
            gettext(
                "核查的是第 {revision} 次提交，这些指标申报工会重新提交时改过，不能按原来的核查调整得分。"
            ).format(revision=locked.revision)
        )
    if not waiting:
        raise NotAllowed(gettext("没有等待处理的建议得分。"))
    now = deadlines.now()
    for finding in waiting:
        verdicts.adjust(
            assessment,
            finding.indicator,
            finding.rating,
            source=AdjustmentSource.INSPECTION,
            reason=f"现场核查{_verdict(finding)}：{finding.text}",
            by=by,
        )
        finding.applied_at = now
    InspectionFinding.objects.bulk_update(waiting, ["applied_at"])
    standings.refresh(assessment)
    codes = [finding.indicator.code for finding in waiting]
    _record("INSPECTION_APPLIED", locked, by, {"indicators": codes})
    return len(waiting)


def _verdict(finding: InspectionFinding) -> str:
    with in_chinese():
        return finding.get_verdict_display()


def _lock_assessment(assessment: SelfAssessment, by: User) -> SelfAssessment:
    locked = assigning.lock(assessment)
    if not permissions.may_lead(by, locked):
        raise NotAllowed(
            gettext("您不能办理“{organization}”的现场核查（须回避，或不是评审组长）。").format(
                organization=locked.organization
            )
        )
    return locked


def _lock(inspection: Inspection, by: User, *, lead: bool = False) -> Inspection:
    locked = (
        Inspection.objects.select_for_update(of=("self",))
        .select_related("self_assessment__organization")
        .get(pk=inspection.pk)
    )
    allowed = permissions.may_lead(by, locked.self_assessment) if lead else may_write(by, locked)
    if not allowed:
        raise NotAllowed(gettext("您不能办理这次现场核查（须回避，或不是核查人员）。"))
    if not locked.is_open:
        raise NotAllowed(
            gettext("这次现场核查{state}，不能再改。").format(state=locked.get_state_display())
        )
    return locked


def _record(action: str, inspection: Inspection, by: User, details: dict[str, object]) -> None:
    assessment = inspection.self_assessment
    record(
        action=action,
        by=by,
        subject=assessment,
        details=answering.capacity(by, assessment) | details,
    )
