"""What was handed in, as it was then: read, set side by side, and put back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import F, Q, Subquery
from django.utils import translation

from assessments import versions, worksheet
from assessments.models import (
    Answer,
    Attachment,
    Criterion,
    Evidence,
    Indicator,
    Revision,
    SelfAssessment,
)
from assessments.scoring import AssessmentResult, Rating, storable
from organizations.models import User


def freeze(
    assessment: SelfAssessment, sections: Sequence[worksheet.Section], result: AssessmentResult
) -> Revision:
    """The next revision, not saved yet: the answers, and what else stands on the paper form."""
    return Revision(
        self_assessment=assessment,
        number=assessment.revision,
        place=assessment.place,
        content=content_of(sections),
        facts=facts_of(assessment, sections, result),
        filled_by_proxy="、".join(proxies_of(assessment)),
        self_total=storable(result.total),
    )


def content_of(sections: Sequence[worksheet.Section]) -> dict[str, Any]:
    """The answers by indicator code, as they would be frozen now."""
    return {line.indicator.code: _frozen(line) for section in sections for line in section.lines}


def facts_of(
    assessment: SelfAssessment, sections: Sequence[worksheet.Section], result: AssessmentResult
) -> dict[str, Any]:
    """Who hands in, and what the six criteria come to."""
    organization = assessment.organization
    with translation.override(settings.LANGUAGE_CODE):
        tier = organization.get_tier_display()
    return {
        "campaign": assessment.campaign.name,
        "union": organization.name,
        "tier": tier,
        "superior": organization.parent.name if organization.parent else "",
        "credit_code": organization.credit_code or "",
        "criteria": [
            {
                "number": criterion.number,
                "title": section.criterion.title,
                "points": str(storable(criterion.points)),
                "maximum": str(storable(criterion.maximum)),
                "met": criterion.met,
            }
            for section, criterion in zip(sections, result.criteria, strict=True)
        ],
    }


def proxies_of(assessment: SelfAssessment) -> list[str]:
    """The names of the unions that have filled in for this one (代填) since it last handed in."""
    last = assessment.revisions.order_by("-number").values("submitted_at")[:1]
    found = assessment.proxies.annotate(last=Subquery(last)).filter(
        Q(ended_at=None) | Q(last=None) | Q(ended_at__gt=F("last"))
    )
    return list(dict.fromkeys(found.values_list("organization__name", flat=True)))


def _frozen(line: worksheet.Line) -> dict[str, Any]:
    answer = line.answer
    return {
        "score": None if answer.score is None else str(answer.score),
        "checked_items": answer.checked_items,
        "numerator": answer.numerator,
        "denominator": answer.denominator,
        "not_applicable": answer.not_applicable,
        "not_applicable_reason": answer.not_applicable_reason,
        "account": answer.account,
        "as_of": answer.as_of.isoformat() if answer.as_of else None,
        "definition": answer.definition,
        "points": None if line.result.points is None else str(line.result.points),
        "evidence": [
            {
                "name": evidence.name,
                "sha256": evidence.stored_file.sha256,
                "description": evidence.description,
                "valid": [day.isoformat() if day else None for day in evidence.period],
            }
            # Whatever their order on the page: moving one up is nothing to be judged anew.
            for evidence in sorted(line.evidence, key=lambda evidence: evidence.pk)
        ],
    }


@dataclass(frozen=True)
class FrozenFile:
    """A file as it was named and described when it was handed in; `evidence` is where it is."""

    name: str
    sha256: str
    description: str
    evidence: Evidence


@dataclass(frozen=True)
class FrozenLine:
    """One indicator of a revision; `points` is None where it did not apply."""

    indicator: Indicator
    content: Mapping[str, Any]
    points: Decimal | None
    files: tuple[FrozenFile, ...]

    @property
    def rating(self) -> Rating:
        return rating_of(self.content)


def rating_of(content: Mapping[str, Any]) -> Rating:
    """What was entered, as the scoring sees it."""
    score, items = content.get("score"), content.get("checked_items")
    return Rating(
        score=None if score is None else Decimal(score),
        checked_items=None if items is None else tuple(items),
        numerator=content.get("numerator"),
        denominator=content.get("denominator"),
        not_applicable=bool(content.get("not_applicable")),
    )


def read(revision: Revision, rubric_pk: int) -> list[tuple[Criterion, list[FrozenLine]]]:
    """The six criteria of a revision: one query."""
    kept = revision.evidence.select_related("evidence__stored_file")
    files = {(one.indicator_id, one.evidence.stored_file.sha256): one.evidence for one in kept}
    return [
        (criterion, [_line(revision, indicator, files) for indicator in indicators])
        for criterion, indicators in worksheet.outline(rubric_pk)
    ]


def _line(
    revision: Revision, indicator: Indicator, files: Mapping[tuple[int, str], Evidence]
) -> FrozenLine:
    content = revision.content.get(indicator.code, {})
    points = content.get("points")
    return FrozenLine(
        indicator=indicator,
        content=content,
        points=None if points is None or content.get("not_applicable") else Decimal(points),
        files=tuple(
            FrozenFile(one["name"], one["sha256"], one["description"], evidence)
            for one in content.get("evidence", [])
            if (evidence := files.get((indicator.pk, one["sha256"])))
        ),
    )


@dataclass(frozen=True)
class Changed:
    """An indicator that two versions answer differently."""

    indicator: Indicator
    differences: list[versions.Difference]


def compare(
    rubric_pk: int, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[tuple[Criterion, list[Changed]]]:
    """What differs between the contents of two revisions, by criterion; criteria in which
    nothing does are left out."""
    found = []
    for criterion, indicators in worksheet.outline(rubric_pk):
        changed = []
        for indicator in indicators:
            code = indicator.code
            differences = versions.differences(
                indicator.rule, before.get(code, {}), after.get(code, {})
            )
            if differences:
                changed.append(Changed(indicator, differences))
        if changed:
            found.append((criterion, changed))
    return found


def restore(assessment: SelfAssessment, revision: Revision, by: User, at: dt.datetime) -> None:
    """Put the answers and their evidence back as they were handed in; what has been typed since
    stays on record as a change. The caller holds the lock of the self-assessment."""
    answers = {answer.indicator_id: answer for answer in assessment.answers.all()}
    written, to_save = [], []
    lines = [line for _, lines in read(revision, assessment.rubric_id) for line in lines]
    for line in lines:
        answer = answers.get(line.indicator.pk)
        if answer is None:
            continue
        before = versions.content_of_answer(answer)
        answer.apply(line.rating)
        for name in ("account", "not_applicable_reason", "definition"):
            setattr(answer, name, line.content.get(name) or "")
        as_of = line.content.get("as_of")
        answer.as_of = dt.date.fromisoformat(as_of) if as_of else None
        answer.carried_over = False
        after = versions.content_of_answer(answer)
        if before != after:
            answer.updated_at, answer.updated_by = at, by
            written.append(versions.Written(line.indicator.pk, before, after))
            to_save.append(answer)
    for answer in to_save:
        answer.save()
    versions.keep(assessment, written, by)
    _restore_files(lines, answers, at)


def _restore_files(
    lines: Sequence[FrozenLine], answers: Mapping[int, Answer], at: dt.datetime
) -> None:
    now_there: dict[int, set[int]] = {answer.pk: set() for answer in answers.values()}
    for attachment in Attachment.objects.filter(answer__in=now_there):
        now_there[attachment.answer_id].add(attachment.evidence_id)
    position = int(at.timestamp() * 1000)
    missing = []
    for line in lines:
        answer = answers.get(line.indicator.pk)
        if answer is None:
            continue
        handed_in = {file.evidence.pk for file in line.files}
        surplus = now_there[answer.pk] - handed_in
        if surplus:
            answer.attachments.filter(evidence__in=surplus).delete()
        missing += [
            Attachment(answer=answer, evidence_id=key, position=position)
            for key in sorted(handed_in - now_there[answer.pk])
        ]
    Attachment.objects.bulk_create(missing)
