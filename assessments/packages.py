"""The package of a union that is recommended to the province (推荐材料): an account of its deeds, files,
and its own publicity; what is in it, and what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.files.base import File
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext

from assessments import deadlines, library, permissions, working_days
from assessments.assigning import NotAllowed
from assessments.choices import PackageKind
from assessments.models import (
    Evidence,
    PackageFile,
    Recommendation,
    RecommendationList,
    StoredFile,
)
from assessments.verdicts import digest_of
from organizations.audit import record
from organizations.models import User

#: About 2 000 characters are asked for.
STORY_LENGTHS = (1500, 2500)
#: The union's own 公示 takes so many working days at least.
PUBLICITY_DAYS = 5


@dataclass(frozen=True)
class Piece:
    """One line of the check list. `problem` is empty where it is as it should be."""

    label: str
    problem: str
    evidence: Evidence | None = None


def with_packages(rows: QuerySet[Recommendation]) -> QuerySet[Recommendation]:
    files = PackageFile.objects.select_related("evidence")
    return rows.prefetch_related(Prefetch("package", files))


def pieces(recommendation: Recommendation) -> list[Piece]:
    """The check list, of a row `with_packages`."""
    files = {one.kind: one.evidence for one in recommendation.package.all()}
    found = [
        Piece(gettext("事迹材料（约 2000 字）"), _story_problem(recommendation.story)),
        Piece(
            gettext("本单位公示（不少于 {days} 个工作日）").format(days=PUBLICITY_DAYS),
            _publicity_problem(recommendation),
        ),
    ]
    return found + [
        Piece(str(kind.label), "" if kind in files else gettext("还没有上传"), files.get(kind))
        for kind in PackageKind
    ]


def missing(recommendation: Recommendation) -> int:
    return sum(bool(piece.problem) for piece in pieces(recommendation))


def length_of(story: str) -> int:
    """Characters as they are counted on paper: blanks and line ends are none."""
    return len("".join(story.split()))


def _story_problem(story: str) -> str:
    shortest, longest = STORY_LENGTHS
    length = length_of(story)
    if not length:
        return gettext("还没有填写")
    return (
        ""
        if shortest <= length <= longest
        else gettext("现有 {length} 字，应为 {shortest}–{longest} 字").format(
            length=length, shortest=shortest, longest=longest
        )
    )


def _publicity_problem(recommendation: Recommendation) -> str:
    first, last = recommendation.published_from, recommendation.published_until
    if not first or not last:
        return gettext("还没有填写起止日期")
    days = working_days.between(first, last)
    if days < PUBLICITY_DAYS:
        return gettext("只有 {days} 个工作日").format(days=days)
    return gettext("公示还没有结束") if last >= deadlines.local_day(deadlines.now()) else ""


def stamp(recommendation: Recommendation) -> str:
    """Tells apart what two people have seen of what is typed."""
    period = (recommendation.published_from, recommendation.published_until)
    return digest_of([recommendation.story, *map(str, period)])


@transaction.atomic
def describe(
    recommendation: Recommendation,
    *,
    story: str,
    published_from: dt.date | None,
    published_until: dt.date | None,
    by: User,
    seen: str,
) -> None:
    """Store what is typed. `seen` is the stamp of what the page showed. Raises NotAllowed."""
    locked = _lock(recommendation, by)
    if seen != stamp(locked):
        raise NotAllowed(gettext("别人刚刚改过推荐材料。您填写的内容还在下面，请核对后再保存。"))
    locked.story = story
    locked.published_from, locked.published_until = published_from, published_until
    if stamp(locked) != seen:
        locked.save(update_fields=["story", "published_from", "published_until"])
        _record(locked, by, {"characters": length_of(story)})


def add_files(recommendation: Recommendation, uploads: Mapping[str, File], by: User) -> None:
    """Keep these files, by kind, each in place of the one before. Raises EvidenceRefused and
    NotAllowed."""
    for kind, upload in uploads.items():

        def keep(file: StoredFile, kind: str = kind, upload: File = upload) -> Evidence:
            locked = _lock(recommendation, by)
            union = locked.self_assessment.organization
            evidence = library.enter(union, file, upload.name or "", by)
            locked.package.update_or_create(kind=kind, defaults={"evidence": evidence})
            _record(locked, by, {"kind": kind, "file": evidence.name, "sha256": file.sha256})
            return evidence

        library.store(upload, keep)


def _lock(recommendation: Recommendation, by: User) -> Recommendation:
    # The list first, as everywhere: it may be opened again at this moment.
    RecommendationList.objects.select_for_update().get(pk=recommendation.list_id)
    locked = (
        Recommendation.objects.select_for_update(of=("self",))
        .select_related("list__campaign", "self_assessment__organization")
        .get(pk=recommendation.pk)
    )
    if locked.list.campaign.is_archived:
        raise NotAllowed(gettext("本年度活动已经归档，只能查看。"))
    if not permissions.may_keep_package(by, locked):
        raise NotAllowed(gettext("名单目前没有确认，或者这个工会已不在名单上，不能改推荐材料。"))
    return locked


def _record(recommendation: Recommendation, by: User, details: dict[str, object]) -> None:
    record(action="PACKAGE_CHANGED", by=by, subject=recommendation.self_assessment, details=details)
