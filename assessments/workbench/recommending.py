"""What waits about the recommendation to the province (推荐表彰): a list to confirm, and the packages of
one's own unions."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse

from assessments import packages, permissions
from assessments.models import Campaign, Recommendation, RecommendationList
from assessments.workbench.task import Task
from organizations.models import User


def lists_to_confirm(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """Those that another person has confirmed first, of whatever year."""
    if not permissions.may_lead(user):
        return []
    half = RecommendationList.objects.filter(first_by__isnull=False, second_by=None)
    return [
        Task(
            title="确认推荐名单",
            text=f"{made.first_by} 已确认 {made.campaign.year} 年度推荐名单，等待另一人确认。",
            url=reverse("assessments:recommendation_confirm", args=[made.campaign.year]),
            button="去确认",
        )
        for made in half.exclude(first_by=user).select_related("campaign", "first_by")
    ]


def own_packages(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """What is still missing of the packages of this campaign and the one before."""
    own = [
        one.organization_id
        for one in user.roles
        if permissions.may_keep_evidence(user, one.organization)
    ]
    if not own:
        return []
    lines = packages.with_packages(
        Recommendation.objects.filter(
            self_assessment__organization__in=own,
            listed=True,
            list__second_by__isnull=False,
            list__campaign__year__gte=campaign.year - 1,
        ).select_related("self_assessment__organization")
    )
    return [
        Task(
            title="推荐材料",
            text=f"“{line.self_assessment.organization}”已列入推荐名单，推荐材料还缺 {wanting} 项。",
            url=line.get_absolute_url(),
            button="去准备",
        )
        for line in lines
        if (wanting := packages.missing(line))
    ]
