"""Who gives titles, looks at them again, and recommends unions to the province."""

from __future__ import annotations

from assessments.models import Recognition
from assessments.permissions.reviewing import has_conflict, may_lead
from organizations.models import User


def may_recheck(user: User, recognition: Recognition) -> bool:
    """复查, and the loss of a title: 评审组长 and the city's 管理员; not of a union they belong to."""
    return may_lead(user) and not has_conflict(user, recognition.organization)
