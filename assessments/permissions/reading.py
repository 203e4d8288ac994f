"""Who reads content: answers, revisions, changes and files."""

from __future__ import annotations

from django.db.models import Q

from assessments.choices import EDITABLE_STATES, InspectionState, State
from assessments.models import Evidence, SelfAssessment, Similarity, Trace
from assessments.permissions.filling import OWN_WRITERS, fills_by_proxy, may_see_library
from assessments.permissions.reviewing import may_be_assigned
from organizations.choices import Role, Tier
from organizations.models import Organization, User
from organizations.models.organization import SUBTREE_ROLES
from organizations.permissions import has_role


def may_read_content(user: User, assessment: SelfAssessment) -> bool:
    """Answers and evidence: the union's own people always; whoever else sees the row only while
    the union is not writing (drafts excepted)."""
    if has_role(user, assessment.organization, {*OWN_WRITERS, Role.VIEWER}):
        return True
    return assessment.state not in EDITABLE_STATES or fills_by_proxy(user, assessment)


def may_read_revisions(user: User, assessment: SelfAssessment) -> bool:
    """What was handed in, as it was: the union's own people always; whoever else sees the row
    unless the union has withdrawn it. Correcting it hides nothing that was handed in."""
    if has_role(user, assessment.organization, {*OWN_WRITERS, Role.VIEWER}):
        return True
    return assessment.state != State.DRAFT or fills_by_proxy(user, assessment)


def may_see_changes(user: User, assessment: SelfAssessment) -> bool:
    """Who changed which answer while it was being filled in: the union's own people. To others
    only what was handed in counts."""
    if has_role(user, assessment.organization, {*OWN_WRITERS, Role.VIEWER}):
        return True
    return fills_by_proxy(user, assessment)


def may_see_names_of_city(user: User) -> bool:
    """Names of the city's reviewers are for the city's own people."""
    return any(membership.organization.tier == Tier.CITY for membership in user.roles)


def may_read_evidence(user: User, evidence: Evidence) -> bool:
    """A file: its own union, or whoever may read the content of a self-assessment that uses it, or
    sees it flagged. A file of an earlier revision stays readable with the self-assessment."""
    if may_see_library(user, evidence.organization):
        return True
    using = (
        SelfAssessment.objects.filter(organization=evidence.organization)
        .visible_to(user)
        .exclude(state=State.DRAFT)
    )
    return (
        using.exclude(state__in=EDITABLE_STATES).filter(answers__evidence=evidence).exists()
        or using.filter(revisions__evidence__evidence=evidence).exists()
        or using.filter(revisions__scans__evidence=evidence).exists()
        or using.filter(recommendation__package__evidence=evidence).exists()
        or _is_flagged_for(user, evidence)
        or _is_inspected_by(user, evidence)
    )


def _is_inspected_by(user: User, evidence: Evidence) -> bool:
    """现场核查: whoever goes there opens what was handed in, until it is taken back (撤回)."""
    visits = user.inspections.exclude(state=InspectionState.CANCELLED).exclude(
        self_assessment__state=State.DRAFT
    )
    given = visits.filter(
        self_assessment__organization=evidence.organization,
        self_assessment__revisions__evidence__evidence=evidence,
    )
    return may_be_assigned(user, evidence.organization) and given.exists()


def _is_flagged_for(user: User, evidence: Evidence) -> bool:
    """雷同: a reviewer of the city reads the very file that stands on the other side of a flag of
    what is assigned to them, while neither union is writing."""
    traces = list(Trace.objects.filter(evidence=evidence).values_list("pk", flat=True))
    if not traces:
        return False
    flags = Similarity.objects.visible_to(user).filter(Q(left__in=traces) | Q(right__in=traces))
    writing = Q(left_assessment__state__in=EDITABLE_STATES) | Q(
        right_assessment__state__in=EDITABLE_STATES
    )
    return flags.exclude(writing).exists()


def overseen_by(user: User) -> list[Organization]:
    """总览, 申报情况: the unions above the grassroots whose whole subtree the user sees."""
    return [
        membership.organization
        for membership in user.roles
        if membership.role in SUBTREE_ROLES and membership.organization.tier != Tier.GRASSROOTS
    ]
