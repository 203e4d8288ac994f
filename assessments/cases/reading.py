"""Which cases somebody handles, and how many wait."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from assessments import oversight, permissions
from assessments.choices import CaseState
from assessments.models import ExemplaryCase
from organizations.models import Organization, User
from organizations.models.organization import within


def visible_to(user: User) -> QuerySet[ExemplaryCase]:
    """The cases whose record the user may open: of the unions in the user's scope, and those of
    others only once they are handed in; whoever must stand back (回避) finds nothing."""
    own = [one.organization_id for one in user.roles]
    scope = Organization.objects.filter(oversight.scope_of(user)).values("pk")
    return ExemplaryCase.objects.filter(
        Q(submitted_at__isnull=False) | Q(organization__in=own), organization__in=scope
    ).select_related("organization__parent", "criterion")


def waiting_for(user: User) -> dict[CaseState, QuerySet[ExemplaryCase]]:
    """What waits for the user, by state: to agree to or mend, to forward, to publish. Nothing is
    asked of the database here."""
    own = [
        one.organization_id
        for one in user.roles
        if permissions.may_write_case(user, one.organization)
    ]
    superior, below = permissions.forwards_cases_for(user), Q(pk__in=[])
    for union in superior:
        below |= within(union.path, "organization__path") & ~Q(organization=union)
    whose = {}
    if own:
        whose[CaseState.NOMINATED] = whose[CaseState.RETURNED] = Q(organization__in=own)
    if superior:
        whose[CaseState.SUBMITTED] = below
    if permissions.may_lead(user):
        whose[CaseState.FORWARDED] = Q()
    return {
        state: visible_to(user).filter(condition, state=state) for state, condition in whose.items()
    }
