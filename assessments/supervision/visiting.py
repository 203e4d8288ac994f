"""On site: what a team finds, with photos, and handing it over (反馈) to the union."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext

from assessments import audiences, campaigns, files, library, permissions
from assessments.assigning import NotAllowed
from assessments.choices import RoundState
from assessments.models import (
    Criterion,
    Rectification,
    StoredFile,
    SupervisionFile,
    SupervisionFinding,
    SupervisionVisit,
)
from assessments.supervision import steps
from organizations.choices import NotificationKind
from organizations.models import User
from organizations.notifications import notify

#: Files of one finding, and of one rectification.
MAX_FILES = 20


@dataclass(frozen=True)
class Finding:
    """What is written down."""

    text: str
    criterion: Criterion | None
    severity: str
    rectify_by: dt.date


def save(
    finding: SupervisionFinding, content: Finding, uploads: Sequence[File], *, by: User, seen: int
) -> SupervisionFinding:
    """Keep a finding, new or changed, and add photos: all of it or nothing. `seen` is the version that
    the page showed. Raises NotAllowed, steps.Stale, files.EvidenceRefused."""

    def keep(stored: Sequence[StoredFile]) -> SupervisionFinding:
        visit = _lock(finding.visit, by)
        kept = _finding_of(visit, finding) if finding.pk else SupervisionFinding(visit=visit)
        if kept.version != seen:
            raise steps.Stale(gettext("{name}刚刚修改了这个问题。").format(name=kept.written_by))
        if content.rectify_by < visit.round.starts_on:
            raise NotAllowed(gettext("整改期限不能早于督查开始的日期。"))
        kept.text, kept.criterion = content.text, content.criterion
        kept.severity, kept.rectify_by = content.severity, content.rectify_by
        kept.written_by = by
        kept.version += 1
        kept.save()
        enter(kept, None, stored, uploads)
        return kept

    return library.store_all(uploads, keep)


def enter(
    finding: SupervisionFinding,
    rectification: Rectification | None,
    stored: Sequence[StoredFile],
    uploads: Sequence[File],
) -> None:
    """Enter stored files in the books (twice is once). Raises files.EvidenceRefused for too many."""
    kept = SupervisionFile.objects.filter(finding=finding, rectification=rectification)
    for file, upload in zip(stored, uploads, strict=True):
        name = (upload.name or "照片")[-255:]
        kept.get_or_create(
            stored_file=file,
            defaults={"finding": finding, "rectification": rectification, "name": name},
        )
    if kept.count() > MAX_FILES:
        raise files.EvidenceRefused(
            gettext("最多 {most} 个文件，没有保存。请减少后再传。").format(most=MAX_FILES)
        )


@transaction.atomic
def remove(finding: SupervisionFinding, by: User) -> None:
    """Raises NotAllowed once it is handed over."""
    kept = _finding_of(_lock(finding.visit, by), finding)
    stored = [one.stored_file for one in kept.files.select_related("stored_file")]
    kept.delete()
    for file in stored:
        files.discard(file)


@transaction.atomic
def detach(file: SupervisionFile, by: User) -> None:
    """Take a photo away. Raises NotAllowed once it is handed over."""
    _lock(file.finding.visit, by)
    file.delete()
    files.discard(file.stored_file)


@transaction.atomic
def feed_back(visit: SupervisionVisit, *, visited_on: dt.date, summary: str, by: User) -> None:
    """Hand over what was found: it stays as it is, and the union is told by when to put it right.
    Raises NotAllowed."""
    locked = _lock(visit, by)
    locked.visited_on, locked.summary = visited_on, summary
    found = list(locked.findings.prefetch_related("files__stored_file"))
    steps.take(
        steps.FEED_BACK,
        locked,
        by,
        {
            "on": visited_on.isoformat(),
            "findings": [
                {
                    "text": one.text,
                    "rectify_by": one.rectify_by.isoformat(),
                    "files": [file.stored_file.sha256 for file in one.files.all()],
                }
                for one in found
            ],
        },
    )
    due = min((one.rectify_by for one in found), default=None)
    if found:
        text = f"“{locked.round}”反馈了 {len(found)} 个问题，请于 {due:%Y年%m月%d日} 前整改。"
    else:
        text = f"“{locked.round}”已到你会走访，没有发现问题。"
    notify(
        audiences.writers_of(locked.organization),
        kind=NotificationKind.TURN if found else NotificationKind.INFO,
        text=text,
        link=locked.get_absolute_url(),
        by=by,
        due=due,
    )


def _lock(visit: SupervisionVisit, by: User) -> SupervisionVisit:
    locked = (
        SupervisionVisit.objects.select_for_update(of=("self",))
        .select_related("round__organizer", "round__campaign", "organization")
        .get(pk=visit.pk)
    )
    if not permissions.may_visit(by, locked):
        raise NotAllowed(gettext("只有走访小组的人员可以填写，须回避的除外。"))
    if locked.round.state != RoundState.RUNNING:
        raise NotAllowed(gettext("这轮督查没有开始或者已经结束，不能填写。"))
    if locked.round.campaign.is_archived:
        raise NotAllowed(campaigns.ARCHIVED)
    if locked.state not in steps.FEED_BACK.sources:
        raise NotAllowed(
            gettext("这次走访{state}，不能再改。").format(state=locked.get_state_display())
        )
    return locked


def _finding_of(visit: SupervisionVisit, finding: SupervisionFinding) -> SupervisionFinding:
    found = visit.findings.select_related("written_by").filter(pk=finding.pk).first()
    if found is None:
        raise NotAllowed(gettext("这个问题刚刚已被删除。"))
    return found
