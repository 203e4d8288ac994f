"""Who files implementation plans (实施方案), and who accepts them. Whose can be seen is
`plans.visible_to`."""

from __future__ import annotations

from assessments.models.plan import PLAN_TIERS
from assessments.permissions.filling import OWN_WRITERS
from assessments.permissions.reviewing import has_conflict, may_lead
from organizations.choices import Role
from organizations.models import Organization, User
from organizations.permissions import has_role


def may_file_plan(user: User, organization: Organization) -> bool:
    """填报员 and 负责人 write, file and withdraw the plan of their own union."""
    return (
        organization.is_active
        and organization.tier in PLAN_TIERS
        and has_role(user, organization, OWN_WRITERS)
    )


def may_handle_plan(user: User, organization: Organization) -> bool:
    """接收, 退回: 评审组长 and the city's 管理员; not of a union they belong to."""
    return may_lead(user) and not has_conflict(user, organization)


def may_read_unfiled_plan(user: User, organization: Organization) -> bool:
    """What is still being written, or mended: the union's own people."""
    return has_role(user, organization, {*OWN_WRITERS, Role.VIEWER})
