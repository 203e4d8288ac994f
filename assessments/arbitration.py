"""仲裁: where the reviewers are too far apart in one of the six, the lead settles it, with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext

from assessments import answering, assigning, deadlines, permissions, standings, verdicts, worksheet
from assessments.choices import AdjustmentSource, State
from assessments.models import Arbitration, Indicator, Review, ReviewScore, SelfAssessment
from assessments.scoring import IndicatorResult, Rating, score_indicator
from assessments.worksheet import Line, Section
from organizations.audit import record
from organizations.models import User


class NotAllowed(Exception):
    """Cannot be arbitrated now; the message says why, in Chinese."""


@dataclass(frozen=True)
class Opinion:
    """What one reviewer found at one indicator."""

    review: Review
    score: ReviewScore
    result: IndicatorResult


@dataclass(frozen=True)
class Row:
    """One indicator of the criterion: each reviewer's opinion, and what they come to together
    (with what has been adjusted). `spread` is the difference between the highest and the lowest, in
    points."""

    line: Line
    opinions: tuple[Opinion, ...]
    merged: IndicatorResult

    @property
    def indicator(self) -> Indicator:
        return self.line.indicator

    @property
    def spread(self) -> Decimal:
        points = [
            opinion.result.points or Decimal()
            for opinion in self.opinions
            if opinion.result.is_applicable
        ]
        return max(points) - min(points) if points else Decimal()


@dataclass(frozen=True)
class Setting:
    """A score that the lead sets in place of what the reviewers come to."""

    indicator: Indicator
    rating: Rating
    reason: str


def rows(
    assessment: SelfAssessment,
    section: Section,
    verdict: verdicts.Verdict,
    scores: verdicts.Scores,
) -> list[Row]:
    """The criterion as the reviewers have scored it; `scores` are those of the completed reviews."""
    reviews = [review for review in assessment.reviews.all() if review.is_complete]
    merged = {result.code: result for result in verdict.results[section.criterion.number]}
    thresholds = assessment.campaign.thresholds
    found = []
    for line in section.lines:
        opinions = []
        for review in reviews:
            score = scores.get(review.pk, {}).get(line.indicator.pk) or ReviewScore()
            result = score_indicator(line.indicator.rule, score.rating, thresholds)
            opinions.append(Opinion(review, score, result))
        found.append(Row(line, tuple(opinions), merged[line.indicator.code]))
    return found


@transaction.atomic
def arbitrate(
    assessment: SelfAssessment,
    number: int,
    *,
    reason: str,
    settings: Iterable[Setting],
    seen: str,
    by: User,
) -> Arbitration:
    """Settle one criterion: what is set stands in place of what the reviewers come to, the rest
    stays as it is. `seen` is the stamp of what the page showed.

    Raises NotAllowed: the wrong state, a conflict of interest, somebody who has reviewed it
    themselves, nothing to settle (any more), or scores that have changed since.
    """
    locked = assigning.lock(assessment)
    if locked.state != State.REVIEWED:
        raise NotAllowed(
            gettext("该申报目前是“{state}”，不能仲裁。").format(state=locked.get_state_display())
        )
    if not permissions.may_arbitrate(by, locked):
        raise NotAllowed(gettext("您评审过这份申报，或须回避，不能仲裁。"))
    sections = worksheet.load(locked)
    verdict = verdicts.verdict_of(locked, [line for one in sections for line in one.lines])
    if number not in verdict.discrepant:
        raise NotAllowed(gettext("这一项没有分差要仲裁，或已经仲裁过。"))
    if seen != stamp(verdict, number):
        raise NotAllowed(gettext("评分刚刚有了变化，请按新的评分再仲裁。"))
    settings = list(settings)
    for one in settings:
        verdicts.adjust(
            locked,
            one.indicator,
            one.rating,
            source=AdjustmentSource.ARBITRATION,
            reason=one.reason,
            by=by,
        )
    arbitration = Arbitration.objects.create(
        self_assessment=locked,
        revision=locked.revision,
        number=number,
        reason=reason,
        by=by,
        at=deadlines.now(),
    )
    left = verdicts.as_digits(one for one in verdict.discrepant if one != number)
    SelfAssessment.objects.filter(pk=locked.pk).update(discrepant=left)
    standings.refresh(locked)
    record(
        action="ARBITRATE",
        by=by,
        subject=locked,
        details=answering.capacity(by, locked)
        | {
            "criterion": number,
            "reason": reason,
            "indicators": [one.indicator.code for one in settings],
        },
    )
    return arbitration


def stamp(verdict: verdicts.Verdict, number: int) -> str:
    """A digest of the scores that an arbitration rests on."""
    return verdicts.digest_of(verdict.results[number])


def chosen(row: Row, choice: str, own: Rating | None) -> Rating | None:
    """The rating that a choice on the page stands for: a reviewer's (by the key of the review), or
    the lead's own; None where what the reviewers come to together stands."""
    if choice == OWN:
        return own
    ratings: Mapping[str, Rating] = {
        str(opinion.review.pk): opinion.score.rating for opinion in row.opinions
    }
    return ratings.get(choice)


#: Choices besides the reviewers: leave it as it is; set a score of one's own.
AS_IT_IS, OWN = "", "own"
