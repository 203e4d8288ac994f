"""民主测评: the anonymous vote of a union's members, whose counts become a satisfaction rate
(policy, clauses on 满意率)."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext

from assessments import answering, deadlines
from assessments.choices import SurveyMode, Vote
from assessments.entries import Entry
from assessments.models import Answer, Indicator, SelfAssessment, Survey, SurveyPass
from assessments.scoring import Rating, rounded
from organizations.audit import record
from organizations.models import User
from organizations.one_time_codes import digest, random_code

#: With fewer votes the counts would tell what single people answered: they are not shown.
FEWEST_VOTES = 5
_TOKEN_BYTES = 9
_LONGEST_DEFINITION = Answer._meta.get_field("definition").max_length


class SurveyRefused(Exception):
    """What cannot be done with the survey; the message says why, in Chinese."""


@dataclass(frozen=True)
class Result:
    """What a closed survey came to. `turnout` is cast ÷ eligible in percent, exact."""

    counts: tuple[tuple[str, int], ...]
    satisfied: int
    valid: int
    turnout: Decimal


@transaction.atomic
def open_survey(
    assessment: SelfAssessment,
    indicator: Indicator,
    *,
    mode: SurveyMode,
    eligible: int,
    closes_on: dt.date,
    by: User,
) -> Survey:
    """Begin the vote; it ends with the day `closes_on`. Raises NotEditable, SurveyRefused."""
    assessment = answering.lock(assessment, by)
    if not indicator.is_satisfaction or indicator.criterion.rubric_id != assessment.rubric_id:
        raise SurveyRefused(gettext("这个指标不用民主测评。"))
    if assessment.surveys.filter(indicator=indicator).exists():
        raise SurveyRefused(gettext("这个指标已经发起过民主测评。"))
    now = deadlines.now()
    if not deadlines.local_day(now) <= closes_on <= deadlines.due_on(assessment):
        raise SurveyRefused(
            gettext("截止日期应在今天到填报截止日（{due_on:%Y年%m月%d日}）之间。").format(
                due_on=deadlines.due_on(assessment)
            )
        )
    survey = Survey.objects.create(
        self_assessment=assessment,
        indicator=indicator,
        token=secrets.token_urlsafe(_TOKEN_BYTES),
        mode=mode,
        eligible=eligible,
        opened_at=now,
        closes_at=deadlines.end_of_day(closes_on),
        opened_by=by,
    )
    _record("SURVEY_OPENED", survey, by, {"mode": mode, "eligible": eligible})
    return survey


@transaction.atomic
def issue_codes(survey: Survey, *, by: User) -> list[str]:
    """Codes for everybody who has not voted yet, shown this once; unused ones of before are void.
    Raises SurveyRefused."""
    survey = Survey.objects.select_for_update().get(pk=survey.pk)
    if survey.mode != SurveyMode.CODES or not is_open(survey):
        raise SurveyRefused(gettext("测评已经结束，或不使用投票码。"))
    survey.passes.filter(used=False).delete()
    codes = [random_code(groups=2, size=4) for _ in range(survey.eligible - survey.cast)]
    SurveyPass.objects.bulk_create(
        [SurveyPass(survey=survey, digest=_digest(survey, code)) for code in codes],
        batch_size=300,
    )
    _record("SURVEY_CODES_ISSUED", survey, by, {"count": len(codes)})
    return codes


def is_open(survey: Survey) -> bool:
    return survey.closed_at is None and deadlines.now() <= survey.closes_at


@transaction.atomic
def vote(survey: Survey, choice: Vote, *, right: str) -> None:
    """Count one vote. `right` is the typed code, or the phone's own secret. Raises SurveyRefused
    where there is no right (any more), or the survey is over."""
    # The survey before its codes, as where codes are issued: two at once wait, and never for each other.
    counted = Survey.objects.filter(
        pk=survey.pk,
        closed_at=None,
        closes_at__gte=deadlines.now(),
        eligible__gt=F("satisfied") + F("basically") + F("unsatisfied") + F("abstained"),
    ).update(**{choice.value: F(choice.value) + 1})
    if not counted:
        raise SurveyRefused(gettext("测评已经结束，或者投票人数已满，这一票没有计入。"))
    if survey.mode == SurveyMode.CODES:
        marked = survey.passes.filter(digest=_digest(survey, right), used=False).update(used=True)
        if not marked:
            raise SurveyRefused(gettext("投票码不正确，或者已经用过。请核对纸条上的投票码。"))
    else:
        _, is_new = SurveyPass.objects.get_or_create(
            survey=survey, digest=_digest(survey, right), defaults={"used": True}
        )
        if not is_new:
            raise SurveyRefused(gettext("这部手机已经投过票，每部手机只能投一次。"))


@transaction.atomic
def close(survey: Survey, *, by: User) -> None:
    """End the vote before its time. Raises SurveyRefused."""
    survey = Survey.objects.select_for_update().get(pk=survey.pk)
    if not is_open(survey):
        raise SurveyRefused(gettext("测评已经结束。"))
    survey.closed_at = deadlines.now()
    survey.save(update_fields=["closed_at"])
    _record("SURVEY_CLOSED", survey, by, {"cast": survey.cast})


@transaction.atomic
def cancel(survey: Survey, *, by: User) -> None:
    """Take back a survey in which nobody has voted. Raises SurveyRefused."""
    survey = Survey.objects.select_for_update().get(pk=survey.pk)
    if survey.cast:
        raise SurveyRefused(gettext("已经有人投票，不能取消。"))
    _record("SURVEY_CANCELLED", survey, by, {})
    survey.delete()


def result(survey: Survey) -> Result | None:
    """What the vote came to; None while it is open, and where so few voted that the counts would
    tell who answered what."""
    if is_open(survey) or survey.cast < FEWEST_VOTES:
        return None
    counts = tuple((str(choice.label), getattr(survey, choice.value)) for choice in Vote)
    campaign = survey.self_assessment.campaign
    satisfied = survey.satisfied + (survey.basically if campaign.basically_satisfied_counts else 0)
    return Result(counts, satisfied, survey.valid, Decimal(survey.cast * 100) / survey.eligible)


@transaction.atomic
def adopt(survey: Survey, *, by: User) -> None:
    """Enter the result as the indicator's two counts, with the day on which the vote ended and its
    turnout; what the union wrote there itself stays. Raises NotEditable, SurveyRefused."""
    outcome = result(survey)
    if outcome is None or not outcome.valid:
        raise SurveyRefused(
            gettext("测评还没有结束，或者票数不足 {fewest_votes} 票，不能采用。").format(
                fewest_votes=FEWEST_VOTES
            )
        )
    assessment = answering.lock(survey.self_assessment, by)
    allowed = answering.editable_indicators(assessment)
    if allowed is not None and survey.indicator_id not in allowed:
        raise SurveyRefused(gettext("退回修改的范围不包括这个指标。"))
    stored = Answer.objects.filter(
        self_assessment=assessment, indicator=survey.indicator
    ).first() or Answer(self_assessment=assessment, indicator=survey.indicator)
    before = answering.entry_of(stored)
    ended = deadlines.local_day(survey.closed_at or survey.closes_at)
    after = Entry(
        Rating(score=before.rating.score, numerator=outcome.satisfied, denominator=outcome.valid),
        dict(before.texts)
        | {"as_of": ended.isoformat(), "definition": _definition(outcome, survey, before)},
    )
    answering.save(assessment, [answering.Change(survey.indicator, after, before.fingerprint)], by)
    _record("SURVEY_ADOPTED", survey, by, {"rate": [outcome.satisfied, outcome.valid]})


def _definition(outcome: Result, survey: Survey, before: Entry) -> str:
    """The union's own 口径 with the turnout behind it, once, as long as there is room."""
    own = before.texts["definition"]
    turnout = (
        f"民主测评：应参加 {survey.eligible} 人，投票 {survey.cast} 人，"
        f"参与率 {rounded(outcome.turnout).normalize():f}%"
    )
    both = own if turnout in own else "；".join(filter(None, (own, turnout)))
    return both if len(both) <= _LONGEST_DEFINITION else own


def _digest(survey: Survey, right: str) -> str:
    return digest(right, purpose="survey", owner=survey.pk)


def _record(action: str, survey: Survey, by: User, details: dict[str, object]) -> None:
    record(
        action=action,
        by=by,
        subject=survey.self_assessment,
        details={"indicator": survey.indicator.code, **details},
    )
