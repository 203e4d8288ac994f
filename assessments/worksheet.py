"""A self-assessment laid out for reading: its criteria, and a line for each indicator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext

from assessments import advice
from assessments.choices import State
from assessments.models import (
    Answer,
    Attachment,
    Campaign,
    Criterion,
    Evidence,
    Indicator,
    ReturnRemark,
    SelfAssessment,
)
from assessments.scoring import (
    AssessmentResult,
    IndicatorResult,
    is_answered,
    score_assessment,
    score_indicator,
)


@dataclass(frozen=True)
class Line:
    """One indicator with the union's answer (an unsaved, empty one where nothing is stored, which
    all such lines share: to be read only)."""

    indicator: Indicator
    answer: Answer
    evidence: tuple[Evidence, ...]
    result: IndicatorResult

    @cached_property
    def is_answered(self) -> bool:
        return is_answered(self.indicator.rule, self.answer.rating)

    @property
    def lacks_evidence(self) -> bool:
        return (
            self.indicator.evidence_required
            and not self.answer.not_applicable
            and all(one.stored_file.infection for one in self.evidence)
        )

    @cached_property
    def missing(self) -> list[str]:
        """What still stands in the way of handing in, in the words of the screen."""
        found = []
        if not self.is_answered:
            found.append(gettext("尚未填写"))
        if self.answer.not_applicable and not self.answer.not_applicable_reason:
            found.append(gettext("选择了“不适用”，还没有写理由"))
        if self.lacks_evidence:
            found.append(gettext("须附佐证材料"))
        if self.answer.carried_over:
            found.append(gettext("沿用了往年的内容，还没有核对"))
        return found

    @cached_property
    def warnings(self) -> list[str]:
        """What looks doubtful, and does not stand in the way."""
        return advice.warnings(
            self.indicator.rule,
            self.answer.rating,
            self.result.points,
            account=self.answer.account,
            as_of=self.answer.as_of,
            has_evidence=bool(self.evidence),
            evidence_required=self.indicator.evidence_required,
        )


@dataclass(frozen=True)
class Section:
    """One of the six criteria with its lines."""

    criterion: Criterion
    lines: tuple[Line, ...]

    @property
    def answered(self) -> int:
        return sum(line.is_answered for line in self.lines)

    @cached_property
    def missing(self) -> list[tuple[Line, str]]:
        return [(line, text) for line in self.lines for text in line.missing]

    @cached_property
    def warnings(self) -> list[tuple[Line, str]]:
        return [(line, text) for line in self.lines for text in line.warnings]

    @property
    def is_complete(self) -> bool:
        return not self.missing


Outline = tuple[tuple[Criterion, tuple[Indicator, ...]], ...]
_outlines: dict[int, Outline] = {}


def outline(rubric_pk: int) -> Outline:
    """The criteria of a rubric with their indicators, read once a process: a rubric that a
    self-assessment uses is locked and never changes. Not to be written to."""
    return outlines([rubric_pk])[rubric_pk]


def outlines(rubric_pks: Collection[int]) -> dict[int, Outline]:
    """Those of several rubrics, by key: one query for all that have not been read yet."""
    missing = [pk for pk in rubric_pks if pk not in _outlines]
    if missing:
        read: dict[int, dict[Criterion, list[Indicator]]] = {pk: {} for pk in missing}
        indicators = Indicator.objects.filter(criterion__rubric__in=missing)
        for indicator in indicators.select_related("criterion").order_by(
            "criterion__number", "position"
        ):
            criterion = indicator.criterion
            read[criterion.rubric_id].setdefault(criterion, []).append(indicator)
        for pk, criteria in read.items():
            _outlines[pk] = tuple((one, tuple(some)) for one, some in criteria.items())
    return {pk: _outlines[pk] for pk in rubric_pks}


def forget_outlines() -> None:
    """For tests, in which another rubric may get the key of one that is gone."""
    _outlines.clear()


def load(assessment: SelfAssessment, number: int | None = None) -> list[Section]:
    """The whole self-assessment, or the criterion of that number alone: two queries."""
    answers = Answer.objects.filter(self_assessment=assessment)
    if number is not None:
        answers = answers.filter(indicator__criterion__number=number)
    return _sections(assessment, _with_evidence(answers), number)


def load_each(assessments: Iterable[SelfAssessment]) -> dict[int, list[Section]]:
    """Several self-assessments, by key: two queries for all of them."""
    by_key = {assessment.pk: assessment for assessment in assessments}
    answers: dict[int, list[Answer]] = {key: [] for key in by_key}
    for answer in _with_evidence(Answer.objects.filter(self_assessment__in=by_key)):
        answers[answer.self_assessment_id].append(answer)
    return {key: _sections(by_key[key], found) for key, found in answers.items()}


def _with_evidence(answers: QuerySet[Answer]) -> QuerySet[Answer]:
    files = Attachment.objects.select_related("evidence__stored_file", "evidence__uploaded_by")
    return answers.prefetch_related(Prefetch("attachments", files))


def _sections(
    assessment: SelfAssessment, answers: Iterable[Answer], number: int | None = None
) -> list[Section]:
    by_indicator = {answer.indicator_id: answer for answer in answers}
    thresholds = assessment.campaign.thresholds
    blank = Answer(self_assessment=assessment)
    sections = []
    for criterion, indicators in outline(assessment.rubric_id):
        if number not in (None, criterion.number):
            continue
        lines = []
        for indicator in indicators:
            answer = by_indicator.get(indicator.pk)
            attachments: Iterable[Attachment] = answer.attachments.all() if answer else ()
            answer = answer or blank
            result = score_indicator(indicator.rule, answer.rating, thresholds)
            files = tuple(attachment.evidence for attachment in attachments)
            lines.append(Line(indicator, answer, files, result))
        sections.append(Section(criterion, tuple(lines)))
    return sections


def result_of(sections: Sequence[Section], campaign: Campaign) -> AssessmentResult:
    """The self-score: the same rule as the reviewers' and the city's."""
    return score_assessment(
        {section.criterion.number: [line.result for line in section.lines] for section in sections},
        campaign.thresholds,
    )


def open_remarks(assessment: SelfAssessment) -> dict[int, ReturnRemark]:
    """What the latest return asks for, by indicator; empty unless it is RETURNED."""
    if assessment.state != State.RETURNED:
        return {}
    latest = assessment.returns.order_by("-pk").values("pk")[:1]
    return {
        remark.indicator_id: remark for remark in ReturnRemark.objects.filter(of_return__in=latest)
    }
