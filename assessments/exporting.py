"""Workbooks that are made in the background (导出): asked for, written, taken up again, thrown away.

A run owns its row as long as its `attempt` is the row's and the row is RUNNING: whoever cancels,
or takes up what seemed dead, changes one of them, and the run stops at its next sign of life. A
file is named by the row only once it is complete.
"""

from __future__ import annotations

import logging
import secrets
import tempfile
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tasks import task

from assessments import deadlines, files, permissions
from assessments.choices import ExportStatus
from assessments.exports import summary
from assessments.exports.scope import Scope
from assessments.models import Campaign, Export
from organizations import audit
from organizations.chinese import in_chinese
from organizations.choices import Act
from organizations.models import Organization, User

#: A run that has been silent for so long is dead. Packing a large workbook takes a minute or two.
SILENCE = timedelta(minutes=10)
#: So often a run is taken up before it is given up.
ATTEMPTS = 3
#: So many of one user's may be waiting or running.
MOST_PENDING = 3
#: Seconds between two signs of life.
_BEAT = 1.0
_BROKEN = _("生成时出错。请重新生成；仍不成功，请联系管理员。")
_INTERRUPTED = _("生成时多次中断。请缩小范围后重新生成，或联系管理员。")
log = logging.getLogger(__name__)


class ExportRefused(Exception):
    """What is asked for cannot be made; the message says why, in the words of the screen."""


class _Lost(Exception):
    """Cancelled, or taken up by another run."""


def scope_of(user: User, chosen: dict[str, Any]) -> Scope:
    """What the settings (year, place: a code or "", sheets, columns) mean today. Raises
    ExportRefused."""
    if not (user.is_active and permissions.may_export(user)):
        raise ExportRefused(gettext("您已没有导出汇总表的权限。"))
    campaign = Campaign.objects.opened().filter(year=chosen["year"]).first()
    if campaign is None:
        raise ExportRefused(gettext("创建活动已不存在或尚未开放。"))
    place = Organization.objects.filter(code=chosen["place"]).first() if chosen["place"] else None
    if chosen["place"] and place is None:
        raise ExportRefused(gettext("所选范围的工会已不存在。"))
    return Scope(
        campaign=campaign,
        place=place,
        sheets=tuple(chosen["sheets"]),
        columns=frozenset(chosen["columns"]),
        prepared_by=str(user),
        on=deadlines.local_day(deadlines.now()),
        hidden=tuple(permissions.hidden_from(user)),
    )


def request(user: User, chosen: dict[str, Any]) -> Export:
    """Ask for a workbook; see `scope_of` for the settings. It stands on record.

    Raises ExportRefused.
    """
    scope = scope_of(user, chosen)
    title = f"{scope.campaign.name}汇总表" + (f"（{scope.where}）" if scope.place else "")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two clicks at once count as two
        if user.exports.pending().count() >= MOST_PENDING:
            raise ExportRefused(
                gettext("您已有 {number} 份正在生成，请等其中一份完成或取消后再试。").format(
                    number=MOST_PENDING
                )
            )
        export = Export.objects.create(
            owner=user, title=title[:120], settings=chosen, beat_at=timezone.now()
        )
        audit.record(
            action=Act.SUMMARY_EXPORTED,
            by=user,
            details={"filter": scope.where, "export": export.pk, **chosen},
        )
    # Outside of the transaction: the worker must find the row.
    build.enqueue(export.pk)
    return export


@task()
@in_chinese()
def build(key: int) -> None:
    """Write the file of an export that waits, in Chinese whoever waits for it; one that does not
    wait (any more) is left alone."""
    export = _claim(key)
    if export is None:
        return
    try:
        _write(export)
    except _Lost:
        log.info("export %s was cancelled or taken over", key)
    except (ExportRefused, files.StorageFull) as error:
        _give_up(export, str(error))
    except Exception:
        log.exception("export %s failed", key)
        _give_up(export, _BROKEN)


def _claim(key: int) -> Export | None:
    now = timezone.now()
    claimed = Export.objects.filter(pk=key, status=ExportStatus.QUEUED).update(
        status=ExportStatus.RUNNING,
        attempt=F("attempt") + 1,
        started_at=now,
        beat_at=now,
        done=0,
    )
    return Export.objects.select_related("owner").get(pk=key) if claimed else None


def _update(export: Export, **changes: Any) -> None:
    """Write to the row as long as this run owns it; raises _Lost."""
    own = Export.objects.filter(pk=export.pk, attempt=export.attempt, status=ExportStatus.RUNNING)
    if not own.update(**changes):
        raise _Lost


def _write(export: Export) -> None:
    scope = scope_of(export.owner, export.settings)
    export.total = summary.size(scope)
    _update(export, total=export.total, hidden=list(scope.hidden))
    with tempfile.TemporaryFile() as target:
        beaten = time.monotonic()
        for rows in summary.write(scope, target):
            export.done = min(export.done + rows, export.total)
            if time.monotonic() - beaten > _BEAT:
                beaten = time.monotonic()
                _update(export, done=export.done, beat_at=timezone.now())
        # Whose right was taken away meanwhile gets no file.
        scope_of(User.objects.get(pk=export.owner_id), export.settings)
        size = target.tell()
        target.seek(0)
        name = f"{files.EXPORT_FOLDER}/{export.pk}-{secrets.token_hex(8)}.xlsx"
        path = files.put(name, File(target))
    now = timezone.now()
    try:
        _update(
            export,
            status=ExportStatus.DONE,
            done=F("total"),
            file=path,
            size=size,
            finished_at=now,
            expires_at=now + timedelta(days=settings.EXPORT_DAYS),
        )
    except BaseException:
        files.remove(path)
        raise


def _give_up(export: Export, reason: str) -> None:
    try:
        _update(
            export,
            status=ExportStatus.FAILED,
            error=reason[:200],
            finished_at=timezone.now(),
        )
    except _Lost:
        log.info("export %s was cancelled or taken over", export.pk)


def take_up() -> int:
    """Start again what a killed worker left behind, or what nobody began; how many that were.
    What was interrupted ATTEMPTS times has failed. May run twice at a time."""
    started = 0
    now = timezone.now()
    for export in Export.objects.pending().filter(beat_at__lt=now - SILENCE):
        same = Export.objects.filter(
            pk=export.pk,
            status=export.status,
            attempt=export.attempt,
            beat_at=export.beat_at,
        )
        if export.status == ExportStatus.RUNNING and export.attempt >= ATTEMPTS:
            same.update(status=ExportStatus.FAILED, error=_INTERRUPTED, finished_at=now)
        elif same.update(status=ExportStatus.QUEUED, beat_at=now):
            build.enqueue(export.pk)
            started += 1
    return started


def cancel(export: Export) -> bool:
    """Stop it, if it is not finished: a run notices within a portion of its rows."""
    return bool(
        Export.objects.pending()
        .filter(pk=export.pk)
        .update(status=ExportStatus.CANCELLED, finished_at=timezone.now())
    )


def discard(export: Export) -> None:
    """Take the row away, and the file that it names. A run that is under way stops."""
    with transaction.atomic():
        locked = Export.objects.select_for_update().filter(pk=export.pk).first()
        if locked is None:
            return
        path = locked.file
        locked.delete()
    if path:
        files.remove(path)


def tidy() -> int:
    """Throw away what has expired, and what came to nothing EXPORT_DAYS ago; how many that were."""
    now = timezone.now()
    settled = Export.objects.exclude(pk__in=Export.objects.pending().values("pk"))
    old = settled.filter(expires_at__lt=now) | settled.filter(
        expires_at=None, finished_at__lt=now - timedelta(days=settings.EXPORT_DAYS)
    )
    expired = list(old)
    for export in expired:
        discard(export)
    return len(expired)
