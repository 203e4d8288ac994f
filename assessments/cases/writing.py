"""Writing a case, its photos, and the city's edition of it."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext

from assessments import files, kinds, library, permissions, rich_text, thumbnails
from assessments.assigning import NotAllowed
from assessments.choices import CaseState
from assessments.models import CasePhoto, Criterion, ExemplaryCase, StoredFile
from assessments.models.case import WRITABLE
from organizations.audit import record
from organizations.choices import Act
from organizations.models import User

MAX_PHOTOS = 9
#: Pixels of the longer side of a photo that is kept.
_SIDE = 1600
#: States in which the city edits.
EDITABLE = (CaseState.FORWARDED, CaseState.PUBLISHED)


class Stale(NotAllowed):
    """Somebody else has changed the case since the page was shown."""


@dataclass(frozen=True)
class Content:
    """What a union writes."""

    title: str
    body: str
    criterion: Criterion
    year: int


@transaction.atomic
def save(case: ExemplaryCase, content: Content, *, by: User, seen: int) -> ExemplaryCase:
    """Keep what the union wrote; a case without a key is a new one. `seen` is the stamp that the page
    showed. Raises NotAllowed, Stale."""
    kept = lock(case.pk, seen) if case.pk else case
    if not permissions.may_write_case(by, kept.organization):
        raise NotAllowed(gettext("只有本单位的填报员和负责人可以填写。"))
    _refuse_unless(kept, WRITABLE)
    kept.title, kept.body = content.title, rich_text.sanitised(content.body)
    kept.criterion, kept.year = content.criterion, content.year
    kept.stamp += 1
    kept.save()
    return kept


@transaction.atomic
def edit(case: ExemplaryCase, title: str, body: str, *, by: User, seen: int) -> ExemplaryCase:
    """Keep the city's edition; what the union wrote stays as it is. Raises NotAllowed, Stale."""
    kept = lock(case.pk, seen)
    _refuse_unless_editor(kept, by)
    kept.edited_title, kept.edited_body = title, rich_text.sanitised(body)
    kept.stamp += 1
    kept.save()
    record(
        action=Act.CASE_EDITED,
        by=by,
        subject=kept,
        details={"title": kept.edited_title, "body": kept.edited_body},
    )
    return kept


def add_photo(case: ExemplaryCase, upload: File, by: User) -> CasePhoto:
    """Keep a photo, made anew (twice is once). Raises NotAllowed, files.EvidenceRefused."""

    def keep(file: StoredFile) -> CasePhoto:
        kept = _lock_for_writer(case, by)
        if kept.photos.count() >= MAX_PHOTOS:
            raise files.EvidenceRefused(
                gettext("最多 {most} 张照片，“{name}”没有上传。").format(
                    most=MAX_PHOTOS, name=upload.name
                )
            )
        return kept.photos.get_or_create(stored_file=file)[0]

    return library.store(_made_anew(upload), keep)


def _made_anew(upload: File) -> File:
    """The picture without anything that is not in its pixels. Raises files.EvidenceRefused."""
    name = upload.name or ""
    files.refuse_size(name, upload.size)
    try:
        media_type = kinds.media_type_of(upload.file)
    except kinds.NotAccepted as error:
        raise files.EvidenceRefused(
            gettext("“{name}”没有上传：{why}。").format(
                name=name, why=str(error) or gettext("只能上传 JPG、PNG、WebP 照片")
            )
        ) from error
    if not media_type.startswith("image/"):
        raise files.EvidenceRefused(
            gettext("“{name}”不是照片，没有上传。只能上传 JPG、PNG、WebP 照片。").format(name=name)
        )
    content = thumbnails.make(upload.file, media_type, _SIDE)
    if content is None:
        raise files.EvidenceRefused(
            gettext("“{name}”读不出来或尺寸太大，没有上传。请另存为 JPG 后再传。").format(name=name)
        )
    return File(io.BytesIO(content), name=name)


@transaction.atomic
def remove_photos(case: ExemplaryCase, chosen: Collection[CasePhoto], by: User) -> None:
    """Raises NotAllowed."""
    for photo in _lock_for_writer(case, by).photos.filter(pk__in=[one.pk for one in chosen]):
        photo.delete()
        files.discard(photo.stored_file)


@transaction.atomic
def arrange_photos(case: ExemplaryCase, hidden: Collection[CasePhoto], by: User) -> None:
    """Leave some photos out of the published page, and show the others. Raises NotAllowed."""
    kept = lock(case.pk)
    _refuse_unless_editor(kept, by)
    keys = [one.pk for one in hidden]
    kept.photos.filter(pk__in=keys).update(is_shown=False)
    kept.photos.exclude(pk__in=keys).update(is_shown=True)


def lock(key: int, seen: int | None = None) -> ExemplaryCase:
    """The row as it is now. Raises Stale."""
    locked = (
        ExemplaryCase.objects.select_for_update(of=("self",))
        .select_related("organization__parent", "criterion")
        .get(pk=key)
    )
    if seen is not None and locked.stamp != seen:
        raise Stale(gettext("这篇材料刚刚有了变化，请核对后再办理。"))
    return locked


def _lock_for_writer(case: ExemplaryCase, by: User) -> ExemplaryCase:
    kept = lock(case.pk)
    if not permissions.may_write_case(by, kept.organization):
        raise NotAllowed(gettext("只有本单位的填报员和负责人可以填写。"))
    _refuse_unless(kept, WRITABLE)
    return kept


def _refuse_unless_editor(case: ExemplaryCase, by: User) -> None:
    if not permissions.may_handle_case(by, case.organization):
        raise NotAllowed(gettext("只有市总工会可以编辑。"))
    _refuse_unless(case, EDITABLE)


def _refuse_unless(case: ExemplaryCase, states: Collection[CaseState]) -> None:
    if case.state not in states:
        raise NotAllowed(
            gettext("这篇材料{state}，现在不能修改。").format(state=case.get_state_display())
        )
