"""我的工作台: what waits for this user, by when, and where the button goes."""

from __future__ import annotations

import datetime as dt

from assessments.models import Campaign
from assessments.workbench import cases, city, counting, own, planning, reading, superior
from assessments.workbench.supervision import supervision
from assessments.workbench.task import Task
from organizations.models import User

__all__ = ["Task", "tasks"]

_FINDERS = (
    own.own_unions,
    planning.own_plans,
    superior.proxies,
    city.leading,
    city.inspections,
    city.appeals,
    city.recommendations,
    supervision,
)
#: What these find is counted together.
_COUNTED = (
    superior.endorsements,
    city.unendorsed,
    city.reviews,
    planning.plans_to_handle,
    city.extension_requests,
    city.publicity,
    city.rechecks,
)


def tasks(user: User, campaign: Campaign | None, at: dt.datetime) -> list[Task]:
    """Everything that waits for the user in the campaign, the most urgent first, and what there is
    to read."""
    found, counted = [], [*reading.unread_notices(user), *cases.waiting_cases(user)]
    if campaign is not None:
        found = [task for find in _FINDERS for task in find(user, campaign, at)]
        counted += [one for find in _COUNTED for one in find(user, campaign, at)]
    found += counting.tasks(user, counted)
    return sorted(found, key=lambda task: (not task.is_open, task.due or dt.date.max))
