"""What waits about implementation plans (实施方案): to file one's own, and for the city to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, permissions, plans
from assessments.choices import CampaignState, PlanState
from assessments.models import Campaign
from assessments.workbench.counting import Counted
from assessments.workbench.task import Task
from organizations.models import User

_TEXTS = {
    plans.NONE: _("还没有开始写实施方案。"),
    PlanState.DRAFT: _("实施方案还没有报送。"),
    PlanState.RETURNED: _("实施方案被退回，请按意见修改后重新报送。"),
}


def own_plans(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """What the user's own unions still have to file."""
    own = [
        one.organization for one in user.roles if permissions.may_file_plan(user, one.organization)
    ]
    if not own or campaign.state != CampaignState.OPEN:
        return []
    left = deadlines.days_left(campaign.plan_deadline, at)
    return [
        Task(
            title=gettext("报送实施方案：{name}").format(name=one.name)
            if len(own) > 1
            else gettext("报送实施方案"),
            text=_TEXTS[one.stage],
            url=reverse("assessments:plan_edit", args=[campaign.year, one.pk]),
            button=gettext("去修改") if one.stage == PlanState.RETURNED else gettext("去填写"),
            due=campaign.plan_deadline,
            days_left=left,
            urged=gettext("{last_urged:%m-%d} 催报过。").format(last_urged=one.last_urged)
            if one.last_urged
            else "",
        )
        for one in plans.rows(user, campaign, at).filter(
            pk__in=[union.pk for union in own], stage__in=_TEXTS
        )
    ]


def plans_to_handle(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    if permissions.may_lead(user):
        yield Counted(
            plans.waiting(user, campaign),
            lambda waiting: Task(
                title=gettext("审核实施方案"),
                text=gettext("{waiting} 份实施方案等待审核。").format(waiting=waiting),
                url=f"{reverse('assessments:plan_list')}?state={PlanState.FILED}",
                button=gettext("去审核"),
            ),
        )
