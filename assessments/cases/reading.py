"""Which cases somebody handles, and how many wait."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

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


def counts_for(user: User) -> dict[str, int]:
    """What waits for the user, by state: to agree to or mend (own), to forward, to publish. One query,
    none for whom nothing can wait."""
    own = [one for one in user.roles if permissions.may_write_case(user, one.organization)]
    superior, below = permissions.forwards_cases_for(user), Q(pk__in=[])
    for union in superior:
        below |= within(union.path, "organization__path") & ~Q(organization=union)
    leads = permissions.may_lead(user)
    if not (own or superior or leads):
        return {}
    mine = Q(organization__in=[one.organization_id for one in own])
    return visible_to(user).aggregate(
        **{
            state: Count("pk", filter=Q(state=state) & condition)
            for state, condition in (
                (CaseState.NOMINATED, mine),
                (CaseState.RETURNED, mine),
                (CaseState.SUBMITTED, below),
                (CaseState.FORWARDED, Q() if leads else Q(pk__in=[])),
            )
        }
    )
