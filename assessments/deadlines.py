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


def end_of_day(day: dt.date) -> dt.datetime:
    """The last moment of the day in Asia/Shanghai."""
    return dt.datetime.combine(day, dt.time.max, timezone.get_default_timezone())


def is_running(campaign: Campaign, at: dt.datetime) -> bool:
    """Whether the campaign is open and has begun."""
    return campaign.state == CampaignState.OPEN and campaign.opens_on <= local_day(at)


def endorsement_is_over(campaign: Campaign, at: dt.datetime) -> bool:
    """Whether the superiors' time for 初审 is over, so that the city's lead may go on without it:
    from the day after the campaign's day for it. A campaign without such a day waits for them."""
    day = campaign.endorsement_deadline
    return day is not None and local_day(at) > day


def extension_of(assessment: SelfAssessment) -> dt.date | None:
    """The union's own extension in the campaign, if it has one."""
    if hasattr(assessment, "extended_until"):  # SelfAssessmentQuerySet.with_context
        return assessment.extended_until
    return (
        Extension.objects.filter(
            campaign=assessment.campaign_id, organization=assessment.organization_id
        )
        .values_list("until", flat=True)
        .first()
    )


def latest(campaign: Campaign, *others: dt.date | None) -> dt.date:
    """The latest of the campaign's deadline and a union's own dates, where it has any."""
    return max([campaign.submission_deadline, *(date for date in others if date)])


def due_on(assessment: SelfAssessment) -> dt.date:
    """The last day on which the union may hand in: the campaign's, the union's own extension,
    or the day that a return gave it, whichever is latest."""
    corrected = assessment.correction_due if assessment.state == State.RETURNED else None
    return latest(assessment.campaign, extension_of(assessment), corrected)


def is_in_time(assessment: SelfAssessment, at: dt.datetime) -> bool:
    """Whether the union may still write and hand in. What the city has returned can be mended
    after the campaign has closed."""
    campaign = assessment.campaign
    returned = assessment.state == State.RETURNED and not campaign.is_archived
    return (returned or is_running(campaign, at)) and local_day(at) <= due_on(assessment)


def days_left(due: dt.date, at: dt.datetime) -> int:
    """Whole days from today to the due day: 0 on the day itself, negative after it."""
    return (due - local_day(at)).days
