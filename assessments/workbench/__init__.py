"""我的工作台: what waits for this user, by when, and where the button goes."""

from __future__ import annotations

import datetime as dt

from assessments.models import Campaign
from assessments.workbench import cases, city, own, planning, reading, superior
from assessments.workbench.task import Task
from organizations.models import User

__all__ = ["Task", "tasks"]

_FINDERS = (
    own.own_unions,
    planning.own_plans,
    superior.proxies,
    superior.endorsements,
    city.unendorsed,
    city.reviews,
    city.leading,
    planning.plans_to_handle,
    city.inspections,
    city.extension_requests,
    city.publicity,
    city.appeals,
)


def tasks(user: User, campaign: Campaign | None, at: dt.datetime) -> list[Task]:
    """Everything that waits for the user in the campaign, the most urgent first, and what there is
    to read."""
    found = reading.unread_notices(user) + cases.waiting_cases(user)
    if campaign is not None:
        found += [task for find in _FINDERS for task in find(user, campaign, at)]
    return sorted(found, key=lambda task: (not task.is_open, task.due or dt.date.max))
