"""The paper form (申报表): what stands on it, from what was handed in or from a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assessments import revisions, verification, worksheet
from assessments.models import Indicator, Revision, SelfAssessment
from assessments.scoring import rate_percent, rounded, storable


@dataclass(frozen=True)
class PaperLine:
    """One indicator: its clause, what was entered as people read it, and the files."""

    indicator: Indicator
    score: str
    entered: str
    account: str
    files: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class PaperCriterion:
    """One of the six; points as printed."""

    number: int
    title: str
    points: str
    maximum: str
    met: bool
    lines: tuple[PaperLine, ...]


@dataclass(frozen=True)
class Paper:
    """A form to be printed. A draft has no `number`, no `code` and no `digest`."""

    facts: Mapping[str, Any]
    total: str
    criteria: tuple[PaperCriterion, ...]
    number: int | None = None
    submitted_at: dt.datetime | None = None
    code: str = ""
    digest: str = ""
    filled_by_proxy: str = ""
    signatory: str = ""
    opinion: str = ""
    superseded: bool = False

    @property
    def is_draft(self) -> bool:
        return self.number is None

    @property
    def file_name(self) -> str:
        version = "草稿" if self.is_draft else f"第{self.number}次提交"
        return f"{self.facts['union']}_{self.facts['campaign']}申报表_{version}"


def of_revision(revision: Revision, assessment: SelfAssessment) -> Paper:
    """The form of what was handed in: only what was frozen then, and the superior's opinion."""
    endorsement = assessment.endorsements.standing().filter(revision=revision.number).first()
    return Paper(
        facts=revision.facts,
        total=printed(revision.self_total),
        criteria=_criteria(assessment, revision.facts, revision.content),
        number=revision.number,
        submitted_at=revision.submitted_at,
        code=verification.spaced(revision.code),
        digest=revision.digest,
        filled_by_proxy=revision.filled_by_proxy,
        signatory=revision.signatory,
        opinion=endorsement.opinion if endorsement else "",
        superseded=revision.number != assessment.revision,
    )


def of_draft(assessment: SelfAssessment) -> Paper:
    """The form as it would be now, marked as a draft on every page."""
    sections = worksheet.load(assessment)
    result = worksheet.result_of(sections, assessment.campaign)
    facts = revisions.facts_of(assessment, sections, result)
    return Paper(
        facts=facts,
        total=printed(storable(result.total)),
        criteria=_criteria(assessment, facts, revisions.content_of(sections)),
        filled_by_proxy="、".join(revisions.proxies_of(assessment)),
    )


def printed(points: Decimal | str) -> str:
    """Points half up to 0.01, without needless zeros."""
    return f"{rounded(Decimal(points)).normalize():f}"


def _criteria(
    assessment: SelfAssessment, facts: Mapping[str, Any], content: Mapping[str, Any]
) -> tuple[PaperCriterion, ...]:
    lines = {
        criterion.number: tuple(_line(one, content.get(one.code, {})) for one in indicators)
        for criterion, indicators in worksheet.outline(assessment.rubric_id)
    }
    return tuple(
        PaperCriterion(
            number=one["number"],
            title=one["title"],
            points=printed(one["points"]),
            maximum=printed(one["maximum"]),
            met=one["met"],
            lines=lines[one["number"]],
        )
        for one in facts["criteria"]
    )


def _line(indicator: Indicator, content: Mapping[str, Any]) -> PaperLine:
    points = content.get("points")
    score = "未填" if points is None else printed(points)
    return PaperLine(
        indicator=indicator,
        score="不适用" if content.get("not_applicable") else score,
        entered=_entered(indicator, content),
        account=content.get("account", ""),
        files=tuple(content.get("evidence", ())),
    )


def _entered(indicator: Indicator, content: Mapping[str, Any]) -> str:
    """The facts that the points rest on, in one sentence; nothing for a judged indicator."""
    if content.get("not_applicable"):
        return f"不适用，理由：{content['not_applicable_reason']}"
    numerator, denominator = content.get("numerator"), content.get("denominator")
    if denominator:
        rate = rate_percent(numerator or 0, denominator)
        text = (
            f"{indicator.numerator_label} {numerator}，{indicator.denominator_label} {denominator}，"
            f"比率 {printed(rate or 0)}%"
        )
        if content.get("as_of"):
            text += f"（截至 {content['as_of']}）"
        return text + (f"；口径：{content['definition']}" if content.get("definition") else "")
    items = content.get("checked_items")
    if items is not None:
        return f"已有：{'、'.join(items) or '以上都没有'}"
    return ""
