"""Who endorses, ranks, sends back and urges what stands below."""

from __future__ import annotations

from assessments.models import SelfAssessment
from assessments.permissions.filling import OWN_WRITERS
from assessments.permissions.reviewing import may_handle, may_lead
from organizations.choices import Role, Tier
from organizations.models import Organization, User
from organizations.permissions import has_role


def endorsement_applies(assessment: SelfAssessment) -> bool:
    """Whether the superior's 初审 is asked for: a setting of the campaign per tier. A union directly
    under the city has nobody in between."""
    parent = assessment.organization.parent
    if parent is None or parent.tier == Tier.CITY:
        return False
    if hasattr(assessment, "endorsement_required"):  # SelfAssessmentQuerySet.with_context
        return bool(assessment.endorsement_required)
    policies = assessment.campaign.policies.filter(tier=assessment.rubric.tier)
    return policies.filter(endorsement_required=True).exists()


def may_endorse(user: User, assessment: SelfAssessment) -> bool:
    """初审: the head of the union directly above, where the campaign asks for it."""
    parent = assessment.organization.parent
    if parent is None or not has_role(user, parent, {Role.HEAD}):
        return False
    return endorsement_applies(assessment)


def endorses_for(user: User) -> list[int]:
    """The unions as whose head the user endorses what stands directly below: their keys."""
    return [m.organization_id for m in user.roles if m.role == Role.HEAD]


def may_rank(user: User, organization: Organization) -> bool:
    """推荐排序: the head of the union that endorses."""
    return organization.tier != Tier.CITY and has_role(user, organization, {Role.HEAD})


def may_urge(user: User) -> bool:
    """催报: 填报员 and 负责人 of a union that has others below it, and the city's 管理员 and 评审组长.
    Whom they reach is `urging.behind`."""
    return may_lead(user) or any(
        membership.role in OWN_WRITERS
        and membership.organization.tier not in (Tier.CITY, Tier.GRASSROOTS)
        for membership in user.roles
    )


def may_return_submitted(user: User, assessment: SelfAssessment) -> bool:
    """退回修改 of a fresh submission: the superior's head, or the city."""
    return may_endorse(user, assessment) or may_handle(user, assessment)
