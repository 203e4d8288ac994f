"""Who publishes notices (通知公告). Who reads them is `Notice.objects.visible_to`."""

from __future__ import annotations

from assessments.models import Notice
from organizations.choices import Role, Tier
from organizations.models import Organization, User
from organizations.permissions import may_administer


def publishes_for(user: User) -> Organization | None:
    """The union in whose name the user writes notices: the city, or the county of which the user
    is 管理员."""
    return next((held.organization for held in user.roles if held.role == Role.ADMIN), None)


def may_keep_notice(user: User, notice: Notice) -> bool:
    """Write, publish and withdraw it, and see who has read it: 管理员 of its publisher. The city's
    may do so with a county's too."""
    return may_administer(user, notice.publisher)


def may_make_public(publisher: Organization) -> bool:
    """Only the city speaks to everybody, and keeps a notice at the top."""
    return publisher.tier == Tier.CITY
