"""公示: periods, and the results that are listed in them. The acts that change the state of a
submission are in `publishing` and `appeals`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext

from assessments import deadlines, permissions, working_days
from assessments.assigning import NotAllowed
from assessments.choices import AppealKind, AppealState
from assessments.models import (
    Appeal,
    Campaign,
    Decision,
    PublicityPeriod,
    PublishedResult,
    SelfAssessment,
)
from assessments.models.publicity import OPEN_APPEAL_STATES
from organizations.audit import record
from organizations.models import User


def open_period(
    campaign: Campaign, by: User, at: dt.datetime, *, title: str = "", days: int | None = None
) -> PublicityPeriod:
    """Begin a period today, inside the caller's transaction. Two at once get numbers one after
    the other."""
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    number = (campaign.periods.aggregate(last=Max("number"))["last"] or 0) + 1
    days, today = days or campaign.publicity_working_days, deadlines.local_day(at)
    period = PublicityPeriod.objects.create(
        campaign=campaign,
        number=number,
        title=title or suggested_title(campaign, number),
        opens_on=today,
        working_days=days,
        closes_on=working_days.last_of(today, days),
        published_by=by,
        published_at=at,
    )
    _record("PUBLICITY_OPENED", period, by, {"days": days})
    return period


def suggested_title(campaign: Campaign, number: int) -> str:
    return f"{campaign.year}年“六好”工会评定结果公示（第{number}批）"


@transaction.atomic
def reschedule(period: PublicityPeriod, closes_on: dt.date, reason: str, by: User) -> None:
    """End a period earlier, or later. One that is over stays over. Raises NotAllowed."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以调整公示期。"))
    locked = PublicityPeriod.objects.select_for_update().get(pk=period.pk)
    now = deadlines.now()
    if locked.is_over(now):
        raise NotAllowed(gettext("公示期已经结束，不能再调整。"))
    if closes_on < deadlines.local_day(now):
        raise NotAllowed(gettext("截止日期不能早于今天。"))
    before, locked.closes_on = locked.closes_on, closes_on
    locked.save(update_fields=["closes_on"])
    details = {"from": before.isoformat(), "reason": reason}
    _record("PUBLICITY_RESCHEDULED", locked, by, details)


def _record(action: str, period: PublicityPeriod, by: User, details: dict[str, object]) -> None:
    until = period.closes_on.isoformat()
    record(action=action, by=by, subject=period, details={"until": until} | details)


def enter(period: PublicityPeriod, assessments: Sequence[SelfAssessment]) -> None:
    """Put the standing decisions on the list."""
    decisions = Decision.objects.filter(self_assessment__in=assessments, superseded_at=None)
    keys = dict(decisions.values_list("self_assessment", "pk"))
    PublishedResult.objects.bulk_create(
        PublishedResult(period=period, self_assessment=one, decision_id=keys[one.pk])
        for one in assessments
    )


def take_off(assessment: SelfAssessment, at: dt.datetime) -> None:
    assessment.published_results.filter(removed_at=None).update(removed_at=at)


def settle(assessment: SelfAssessment, answer: str, by: User, at: dt.datetime) -> None:
    """Everything that is open against the result holds, for one reason."""
    open_ = Appeal.objects.filter(
        result__self_assessment=assessment, result__removed_at=None, state__in=OPEN_APPEAL_STATES
    )
    told = {"answer": answer, "answered_by": by, "answered_at": at}
    open_.filter(kind=AppealKind.COMMENT).update(state=AppealState.ANSWERED, **told)
    open_.update(state=AppealState.ACCEPTED, **told)


def result_of(assessment: SelfAssessment) -> PublishedResult | None:
    """Where the submission is listed now, if anywhere."""
    standing = assessment.published_results.filter(removed_at=None)
    return standing.select_related("period").first()


def period_of(assessment: SelfAssessment) -> PublicityPeriod | None:
    found = result_of(assessment)
    return found.period if found else None
