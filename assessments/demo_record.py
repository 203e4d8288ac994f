"""What the unions of the demonstration city handed in, frozen, and the record of what was done with
it: as the workflow would have left them, but written in bulk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from assessments import revisions, worksheet
from assessments.choices import Action, State
from assessments.models import Answer, Indicator, Revision, SelfAssessment
from assessments.scoring import AssessmentResult, IndicatorResult, Rating
from organizations import audit
from organizations.choices import Tier
from organizations.models import User

#: What happens on the way, in this order: where it leads, and who does it.
_STEPS = (
    (Action.SUBMIT, State.SUBMITTED, "head"),
    (Action.ENDORSE, State.ENDORSED, "township"),
    (Action.BEGIN_REVIEW, State.UNDER_REVIEW, "lead"),
    (Action.COMPLETE_REVIEW, State.REVIEWED, "reviewer"),
    (Action.DECIDE, State.DECIDED, "lead"),
    (Action.PUBLISH, State.PUBLISHED, "admin"),
    (Action.FINALISE, State.FINAL, "admin"),
)
_NOTE = "示例数据，批量装入"


def revision(
    row: SelfAssessment,
    ratings: Mapping[Indicator, Rating],
    results: Mapping[Indicator, IndicatorResult],
    result: AssessmentResult,
    by: User,
    at: dt.datetime,
) -> Revision:
    """The first revision, with the answers as they are rated."""
    sections = [
        worksheet.Section(
            criterion,
            tuple(
                worksheet.Line(one, _answer(one, ratings[one]), (), results[one])
                for one in indicators
            ),
        )
        for criterion, indicators in worksheet.outline(row.rubric_id)
    ]
    return Revision(
        self_assessment=row,
        number=1,
        place=row.place,
        content=revisions.content_of(sections),
        facts=revisions.facts_of(row, sections, result),
        self_total=row.self_total,
        submitted_by=by,
        submitted_at=at,
    )


def _answer(indicator: Indicator, rating: Rating) -> Answer:
    answer = Answer(indicator=indicator)
    answer.apply(rating)
    return answer


def record(rows: list[SelfAssessment], people: Mapping[str, User]) -> None:
    """An event for each step that led to where a self-assessment stands. They say that they were
    written in bulk, and when that was. A county's union has no superior that endorses."""
    order = [state for _, state, _ in _STEPS]
    came_from = {row.pk: State.DRAFT for row in rows}
    for action, target, who in _STEPS:
        entries = []
        for row in rows:
            skipped = action == Action.ENDORSE and row.organization.tier == Tier.COUNTY
            if skipped or order.index(State(row.state)) < order.index(target):
                continue
            details = {"note": _NOTE, "from": came_from[row.pk], "to": target}
            entries.append((row, details))
            came_from[row.pk] = target
        audit.record_many(action=action, by=people[who], entries=entries)
