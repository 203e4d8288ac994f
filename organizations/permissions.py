"""Predicates on a user and an organization. They read `user.roles`, one query a request."""

from collections.abc import Collection

from organizations.choices import Role, Tier
from organizations.models import Organization, User


def has_role(user: User, organization: Organization, roles: Collection[Role]) -> bool:
    """Whether the user holds one of the roles in this very organization."""
    return any(
        membership.organization_id == organization.pk and membership.role in roles
        for membership in user.roles
    )


def has_role_above(user: User, organization: Organization, roles: Collection[Role]) -> bool:
    """Whether the user holds one of the roles in a union above this organization."""
    return any(
        membership.role in roles and membership.organization.is_above(organization)
        for membership in user.roles
    )


def has_city_role(user: User, roles: Collection[Role]) -> bool:
    """Whether the user holds one of the roles at the city federation."""
    return any(
        membership.organization.tier == Tier.CITY and membership.role in roles
        for membership in user.roles
    )


def is_city_admin(user: User) -> bool:
    """An administrator of the city federation, or the superuser who sets the portal up."""
    return user.is_superuser or has_city_role(user, {Role.ADMIN})
