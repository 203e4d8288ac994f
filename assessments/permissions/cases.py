"""Who writes, forwards and publishes exemplary cases (先进经验). Whose record can be seen is
`cases.visible_to`; what is published, everybody."""

from __future__ import annotations

from assessments.permissions.filling import OWN_WRITERS
from assessments.permissions.reviewing import has_conflict, may_lead
from organizations.choices import ASSESSED_TIERS, Role, Tier
from organizations.models import Organization, User
from organizations.permissions import has_role


def may_write_case(user: User, organization: Organization) -> bool:
    """填报员 and 负责人 write, hand in and withdraw the cases of their own union."""
    return (
        organization.is_active
        and organization.tier in ASSESSED_TIERS
        and has_role(user, organization, OWN_WRITERS)
    )


def _is_directly_under_city(organization: Organization) -> bool:
    return organization.parent is not None and organization.parent.tier == Tier.CITY


def may_submit_case_to_superior(user: User, organization: Organization) -> bool:
    return may_write_case(user, organization) and not _is_directly_under_city(organization)


def may_submit_case_to_city(user: User, organization: Organization) -> bool:
    """Where nobody stands in between."""
    return may_write_case(user, organization) and _is_directly_under_city(organization)


def forwards_cases_for(user: User) -> list[Organization]:
    """The unions below the city as whose 负责人 the user forwards what stands below them."""
    return [
        one.organization
        for one in user.roles
        if one.role == Role.HEAD and one.organization.tier not in (Tier.CITY, Tier.GRASSROOTS)
    ]


def may_forward_case(user: User, organization: Organization) -> bool:
    """转报, 退回: the head of any union between this one and the city, so that a 乡镇 without an account
    holds nothing up."""
    return any(one.is_above(organization) for one in forwards_cases_for(user))


def may_handle_case(user: User, organization: Organization) -> bool:
    """Editing and publishing: 评审组长 and the city's 管理员; not of a union they belong to."""
    return may_lead(user) and not has_conflict(user, organization)
