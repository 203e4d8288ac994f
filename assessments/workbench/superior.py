"""What waits for the people of a union that has others below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Exists, OuterRef, Window
from django.urls import reverse
from django.utils.translation import gettext

from assessments import deadlines, endorsing, permissions
from assessments.choices import (
    EDITABLE_STATES,
)
from assessments.models import (
    Campaign,
    ProxyFilling,
    SelfAssessment,
)
from assessments.oversight import Lag, Stage
from assessments.workbench.counting import Counted
from assessments.workbench.task import Task
from organizations.choices import Role, Tier
from organizations.models import User


def proxies(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """代填: what the user's unions fill in for others and is not handed in yet."""
    fills_in_for_others = permissions.may_fill_in_for(user)
    if not fills_in_for_others:
        return []
    open_ones = ProxyFilling.objects.filter(
        self_assessment=OuterRef("pk"), organization__in=fills_in_for_others, ended_at=None
    )
    first = (
        SelfAssessment.objects.filter(
            Exists(open_ones), campaign=campaign, state__in=EDITABLE_STATES
        )
        .select_related("organization")
        .annotate(waiting=Window(Count("pk")))
        .order_by("place")
        .first()
    )
    if first is None:
        return []
    one = first.waiting == 1
    due = campaign.submission_deadline
    return [
        Task(
            title=gettext("代填"),
            text=gettext("正在为“{organization}”代填，还没有提交。").format(
                organization=first.organization
            )
            if one
            else gettext("正在为 {waiting} 个下级工会代填，还没有提交。").format(
                waiting=first.waiting
            ),
            url=first.get_absolute_url()
            if one
            else f"{reverse('assessments:oversight')}?lag={Lag.PROXIED}",
            button=gettext("继续代填"),
            due=due,
            days_left=deadlines.days_left(due, at),
        )
    ]


def endorsements(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    has_others_below = any(
        one.role == Role.HEAD and one.organization.tier != Tier.GRASSROOTS for one in user.roles
    )
    if has_others_below:
        due = campaign.endorsement_deadline
        over = deadlines.endorsement_is_over(campaign, at)
        yield Counted(
            endorsing.queue(user, campaign),
            lambda waiting: Task(
                title=gettext("初审推荐"),
                text=gettext("{waiting} 份下级工会的申报等待初审。").format(waiting=waiting),
                url=f"{reverse('assessments:oversight')}?state={Stage.TO_ENDORSE}",
                button=gettext("去初审"),
                due=due,
                days_left=deadlines.days_left(due, at) if due else None,
                note=gettext("已逾期，市总工会可直接受理。") if over else "",
            ),
        )
