"""The flags of a submission, as far as a reader may see them, and both sides laid beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F

from assessments import permissions, wordings
from assessments.choices import SimilarityKind
from assessments.models import Evidence, Revision, SelfAssessment, Similarity, Trace
from assessments.similarity.finding import MAX_PAIRS
from organizations.models import User

#: Pairs of one submission that its pages of indicators show.
_MAX_SHOWN = 200
#: Pairs that are listed under one thing at an indicator.
SHOWN = 5


@dataclass(frozen=True)
class Match:
    """A flag, seen from one side."""

    pair: Similarity
    other: Trace
    assessment: SelfAssessment


@dataclass(frozen=True)
class Flag:
    """One thing that a union handed in and others have too; `more` counts those not listed."""

    trace: Trace
    matches: tuple[Match, ...]
    more: int

    @property
    def listed(self) -> tuple[Match, ...]:
        """Those that an indicator lists."""
        return self.matches[:SHOWN]

    @property
    def rest(self) -> int:
        """How many that leaves out."""
        return self.more + len(self.matches) - len(self.listed)

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to look at it."""
        return any(not match.pair.finding for match in self.matches)


def flags_for(
    assessment: SelfAssessment, by: User, *, recounted: bool = True
) -> dict[str, list[Flag]]:
    """What the user may see of the flags of a submission, by code of the indicator: one query, and
    with `recounted` one more where something is shared by many (else they are as many as when it
    was handed in). How many more there are is for the city alone, which sees all unions."""
    found: dict[Trace, list[Match]] = defaultdict(list)
    pairs = Similarity.objects.visible_to(by).of(assessment).with_sides()
    for pair in pairs.order_by("finding", "-degree", "-pk")[:_MAX_SHOWN]:
        own, other = _sides(pair, assessment)
        found[own].append(Match(pair, other, other.self_assessment))
    counts = {}
    if permissions.may_see_names_of_city(by):
        shared = [one for one in found if len(found[one]) >= MAX_PAIRS]
        counts = (
            _counts(assessment, shared) if recounted else {one.exact: one.others for one in shared}
        )
    flags: dict[str, list[Flag]] = defaultdict(list)
    for trace, matches in found.items():
        more = counts.get(trace.exact, 0) - len(matches)
        flag = Flag(trace, tuple(matches), max(0, more))
        for code in trace.codes:
            flags[code].append(flag)
    return dict(flags)


def unlisted(assessment: SelfAssessment, by: User) -> list[Flag]:
    """The things of a submission that more unions have than its page lists, each once."""
    flags = {flag.trace: flag for own in flags_for(assessment, by).values() for flag in own}
    return [flag for flag in flags.values() if flag.more]


def _counts(assessment: SelfAssessment, traces: list[Trace]) -> dict[str, int]:
    """How many traces of others are like these, by digest: those found when they were handed in,
    or those that are equal now, whichever are more. With fewer pairs than are stored for a trace
    there are no more."""
    if not traces:
        return {}
    equal = dict(
        Trace.objects.filter(exact__in={trace.exact for trace in traces})
        .exclude(self_assessment__organization=assessment.organization_id)
        .order_by()
        .values_list("exact")
        .annotate(Count("pk"))
    )
    return {trace.exact: max(trace.others, equal.get(trace.exact, 0)) for trace in traces}


def open_count(assessment: SelfAssessment, by: User) -> int:
    """How many flags of the submission the user may see that nobody has looked at."""
    return Similarity.objects.visible_to(by).of(assessment).filter(finding="").count()


def _sides(pair: Similarity, assessment: SelfAssessment | None) -> tuple[Trace, Trace]:
    """The two traces with their self-assessments, that of `assessment` first."""
    pair.left.self_assessment = pair.left_assessment
    pair.right.self_assessment = pair.right_assessment
    if assessment is not None and pair.right_assessment_id == assessment.pk:
        return pair.right, pair.left
    return pair.left, pair.right


@dataclass(frozen=True)
class Side:
    """One side of a comparison. `is_readable`: whether the reader may have its content now.
    `pieces` are those of the account, each with whether it differs from the other side's."""

    trace: Trace
    is_readable: bool
    pieces: tuple[tuple[bool, str], ...] = ()

    @property
    def assessment(self) -> SelfAssessment:
        return self.trace.self_assessment

    @property
    def files(self) -> tuple[Evidence, ...]:
        """The file, where it is one and may be read."""
        return (self.trace.evidence,) if self.trace.evidence and self.is_readable else ()


@dataclass(frozen=True)
class Comparison:
    """A flag with its two sides, to be laid beside each other."""

    pair: Similarity
    sides: tuple[Side, Side]


def compare(
    pairs: Iterable[Similarity], by: User, assessment: SelfAssessment | None = None
) -> list[Comparison]:
    """The flags (visible to the user, `with_sides`) with the contents of both sides, those of
    `assessment` first: one query. A union that is writing again shows nothing meanwhile."""
    pairs = list(pairs)
    texts = _accounts(pair for pair in pairs if pair.kind == SimilarityKind.TEXT)
    compared = []
    for pair in pairs:
        traces = _sides(pair, assessment)
        readable = [permissions.may_read_content(by, one.self_assessment) for one in traces]
        pieces: tuple[Any, Any] = ((), ())
        if pair.kind == SimilarityKind.TEXT:
            accounts = [texts.get((one.self_assessment_id, one.code), "") for one in traces]
            if all(readable):
                pieces = wordings.differences(*accounts)
            else:
                pieces = ([(False, accounts[0])], [(False, accounts[1])])
        sides = [
            Side(trace, may, tuple(part) if may else ())
            for trace, may, part in zip(traces, readable, pieces, strict=True)
        ]
        compared.append(Comparison(pair, (sides[0], sides[1])))
    return compared


def _accounts(pairs: Iterable[Similarity]) -> dict[tuple[int, str], str]:
    """The accounts as they were handed in, by self-assessment and code."""
    wanted = {
        key
        for pair in pairs
        for key in (
            (pair.left_assessment_id, pair.left.code),
            (pair.right_assessment_id, pair.right.code),
        )
    }
    if not wanted:
        return {}
    contents = dict(
        Revision.objects.filter(
            self_assessment__in={key for key, _ in wanted},
            number=F("self_assessment__revision"),
        ).values_list("self_assessment", "content")
    )
    return {
        (key, code): contents.get(key, {}).get(code, {}).get("account") or ""
        for key, code in wanted
    }
