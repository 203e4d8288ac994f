"""通知公告: the city tells all or some unions, a county those below it, and who has read it shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.core.files import File
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from assessments import deadlines, files, library, permissions, rich_text
from assessments.assigning import NotAllowed
from assessments.choices import NoticeState
from assessments.models import Notice, NoticeAudience, NoticeFile, NoticeRead, StoredFile
from organizations.audit import record
from organizations.choices import Act, NotificationKind, Tier
from organizations.models import Membership, Organization, User
from organizations.models.organization import within
from organizations.notifications import notify

MAX_FILES = 20
_BATCH = 1000


class Stale(NotAllowed):
    """Somebody else has changed the notice since the page was shown."""


@dataclass(frozen=True)
class Content:
    """What an editor writes. `tiers` and `places` say whom it is for; none means all. `announce`
    tells everybody of a correction."""

    title: str
    body: str
    tiers: Collection[Tier] = ()
    places: Collection[Organization] = ()
    is_public: bool = False
    pinned: bool = False
    expires_on: dt.date | None = None
    announce: bool = False


@transaction.atomic
def save(notice: Notice, content: Content, *, by: User, seen: int) -> Notice:
    """Keep what was written: a new notice as a draft; a published one is corrected, and says so.
    Whom it is for is fixed once it is published. `seen` is the version that the page showed.
    Raises NotAllowed, and Stale where somebody else was quicker."""
    kept = _lock(notice, by, seen) if notice.pk else notice
    if not permissions.may_keep_notice(by, kept):
        raise NotAllowed(gettext("只能以自己管理的工会的名义发布。"))
    if kept.is_withdrawn:
        raise NotAllowed(gettext("通知已经撤回，不能再修改。"))
    official = permissions.may_make_public(kept.publisher)
    kept.title, kept.body = content.title, rich_text.sanitised(content.body)
    kept.is_public, kept.pinned = official and content.is_public, official and content.pinned
    kept.expires_on, kept.saved_by = content.expires_on, by
    kept.version += 1
    if kept.is_published:
        kept.corrected_at = deadlines.now()
    kept.save()
    if kept.is_draft:
        _address(kept, content)
    else:
        told = 0
        if content.announce:
            text = f"通知有更正：{kept.title}"
            told = _tell(kept, unions(kept), text, NotificationKind.INFO, by)
        _record(Act.NOTICE_CORRECTED, kept, by, people=told)
    return kept


def _address(notice: Notice, content: Content) -> None:
    places = list(content.places) or [notice.publisher]
    if any(not place.path.startswith(notice.publisher.path) for place in places):
        raise NotAllowed(gettext("只能发给本级和下级工会。"))
    notice.audience.all().delete()
    NoticeAudience.objects.bulk_create(
        NoticeAudience(notice=notice, place=place, tier=tier)
        for place in places
        for tier in (content.tiers or [""])
    )


def attach(notice: Notice, upload: File, by: User) -> NoticeFile:
    """Add a file (twice is once). Raises NotAllowed and files.EvidenceRefused."""

    def keep(file: StoredFile) -> NoticeFile:
        kept = _lock(notice, by)
        if kept.files.count() >= MAX_FILES:
            raise files.EvidenceRefused(
                gettext("最多 {most} 个附件，“{name}”没有上传。").format(
                    most=MAX_FILES, name=upload.name
                )
            )
        name = (upload.name or "附件")[-255:]
        added, is_new = kept.files.get_or_create(stored_file=file, defaults={"name": name})
        if is_new and kept.is_published:
            _record(Act.NOTICE_FILES_CHANGED, kept, by, added=[added.name])
        return added

    return library.store(upload, keep)


@transaction.atomic
def detach(notice: Notice, chosen: Collection[NoticeFile], by: User) -> None:
    """Take files away. Raises NotAllowed."""
    kept = _lock(notice, by)
    gone = list(kept.files.filter(pk__in=[one.pk for one in chosen]))
    for file in gone:
        file.delete()
        files.discard(file.stored_file)
    if gone and kept.is_published:
        _record(Act.NOTICE_FILES_CHANGED, kept, by, removed=[one.name for one in gone])


@transaction.atomic
def publish(notice: Notice, *, by: User, seen: int) -> int:
    """Publish a draft and tell everybody whom it is for; how many that are. Raises NotAllowed."""
    kept = _lock(notice, by, seen)
    if not kept.is_draft:
        raise NotAllowed(gettext("通知已经发布。"))
    kept.state, kept.published_at = NoticeState.PUBLISHED, deadlines.now()
    kept.version += 1
    kept.save()
    told = _tell(kept, unions(kept), f"新通知：{kept.title}", NotificationKind.INFO, by)
    names = list(kept.files.values_list("name", flat=True))
    _record(Act.NOTICE_PUBLISHED, kept, by, people=told, public=kept.is_public, files=names)
    return told


@transaction.atomic
def withdraw(notice: Notice, *, by: User) -> None:
    """Show it to nobody any more; it stays on record. Raises NotAllowed."""
    kept = _lock(notice, by)
    if not kept.is_published:
        raise NotAllowed(gettext("通知没有发布，或者已经撤回。"))
    kept.state = NoticeState.WITHDRAWN
    kept.version += 1
    kept.save()
    _record(Act.NOTICE_WITHDRAWN, kept, by)


def mark_read(notice: Notice, user: User) -> None:
    """The first time counts. Who only looks over the shoulder leaves no receipt."""
    if Notice.objects.unread_by(user).filter(pk=notice.pk).exists():
        NoticeRead.objects.bulk_create(
            [NoticeRead(notice=notice, user=user)], ignore_conflicts=True
        )


def unions(notice: Notice) -> QuerySet[Organization]:
    """Whom it is for."""
    meant = Q(pk__in=[])
    for part in notice.audience.select_related("place"):
        inside = within(part.place.path)
        meant |= inside & Q(tier=part.tier) if part.tier else inside
    return Organization.objects.active().filter(meant)


def unions_with_accounts(notice: Notice) -> QuerySet[Organization]:
    """Those of them where anybody can read it."""
    return unions(notice).filter(Exists(_members()))


def unions_without_receipt(notice: Notice) -> QuerySet[Organization]:
    """Those of them where nobody has opened it, though somebody could."""
    return _with_receipts(notice).filter(has_read=False)


def receipts(notice: Notice) -> dict[str, int]:
    """阅读情况: of the unions with accounts, how many there are (`reachable`), and where nobody has
    opened it (`unread`)."""
    return _with_receipts(notice).aggregate(
        reachable=Count("pk"), unread=Count("pk", filter=Q(has_read=False))
    )


def _with_receipts(notice: Notice) -> QuerySet[Organization]:
    read = NoticeRead.objects.filter(notice=notice, user=OuterRef("user"))
    return unions_with_accounts(notice).annotate(has_read=Exists(_members().filter(Exists(read))))


def _members() -> QuerySet[Membership]:
    return Membership.objects.filter(organization=OuterRef("pk"), user__is_active=True)


@transaction.atomic
def urge(notice: Notice, *, by: User) -> int:
    """催阅: remind the unions where nobody has opened it; how many people that are. Raises
    NotAllowed."""
    kept = _lock(notice, by)
    if not Notice.objects.current().filter(pk=kept.pk).exists():
        raise NotAllowed(gettext("通知没有发布，或者已经撤回、过期，不能催阅。"))
    found = unions_without_receipt(kept)
    told = _tell(kept, found, f"请查阅通知：{kept.title}", NotificationKind.REMINDER, by)
    _record(Act.NOTICE_URGED, kept, by, people=told)
    return told


def _tell(
    notice: Notice, found: QuerySet[Organization], text: str, kind: NotificationKind, by: User
) -> int:
    """One message for all people of the unions."""
    members = Membership.objects.filter(user=OuterRef("pk"), organization__in=found.values("pk"))
    return notify(
        User.objects.filter(Exists(members), is_active=True)
        .only("pk", "is_active")
        .iterator(_BATCH),
        kind=kind,
        text=text,
        link=reverse("assessments:notice", args=[notice.pk]),
        by=by,
    )


def _lock(notice: Notice, by: User, seen: int | None = None) -> Notice:
    locked = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("publisher", "saved_by")
        .get(pk=notice.pk)
    )
    if not permissions.may_keep_notice(by, locked):
        raise NotAllowed(gettext("只有发布单位的管理员可以办理。"))
    if seen is not None and seen != locked.version:
        raise Stale(gettext("{name}刚刚修改了这条通知。").format(name=locked.saved_by))
    return locked


def _record(act: Act, notice: Notice, by: User, **details: object) -> None:
    record(
        action=act,
        by=by,
        subject=notice,
        details={"title": notice.title, "body": notice.body, **details},
    )
