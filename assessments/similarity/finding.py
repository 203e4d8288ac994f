"""Finding what others have handed in alike, at each submission."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from assessments import looks, wordings
from assessments.choices import SimilarityKind, State
from assessments.models import Band, Evidence, SelfAssessment, Similarity, Trace
from organizations.models import Organization

#: Pairs that are stored for one trace when it is handed in; the rest is only counted, so that a
#: file that hundreds share makes no quadratic number of rows.
MAX_PAIRS = 20
#: Traces that one key of the index stands for: enough to find a template's copies by.
MAX_BUCKET = 100
#: Similar traces that are compared closely, those with the most bands in common first.
_MAX_CANDIDATES = 50
#: Keys in one condition: below the number of variables that SQLite takes.
_CHUNK = 10_000


def refresh_later(assessment: SelfAssessment) -> None:
    """Look for what others have handed in alike, once the transaction stands. A failure costs the
    union nothing: it is logged, and `manage.py find_similar` makes up for it."""
    transaction.on_commit(lambda: refresh(assessment.pk), robust=True)


@transaction.atomic
def refresh(key: int, *, thoroughly: bool = False) -> None:
    """Bring the traces of a self-assessment in line with what it handed in the last time, and look
    for the new ones among those of others; with `thoroughly` for all of them. What has not changed
    keeps its flags and what was found of them; what is gone, or was withdrawn, takes them along."""
    assessment = (
        SelfAssessment.objects.select_for_update(of=("self",))
        .select_related("organization", "campaign")
        .filter(pk=key)
        .first()
    )
    if assessment is None:
        return
    if assessment.state == State.DRAFT:  # withdrawn: it is the union's own again
        assessment.traces.all().delete()
        return
    traces, fresh = _reconcile(assessment, _handed_in(assessment))
    _search(assessment, traces if thoroughly else fresh)


def _handed_in(assessment: SelfAssessment) -> list[Trace]:
    """The traces that the latest revision leaves, not stored."""
    revision = assessment.revisions.get(number=assessment.revision)
    unions = [assessment.organization_id, *assessment.organization.ancestor_keys]
    names = list(Organization.objects.filter(pk__in=unions).values_list("name", flat=True))
    found = []
    for code, content in revision.content.items():
        wording = wordings.plain(content.get("account") or "", names)
        if len(wording) >= wordings.MIN_LENGTH:
            exact = hashlib.sha256(f"{code}\n{wording}".encode()).hexdigest()
            found.append(Trace(code=code, codes=[code], wording=wording, exact=exact))
    files: dict[Evidence, list[str]] = defaultdict(list)
    used = revision.evidence.select_related("evidence__stored_file", "indicator")
    for one in used.order_by("indicator__criterion__number", "indicator__position"):
        files[one.evidence].append(one.indicator.code)
    for evidence, codes in files.items():
        stored = evidence.stored_file
        found.append(
            Trace(evidence=evidence, codes=codes, exact=stored.sha256, look=stored.look or "")
        )
    for trace in found:
        trace.self_assessment, trace.revision = assessment, revision.number
    return found


def _reconcile(assessment: SelfAssessment, wanted: list[Trace]) -> tuple[list[Trace], list[Trace]]:
    """Store what is new, drop what is gone. Returns all traces, and those to look for."""
    stored = {(one.evidence_id, one.code, one.exact): one for one in assessment.traces.all()}
    kept, new, looked_at = [], [], []
    for trace in wanted:
        before = stored.pop((trace.evidence_id, trace.code, trace.exact), None)
        if before is None:
            new.append(trace)
            continue
        if before.look != trace.look:
            looked_at.append(before)
        before.look, before.codes, before.revision = trace.look, trace.codes, trace.revision
        kept.append(before)
    if stored:
        Trace.objects.filter(pk__in=[trace.pk for trace in stored.values()]).delete()
    Trace.objects.bulk_update(kept, ["look", "codes", "revision"])
    Trace.objects.bulk_create(new)
    return kept + new, new + looked_at


@dataclass(frozen=True)
class _Hit:
    """A trace of another union that is like one's own."""

    other: Trace
    kind: SimilarityKind
    degree: int


def _search(assessment: SelfAssessment, traces: list[Trace]) -> None:
    hits: dict[Trace, list[_Hit]] = defaultdict(list)
    for trace in traces:
        trace.others = 0
    _find_equal(assessment, traces, hits)
    _find_similar(assessment, traces, hits)
    pairs = []
    for trace, found in hits.items():
        found.sort(key=lambda hit: (-hit.degree, -hit.other.pk))
        pairs += [_pair(assessment, trace, hit) for hit in found[:MAX_PAIRS]]
    Similarity.objects.bulk_create(pairs, ignore_conflicts=True)
    Trace.objects.bulk_update(traces, ["others"])


def _pair(assessment: SelfAssessment, trace: Trace, hit: _Hit) -> Similarity:
    trace.self_assessment = assessment
    left, right = sorted((trace, hit.other), key=lambda one: one.pk)
    campaigns = (assessment.campaign, hit.other.self_assessment.campaign)
    return Similarity(
        campaign=max(campaigns, key=lambda campaign: campaign.year),
        kind=hit.kind,
        left=left,
        right=right,
        left_assessment=left.self_assessment,
        right_assessment=right.self_assessment,
        degree=hit.degree,
    )


def _of_others(assessment: SelfAssessment) -> QuerySet[Trace]:
    return Trace.objects.exclude(
        self_assessment__organization=assessment.organization_id
    ).select_related("self_assessment__campaign")


def _find_equal(
    assessment: SelfAssessment, traces: list[Trace], hits: dict[Trace, list[_Hit]]
) -> None:
    """The latest ones of each; the others are counted."""
    own = {trace.exact: trace for trace in traces}
    found = (
        _of_others(assessment)
        .filter(exact__in=own)
        .annotate(
            rank=Window(RowNumber(), partition_by="exact", order_by=F("pk").desc()),
            count=Window(Count("pk"), partition_by="exact"),
        )
        .filter(rank__lte=MAX_PAIRS)
    )
    for other in found:
        trace = own[other.exact]
        kind = SimilarityKind.FILE if trace.evidence_id else SimilarityKind.TEXT
        hits[trace].append(_Hit(other, kind, 100))
        trace.others = other.count


def _find_similar(
    assessment: SelfAssessment, traces: list[Trace], hits: dict[Trace, list[_Hit]]
) -> None:
    keys = {trace: _keys(trace) for trace in traces}
    buckets: dict[int, list[tuple[int, int]]] = {key: [] for own in keys.values() for key in own}
    for key, other, organization in _in_chunks(
        list(buckets),
        lambda chunk: Band.objects.filter(key__in=chunk).values_list(
            "key", "trace", "trace__self_assessment__organization"
        ),
    ):
        buckets[key].append((other, organization))
    Band.objects.bulk_create(
        (
            Band(trace=trace, key=key)
            for trace, own in keys.items()
            for key in own
            if len(buckets[key]) < MAX_BUCKET
        ),
        ignore_conflicts=True,
    )
    candidates = {}
    for trace, own in keys.items():
        shared = Counter(
            other
            for key in own
            for other, organization in buckets[key]
            if organization != assessment.organization_id
        )
        candidates[trace] = [other for other, _ in shared.most_common(_MAX_CANDIDATES)]
    wanted = {other for found in candidates.values() for other in found}
    others = {
        other.pk: other
        for other in _in_chunks(
            sorted(wanted), lambda chunk: _of_others(assessment).filter(pk__in=chunk)
        )
    }
    for trace, found in candidates.items():
        for other in (others[key] for key in found if key in others):
            degree = _likeness(trace, other)
            if degree:
                kind = SimilarityKind.IMAGE if trace.evidence_id else SimilarityKind.TEXT
                hits[trace].append(_Hit(other, kind, degree))
                trace.others += 1


def _in_chunks(keys: list[int], query: Callable[[list[int]], Iterable[Any]]) -> Iterable[Any]:
    for start in range(0, len(keys), _CHUNK):
        yield from query(keys[start : start + _CHUNK])


def _keys(trace: Trace) -> list[int]:
    """Under which the trace stands in the index: accounts of different indicators never meet."""
    parts: list[str] = []
    if trace.look:
        parts = looks.bands(trace.look)
    elif trace.wording:
        parts = wordings.bands(trace.wording)
    digests = (hashlib.blake2b(f"{trace.code}|{part}".encode(), digest_size=8) for part in parts)
    return [int.from_bytes(digest.digest(), signed=True) for digest in digests]


def _likeness(trace: Trace, other: Trace) -> int:
    """In percent; 0 for what is not alike enough, and for what is equal and found already."""
    if trace.exact == other.exact:
        return 0
    if trace.look and other.look:
        degree = looks.likeness(trace.look, other.look)
        return degree if degree >= settings.SIMILAR_PICTURE_PERCENT else 0
    if trace.code == other.code and trace.wording and other.wording:
        return wordings.likeness(trace.wording, other.wording, settings.SIMILAR_TEXT_PERCENT)
    return 0


def outdated() -> QuerySet[SelfAssessment]:
    """Self-assessments whose last submission has not been looked at, or whose pictures have got
    their looks since. One that leaves no trace is among them each time, and costs little."""
    of_this = Trace.objects.filter(self_assessment=OuterRef("pk"))
    unseen = of_this.filter(look="", evidence__stored_file__look__gt="")
    return SelfAssessment.objects.filter(
        ~Q(state=State.DRAFT) & (~Exists(of_this.filter(revision=OuterRef("revision"))))
        | Q(Exists(unseen))
    )
