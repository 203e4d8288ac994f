"""The scores of one indicator side by side: the union's, its superior's, the reviewers', the
city's; and what was decided the last time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import permissions
from assessments.choices import DECIDED_STATES, REVIEWED_STATES
from assessments.models import (
    Adjustment,
    DecisionScore,
    Endorsement,
    Indicator,
    Review,
    ReviewScore,
    SelfAssessment,
)
from assessments.models.self_assessment import RatingFields
from assessments.scoring import ZERO, score_indicator
from assessments.worksheet import Line, Section
from organizations.models import User


@dataclass(frozen=True)
class Column:
    """One standing score. `points` is None while there is none; `applies` is False where the
    indicator was found not to apply. `author` and `reason` are for the screen."""

    label: str
    points: Decimal | None = None
    author: str = ""
    reason: str = ""
    applies: bool = True


_SELF, _SUPERIOR, _CITY, _ADJUSTED, _DECIDED = (
    _("自评"),
    _("上级初审"),
    _("市级评审"),
    _("调整"),
    _("认定"),
)


def with_endorsed(rows: QuerySet[SelfAssessment]) -> QuerySet[SelfAssessment]:
    """With the superior's scores (`Endorsement.findings`) as `endorsed`, and whose they are."""
    standing = Endorsement.objects.standing().filter(self_assessment=OuterRef("pk"))
    return rows.annotate(
        endorsed=Subquery(standing.values("findings")[:1]),
        endorsed_by=Subquery(standing.values("organization__name")[:1]),
    )


def standing_scores(
    assessment: SelfAssessment,
    sections: Iterable[Section],
    reader: User,
    own: Mapping[int, ReviewScore] | None = None,
) -> dict[Indicator, list[Column]]:
    """For each indicator its columns, in the same order throughout: 自评, 上级初审, 市级评审 (one
    for each review that the reader may see), 调整 where the city has adjusted anything that the
    reader may see, 认定.

    Reviewers are blind to each other until all are in (see `visible_reviews`). A decision is the
    city's until it is published. The superior's scores come with the row (`with_endorsed`). `own` are the reader's own scores by indicator key, if they have
    been read already. At most three queries; one while a review is open, none with `own`.
    """
    reviews = visible_reviews(assessment, reader)
    scores = _scores_of(reviews, reader, own)
    adjustments = _adjustments(assessment, reader)
    decided = _decided(assessment, reader)
    rows: dict[Indicator, list[Column]] = {}
    for section in sections:
        for line in section.lines:
            key = line.indicator.pk
            columns = [_self_score(assessment, line), _superior_score(assessment, line)]
            columns += [
                _judged(assessment, line, scores[review.pk].get(key), str(review.reviewer))
                for review in reviews
            ] or [Column(_CITY)]
            if adjustments:
                columns.append(_adjusted(assessment, line, adjustments.get(key)))
            columns.append(decided.get(key) or Column(_DECIDED))
            rows[line.indicator] = columns
    return rows


def is_blind(assessment: SelfAssessment, reader: User) -> bool:
    """Whether the reader has it to review, and not all are in."""
    own = any(review.reviewer_id == reader.pk for review in assessment.reviews.all())
    return own and assessment.state not in REVIEWED_STATES


def visible_reviews(assessment: SelfAssessment, reader: User) -> list[Review]:
    """Whose scores the reader may see: a reviewer's own until all are in, then all of them; the
    completed ones for the lead and the city's 管理员, unless they review it themselves."""
    reviews = list(assessment.reviews.all())
    own = [review for review in reviews if review.reviewer_id == reader.pk]
    all_in = assessment.state in REVIEWED_STATES
    if all_in and (own or permissions.may_lead(reader, assessment)):
        return reviews
    if own:
        return own
    if permissions.may_lead(reader, assessment):
        return [review for review in reviews if review.is_complete]
    return []


def _scores_of(
    reviews: list[Review], reader: User, own: Mapping[int, ReviewScore] | None
) -> dict[int, Mapping[int, ReviewScore]]:
    if own is not None and [review.reviewer_id for review in reviews] == [reader.pk]:
        return {reviews[0].pk: own}
    found: dict[int, dict[int, ReviewScore]] = {review.pk: {} for review in reviews}
    if reviews:
        for score in ReviewScore.objects.filter(review__in=reviews):
            found[score.review_id][score.indicator_id] = score
    return dict(found)


def _self_score(assessment: SelfAssessment, line: Line) -> Column:
    answer, result = line.answer, line.result
    reason = answer.not_applicable_reason if answer.not_applicable else answer.account
    return Column(
        _SELF, result.points, assessment.organization.name, reason, applies=result.is_applicable
    )


def _superior_score(assessment: SelfAssessment, line: Line) -> Column:
    found = (getattr(assessment, "endorsed", None) or {}).get(line.indicator.code)
    if found is None:
        return Column(_SUPERIOR)
    points = found["points"]
    return Column(
        _SUPERIOR,
        None if points is None else Decimal(points),
        assessment.endorsed_by,
        found["reason"],
        applies=points is not None,
    )


def _rated(
    label: str, assessment: SelfAssessment, line: Line, rating: RatingFields, author: str, why: str
) -> Column:
    result = score_indicator(line.indicator.rule, rating.rating, assessment.campaign.thresholds)
    return Column(label, result.points, author, why, applies=result.is_applicable)


def _judged(
    assessment: SelfAssessment, line: Line, score: ReviewScore | None, author: str
) -> Column:
    if score is None:
        return Column(_CITY, author=author)
    return _rated(_CITY, assessment, line, score, author, score.remark)


def _adjustments(assessment: SelfAssessment, reader: User) -> dict[int, Adjustment]:
    """What stands, for whoever sees all reviews."""
    reviews = any(review.reviewer_id == reader.pk for review in assessment.reviews.all())
    may = permissions.may_lead(reader, assessment) and not reviews
    if not (may or (reviews and assessment.state in REVIEWED_STATES)):
        return {}
    standing = assessment.adjustments.filter(lapsed_at=None).select_related("author")
    return {adjustment.indicator_id: adjustment for adjustment in standing}


def _adjusted(assessment: SelfAssessment, line: Line, adjustment: Adjustment | None) -> Column:
    if adjustment is None:
        return Column(_ADJUSTED)
    label = gettext("调整（{source}）").format(source=adjustment.get_source_display())
    return _rated(label, assessment, line, adjustment, str(adjustment.author), adjustment.reason)


def _decided(assessment: SelfAssessment, reader: User) -> dict[int, Column]:
    of_city = permissions.may_see_names_of_city(reader)
    if assessment.state not in DECIDED_STATES:
        return {}
    scores = DecisionScore.objects.filter(
        decision__self_assessment=assessment, decision__superseded_at=None
    ).select_related("decision__decided_by")
    return {
        score.indicator_id: Column(
            _DECIDED,
            score.points,
            str(score.decision.decided_by) if of_city else gettext("市总工会"),
            applies=score.maximum > ZERO,
        )
        for score in scores
    }


@dataclass(frozen=True)
class LastVerdict:
    """What was decided for an indicator the last time, and why, without the reviewers' names."""

    year: int
    points: Decimal
    maximum: Decimal
    reasons: tuple[str, ...]

    @property
    def applies(self) -> bool:
        return self.maximum > ZERO


def last_verdicts(assessment: SelfAssessment, number: int) -> dict[str, LastVerdict]:
    """The latest standing decision on the union in an earlier campaign, for the criterion of that
    number, by indicator code. One query. Of more than two reviewers' remarks the first and the
    last are given; a reason of the city's own adjustment comes before them."""
    remarks = (
        ReviewScore.objects.filter(
            review__self_assessment=OuterRef("decision__self_assessment"),
            review__withdrawn_at=None,
            indicator=OuterRef("indicator"),
        )
        .exclude(remark="")
        .values("remark")
    )
    adjusted = Adjustment.objects.filter(
        self_assessment=OuterRef("decision__self_assessment"),
        indicator=OuterRef("indicator"),
        lapsed_at=None,
    ).values("reason")
    rows = (
        DecisionScore.objects.filter(
            decision__superseded_at=None,
            decision__self_assessment__organization=assessment.organization_id,
            decision__self_assessment__state__in=DECIDED_STATES,
            decision__self_assessment__campaign__year__lt=assessment.campaign.year,
            indicator__criterion__number=number,
        )
        .annotate(
            year=F("decision__self_assessment__campaign__year"),
            code=F("indicator__code"),
            adjusted=Subquery(adjusted[:1]),
            first=Subquery(remarks.order_by("review")[:1]),
            last=Subquery(remarks.order_by("-review")[:1]),
        )
        .order_by("year")
    )
    found: dict[str, LastVerdict] = {}
    for row in rows:
        reasons = dict.fromkeys(text for text in (row.adjusted, row.first, row.last) if text)
        found[row.code] = LastVerdict(row.year, row.points, row.maximum, tuple(reasons))
    newest = max((verdict.year for verdict in found.values()), default=0)
    return {code: verdict for code, verdict in found.items() if verdict.year == newest}
