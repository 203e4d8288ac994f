"""What the union handed in the last time, by indicator code: to look at, and to take over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assessments.choices import IndicatorKind
from assessments.entries import Entry
from assessments.models import Revision, SelfAssessment
from assessments.scoring import IndicatorRule, Rating, score_problem


@dataclass(frozen=True)
class PreviousAnswer:
    """One answer as it was frozen at the last submission of an earlier campaign."""

    rating: Rating
    account: str
    not_applicable_reason: str
    definition: str
    points: Decimal | None
    evidence: tuple[str, ...]

    def entry_for(self, rule: IndicatorRule) -> Entry:
        """What of it still fits the indicator: a later version of the rubric may have other
        points, items or a line. The day of the figures is not taken over: it is another one."""
        rating, judged = self.rating, None
        if not rule.is_computed and rating.score is not None:
            judged = None if score_problem(rating.score, rule.max_points) else rating.score
        counts = (None, None)
        if rule.kind == IndicatorKind.RATE:
            counts = rating.numerator, rating.denominator
        items = None
        if rule.kind == IndicatorKind.CHECKLIST and rating.checked_items is not None:
            items = tuple(item for item in rating.checked_items if item in rule.checklist_items)
        applies = not (rule.conditional and rating.not_applicable)
        return Entry(
            Rating(judged, items, *counts, not applies),
            {
                "account": self.account,
                "not_applicable_reason": "" if applies else self.not_applicable_reason,
                "as_of": "",
                "definition": self.definition,
            },
        )


@dataclass(frozen=True)
class LastTime:
    """The union's latest submission in an earlier campaign: the revision's key and number, and the
    key of its self-assessment."""

    year: int
    revision: int
    number: int
    assessment: int
    answers: Mapping[str, PreviousAnswer]


def last_time(assessment: SelfAssessment) -> LastTime | None:
    """None where the union has never handed in before. One query."""
    found = (
        Revision.objects.filter(
            self_assessment__organization=assessment.organization_id,
            self_assessment__campaign__year__lt=assessment.campaign.year,
        )
        .order_by("-self_assessment__campaign__year", "-number")
        .values_list(
            "self_assessment__campaign__year", "pk", "number", "self_assessment", "content"
        )
        .first()
    )
    if found is None:
        return None
    *where, content = found
    return LastTime(*where, {code: _read(frozen) for code, frozen in content.items()})


def _read(frozen: Mapping[str, Any]) -> PreviousAnswer:
    items = frozen["checked_items"]
    return PreviousAnswer(
        rating=Rating(
            score=_decimal(frozen["score"]),
            checked_items=None if items is None else tuple(items),
            numerator=frozen["numerator"],
            denominator=frozen["denominator"],
            not_applicable=frozen["not_applicable"],
        ),
        account=frozen["account"],
        not_applicable_reason=frozen["not_applicable_reason"],
        definition=frozen.get("definition", ""),
        points=_decimal(frozen["points"]),
        evidence=tuple(file["name"] for file in frozen["evidence"]),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
