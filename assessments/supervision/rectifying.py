"""整改: the union says how it was put right, with proof; the team accepts it, or returns it with a new
day. What comes after the day is taken all the same, and marked (逾期). `seen` is the stamp of what the
page showed: who has overtaken whom is said, and nothing is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from assessments import audiences, deadlines, library
from assessments.assigning import NotAllowed
from assessments.models import Rectification, StoredFile, SupervisionFinding
from assessments.supervision import steps
from assessments.supervision.visiting import enter
from organizations.choices import NotificationKind, Role
from organizations.models import User
from organizations.notifications import notify


def stamp(finding: SupervisionFinding) -> str:
    """Tells apart what two people have seen of a finding."""
    return f"{finding.state}-{finding.rectifications.count()}"


def answer(
    finding: SupervisionFinding,
    text: str,
    uploads: Sequence[File],
    by: User,
    *,
    seen: str | None = None,
) -> None:
    """报送整改: all of it or nothing. Raises NotAllowed and files.EvidenceRefused."""

    def keep(stored: Sequence[StoredFile]) -> None:
        locked = _lock(finding, seen)
        made = _rectification(locked, text, by)
        enter(locked, made, stored, uploads)
        hashes = [file.sha256 for file in stored]
        steps.take(steps.RECTIFY, locked, by, _said(locked, text) | {"files": hashes})
        late = "（逾期）" if made.is_late else ""
        notify(
            _checkers(locked),
            kind=NotificationKind.TURN,
            text=f"“{locked.visit.organization}”报送了整改{late}，请验收。",
            link=locked.get_absolute_url(),
            by=by,
        )

    library.store_all(uploads, keep)


@transaction.atomic
def accept(finding: SupervisionFinding, remark: str, by: User, *, seen: str | None = None) -> None:
    """整改到位. What nobody has answered can be accepted too, where the team has seen it put right: the
    remark then says how. Raises NotAllowed."""
    locked = _lock(finding, seen)
    if locked.is_unanswered:
        if not remark:
            raise NotAllowed(gettext("工会没有报送整改，请在验收意见里写明整改情况。"))
        _rectification(locked, remark, by)
    steps.take(steps.ACCEPT, locked, by, _said(locked, remark))
    _reply(locked, remark)
    _tell_union(locked, NotificationKind.RESULT, "整改已验收通过。", by)


@transaction.atomic
def send_back(
    finding: SupervisionFinding,
    remark: str,
    rectify_by: dt.date,
    by: User,
    *,
    seen: str | None = None,
) -> None:
    """退回整改, with what is missing and a new day. Raises NotAllowed."""
    locked = _lock(finding, seen)
    if rectify_by < deadlines.local_day(deadlines.now()):
        raise NotAllowed(gettext("新的整改期限不能早于今天。"))
    locked.rectify_by = rectify_by
    details = _said(locked, remark) | {"on": rectify_by.isoformat()}
    steps.take(steps.RETURN, locked, by, details)
    _reply(locked, remark)
    text = f"整改被退回，请于 {rectify_by:%Y年%m月%d日} 前补充：{remark}"
    _tell_union(locked, NotificationKind.RETURNED, text, by, due=rectify_by)


def _lock(finding: SupervisionFinding, seen: str | None) -> SupervisionFinding:
    locked = (
        SupervisionFinding.objects.select_for_update(of=("self",))
        .select_related("visit__round__organizer", "visit__organization")
        .get(pk=finding.pk, visit__in=SupervisionFinding.objects.handed_over().values("visit"))
    )
    if seen is not None and seen != stamp(locked):
        raise NotAllowed(
            gettext("整改情况刚刚有了变化，目前是“{state}”，请核对后再办理。").format(
                state=locked.get_state_display()
            )
        )
    return locked


def _rectification(finding: SupervisionFinding, text: str, by: User) -> Rectification:
    now = deadlines.now()
    late = deadlines.local_day(now) > finding.rectify_by
    return finding.rectifications.create(text=text, by=by, at=now, is_late=late)


def _reply(finding: SupervisionFinding, remark: str) -> None:
    last = finding.rectifications.order_by("-pk").first()
    last.reply, last.replied_at = remark, deadlines.now()
    last.save(update_fields=["reply", "replied_at"])


def _said(finding: SupervisionFinding, text: str) -> dict[str, object]:
    return {"name": str(finding), "reason": text}


def _checkers(finding: SupervisionFinding) -> QuerySet[User]:
    """The team; where nobody of it is left, 管理员 of the organizer."""
    visit = finding.visit
    team = visit.team.members.filter(is_active=True)
    return team if team.exists() else audiences.holders(visit.round.organizer, {Role.ADMIN})


def _tell_union(
    finding: SupervisionFinding,
    kind: NotificationKind,
    text: str,
    by: User,
    due: dt.date | None = None,
) -> None:
    notify(
        audiences.writers_of(finding.visit.organization),
        kind=kind,
        text=f"“{finding.visit.round}”反馈的“{finding}”：{text}",
        link=finding.get_absolute_url(),
        by=by,
        due=due,
    )
