"""申报档案: one zip with a folder for each union, holding the form as PDF and its evidence.

It is made while it is sent: at no time is more than a piece of a file in memory, and nothing is
on disk. Zip64 throughout, so that there is no limit to its size.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from django.db.models import F, Prefetch, QuerySet
from django.utils import timezone

from assessments import files, paper, printing, rollups
from assessments.exports import form
from assessments.exports.scope import county_of
from assessments.models import Revision, RevisionEvidence, SealedScan, SelfAssessment

MEDIA_TYPE = "application/zip"
NOTES = "说明.txt"
#: Unions whose rows are read at a time.
_PORTION = 20
_PIECE = 256 * 1024
#: Longest name of a folder or a file, in characters: paths stay within what Windows takes.
_LONGEST = 60
#: What Windows forbids in names, and takes for devices.
_FORBIDDEN = str.maketrans(dict.fromkeys('\\/:*?"<>|', "_"))
_DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{port}{n}" for port in ("com", "lpt") for n in range(10)
}


class _Outlet(io.RawIOBase):
    """A stream to write to that is emptied again and again; nothing can be sought in it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class Names:
    """Names within one folder: safe on any system, and each only once, whatever the case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def fresh(self, name: str) -> str:
        """The name as it may be used here."""
        stem, dot, ending = safe_name(name).rpartition(".")
        if not stem or len(ending) > 8:
            stem, dot, ending = safe_name(name), "", ""
        stem = stem[: _LONGEST - len(dot + ending)].rstrip(" .")
        found, number = f"{stem}{dot}{ending}", 1
        while found.casefold() in self._taken:
            number += 1
            found = f"{stem}（{number}）{dot}{ending}"
        self._taken.add(found.casefold())
        return found


def safe_name(name: str) -> str:
    """One step of a path: composed, without what steers text or paths, never empty."""
    composed = unicodedata.normalize("NFC", name)
    # C: control characters, marks of direction, what is unassigned; Z but for the space: lines.
    kept = "".join(
        sign
        for sign in composed
        if sign == " " or unicodedata.category(sign)[0] not in "CZ" or sign == "\u3000"
    )
    cleaned = kept.translate(_FORBIDDEN).strip(" .\u3000") or "未命名"
    return f"_{cleaned}" if cleaned.split(".")[0].casefold() in _DEVICES else cleaned


def stream(
    visible: Callable[[], QuerySet[SelfAssessment]],
    *,
    link: Callable[[Revision], str],
    title: str,
) -> Iterator[bytes]:
    """The zip, piece by piece, of what self-assessments last handed in.

    `visible` is asked before each portion which of them the user may see *now*. `link` is where the
    QR code of a form leads. What could not be put in stands in NOTES, and the rest goes on.
    """
    return packed(_entries(visible, link, title))


def packed(entries: Iterable[tuple[str, BinaryIO]]) -> Iterator[bytes]:
    """A zip of these files, each with its path, piece by piece."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path, source in entries:
            with source:
                yield from _add(archive, outlet, path, source)
    yield outlet.take()


def _entries(
    visible: Callable[[], QuerySet[SelfAssessment]], link: Callable[[Revision], str], title: str
) -> Iterator[tuple[str, BinaryIO]]:
    names, folders = rollups.county_names(), dict[str, Names]()
    expected, unions = visible().count(), 0
    notes = [title, f"生成时间：{timezone.localtime():%Y-%m-%d %H:%M}"]
    for one in _each(visible):
        unions += 1
        top = Names().fresh(county_of(names, one.place))
        folder = f"{top}/{folders.setdefault(top, Names()).fresh(one.organization.name)}"
        yield from _contents(one, link, folder, notes)
    notes.append(f"应有 {expected} 个工会，放入 {unions} 个。")
    if unions != expected:
        notes.append("生成期间有工会撤回、被移出范围，或导出人的权限有变化。")
    yield NOTES, io.BytesIO("\r\n".join(notes).encode("utf-8-sig"))


def _each(visible: Callable[[], QuerySet[SelfAssessment]]) -> Iterator[SelfAssessment]:
    """In the order of their keys; each portion is read by itself, so nothing stays open meanwhile."""
    evidence = RevisionEvidence.objects.select_related(
        "indicator", "evidence__stored_file"
    ).order_by("indicator__code", "evidence")
    revisions = Revision.objects.prefetch_related(
        Prefetch("evidence", evidence),
        Prefetch("scans", SealedScan.objects.select_related("evidence__stored_file")),
    ).filter(number=F("self_assessment__revision"))
    last = 0
    while portion := list(
        visible()
        .filter(revision__gte=1, pk__gt=last)
        .select_related("organization", "campaign")
        .prefetch_related(Prefetch("revisions", revisions))
        .order_by("pk")[:_PORTION]
    ):
        last = portion[-1].pk
        yield from portion


def _contents(
    assessment: SelfAssessment, link: Callable[[Revision], str], folder: str, notes: list[str]
) -> Iterator[tuple[str, BinaryIO]]:
    """The form, the sealed scans and the evidence of the last revision, each with its path; what
    cannot be had is noted."""
    names = Names()
    revision = assessment.revisions.all()[0]
    name = names.fresh("申报表.pdf")
    try:
        content = form.pdf(paper.of_revision(revision, assessment), link(revision))
    except printing.PrintingUnavailable as error:
        notes.append(f"{folder}/{name}：没有放入。{error}")
    except Exception as error:
        files.log.exception("form of revision %s", revision.pk)
        notes.append(f"{folder}/{name}：没有放入，生成 PDF 时出错（{type(error).__name__}）。")
    else:
        yield f"{folder}/{name}", io.BytesIO(content)
    found = [("签字盖章扫描件_", scan.evidence) for scan in revision.scans.all()]
    found += [(f"{one.indicator.code}_", one.evidence) for one in revision.evidence.all()]
    for prefix, evidence in found:
        path = f"{folder}/{names.fresh(prefix + evidence.name)}"
        if evidence.stored_file.is_quarantined:
            notes.append(f"{path}：没有放入，文件未通过病毒检查。")
            continue
        try:
            source = evidence.stored_file.file.open("rb")
        except files.STORAGE_ERRORS:
            notes.append(f"{path}：没有放入，存储中缺少这个文件。")
        else:
            yield path, source


def _add(archive: zipfile.ZipFile, outlet: _Outlet, path: str, source: BinaryIO) -> Iterator[bytes]:
    """One entry, stored as it is: pictures and PDFs do not get smaller."""
    entry = zipfile.ZipInfo(path, timezone.localtime().timetuple()[:6])
    with archive.open(entry, "w", force_zip64=True) as target:
        while piece := source.read(_PIECE):
            target.write(piece)
            yield outlet.take()
    yield outlet.take()
