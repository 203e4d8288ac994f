"""Who may do what to unions and accounts (design, section 3). Predicates on a user and a union or
an account; they read `user.roles`, one query a request. Views, templates (through what views
hand them) and the back office ask here and nowhere else."""

from collections.abc import Collection

from organizations.choices import ROLE_TIERS, Role, Tier
from organizations.models import Membership, Organization, User

#: Roles that a county's administrator may give. The others are given by the city.
COUNTY_GRANTS = (Role.REPORTER, Role.HEAD, Role.VIEWER)


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


def is_admin(user: User) -> bool:
    """An administrator of the city or of a county: opens the pages of unions and accounts."""
    return user.is_superuser or any(membership.role == Role.ADMIN for membership in user.roles)


def may_administer(user: User, organization: Organization) -> bool:
    """管理员 of the union itself or of one above it: its accounts, and new unions below it."""
    return (
        is_city_admin(user)
        or has_role(user, organization, {Role.ADMIN})
        or has_role_above(user, organization, {Role.ADMIN})
    )


def may_reorganize(user: User, organization: Organization) -> bool:
    """管理员 above the union: its name and register, its place in the tree, its dissolution. A
    county's administrator has no hand in the county's own entry; the city's has, in the city's."""
    return is_city_admin(user) or has_role_above(user, organization, {Role.ADMIN})


def may_see_accounts(user: User, organization: Organization) -> bool:
    """Whose accounts a union has is for its administrators."""
    return may_administer(user, organization)


def may_grant(user: User, organization: Organization, role: str) -> bool:
    """Whether the user may give this role in the union, or take it away."""
    tiers = ROLE_TIERS.get(Role(role))
    if tiers is not None and Tier(organization.tier) not in tiers:
        return False
    if is_city_admin(user):
        return True
    return role in COUNTY_GRANTS and may_administer(user, organization)


def may_manage_account(user: User, account: User, memberships: Collection[Membership]) -> bool:
    """Whether the user may issue a password for the account, disable it or hand it over. That
    opens everything the account opens, so every one of its `memberships` (all of them, with their
    organizations) must be one that the user may give; an account without any is the city's."""
    if account.is_superuser:
        return user.is_superuser
    if is_city_admin(user):
        return True
    return bool(memberships) and all(
        may_grant(user, membership.organization, membership.role) for membership in memberships
    )
