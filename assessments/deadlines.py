"""Deadlines: a date means the end of that day in Asia/Shanghai. The domain's only clock."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from assessments.choices import CampaignState, State
from assessments.models import Campaign, Extension, SelfAssessment


def now() -> dt.datetime:
    return timezone.now()


def local_day(moment: dt.datetime) -> dt.date:
    """The day of the moment in Asia/Shanghai."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def is_running(campaign: Campaign, at: dt.datetime) -> bool:
    """Whether the campaign is open and has begun."""
    return campaign.state == CampaignState.OPEN and campaign.opens_on <= local_day(at)


def due_on(assessment: SelfAssessment) -> dt.date:
    """The last day on which the union may hand in: of a returned one the day set with the
    return; otherwise the campaign's, or the union's own extension where it is later."""
    if assessment.state == State.RETURNED and assessment.correction_due:
        return assessment.correction_due
    extended = (
        Extension.objects.filter(
            campaign=assessment.campaign_id, organization=assessment.organization_id
        )
        .values_list("until", flat=True)
        .first()
    )
    deadline = assessment.campaign.submission_deadline
    return max(deadline, extended) if extended else deadline


def is_in_time(assessment: SelfAssessment, at: dt.datetime) -> bool:
    """Whether the union may still write and hand in."""
    return is_running(assessment.campaign, at) and local_day(at) <= due_on(assessment)


def days_left(due: dt.date, at: dt.datetime) -> int:
    """Whole days from today to the due day: 0 on the day itself, negative after it."""
    return (due - local_day(at)).days
