"""Whom an event concerns: the users to tell, each by a fixed number of queries. Nobody is told of
a union of which they may not know: whoever must stand back (回避) is left out."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from assessments.models import Recusal, SelfAssessment
from organizations.choices import Role, Tier
from organizations.models import Membership, Organization, User
from organizations.models.organization import PATH_STEP, within

_WRITERS = (Role.REPORTER, Role.HEAD)


def holders(organization: Organization | None, roles: Collection[Role]) -> QuerySet[User]:
    """Who holds one of the roles in this very union."""
    held = Membership.objects.filter(
        user=OuterRef("pk"),
        organization=organization,
        organization__dissolved_on=None,
        role__in=roles,
    )
    return User.objects.filter(Exists(held), is_active=True)


def heads_of(organization: Organization | None) -> QuerySet[User]:
    """负责人: who signs, and endorses what is below the union."""
    return holders(organization, {Role.HEAD})


def writers_of(organization: Organization) -> QuerySet[User]:
    """填报员 and 负责人 of the union itself."""
    return holders(organization, _WRITERS)


def leads(organization: Organization) -> list[User]:
    """评审组长 without a conflict of interest with the union; where there is none, 管理员."""
    return list(_of_city({Role.LEAD_REVIEWER}, organization)) or list(admins(organization))


def admins(organization: Organization) -> QuerySet[User]:
    """管理员 of the city without a conflict of interest with the union."""
    return _of_city({Role.ADMIN}, organization)


def reviewers_of(assessment: SelfAssessment) -> QuerySet[User]:
    """The reviewers to whom it is assigned, as long as no conflict of interest has arisen."""
    reviewers = _of_city({Role.REVIEWER, Role.LEAD_REVIEWER}, assessment.organization)
    return reviewers.filter(Exists(assessment.reviews.filter(reviewer=OuterRef("pk"))))


def _of_city(roles: Collection[Role], organization: Organization) -> QuerySet[User]:
    held = Membership.objects.filter(
        user=OuterRef("pk"),
        organization__tier=Tier.CITY,
        organization__dissolved_on=None,
        role__in=roles,
    )
    return without_conflict(User.objects.filter(Exists(held), is_active=True), organization)


def without_conflict(users: QuerySet[User], organization: Organization) -> QuerySet[User]:
    """Those of whom `permissions.has_conflict` holds nothing against, asked in one query."""
    path = organization.path or ""
    line = [path[:end] for end in range(PATH_STEP, len(path) + 1, PATH_STEP)]
    belonging = Membership.objects.filter(
        Q(organization__path__in=line) | within(path, "organization__path"),
        user=OuterRef("pk"),
        organization__dissolved_on=None,
    ).exclude(organization__tier=Tier.CITY)
    recused = Recusal.objects.filter(reviewer=OuterRef("pk"), organization__path__in=line)
    return users.filter(~Exists(belonging), ~Exists(recused))
