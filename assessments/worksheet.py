"""A self-assessment laid out for reading: its criteria, and a line for each indicator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

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
    """One indicator with the union's answer (an unsaved, empty one where nothing is stored)."""

    indicator: Indicator
    answer: Answer
    evidence: tuple[Evidence, ...]
    result: IndicatorResult

    @property
    def is_answered(self) -> bool:
        return is_answered(self.indicator.rule, self.answer.rating)

    @property
    def lacks_evidence(self) -> bool:
        return (
            self.indicator.evidence_required
            and not self.answer.not_applicable
            and all(one.stored_file.infection for one in self.evidence)
        )

    @property
    def missing(self) -> list[str]:
        """What still stands in the way of handing in, in the words of the screen."""
        found = []
        if not self.is_answered:
            found.append("尚未填写")
        if self.answer.not_applicable and not self.answer.not_applicable_reason:
            found.append("选择了“不适用”，还没有写理由")
        if self.lacks_evidence:
            found.append("须附佐证材料")
        return found


@dataclass(frozen=True)
class Section:
    """One of the six criteria with its lines."""

    criterion: Criterion
    lines: tuple[Line, ...]

    @property
    def answered(self) -> int:
        return sum(line.is_answered for line in self.lines)

    @property
    def missing(self) -> list[tuple[Line, str]]:
        return [(line, text) for line in self.lines for text in line.missing]

    @property
    def is_complete(self) -> bool:
        return not self.missing


def load(assessment: SelfAssessment, number: int | None = None) -> list[Section]:
    """The whole self-assessment, or the criterion of that number alone: three queries."""
    indicators = Indicator.objects.filter(criterion__rubric=assessment.rubric_id)
    answers = Answer.objects.filter(self_assessment=assessment)
    if number is not None:
        indicators = indicators.filter(criterion__number=number)
        answers = answers.filter(indicator__criterion__number=number)
    by_indicator = {
        answer.indicator_id: answer
        for answer in answers.select_related("updated_by").prefetch_related(
            Prefetch(
                "attachments",
                Attachment.objects.select_related("evidence__stored_file", "evidence__uploaded_by"),
            )
        )
    }
    sections: dict[Criterion, list[Line]] = {}
    for indicator in indicators.select_related("criterion").order_by(
        "criterion__number", "position"
    ):
        answer = by_indicator.get(indicator.pk)
        attachments: Iterable[Attachment] = answer.attachments.all() if answer else ()
        answer = answer or Answer(self_assessment=assessment, indicator=indicator)
        sections.setdefault(indicator.criterion, []).append(
            Line(
                indicator=indicator,
                answer=answer,
                evidence=tuple(attachment.evidence for attachment in attachments),
                result=score_indicator(
                    indicator.rule, answer.rating, assessment.campaign.thresholds
                ),
            )
        )
    return [Section(criterion, tuple(lines)) for criterion, lines in sections.items()]


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
