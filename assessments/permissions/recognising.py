"""Who gives titles, looks at them again, and recommends unions to the province."""

from __future__ import annotations

from assessments.models import Recognition, Recommendation
from assessments.permissions.filling import may_keep_evidence
from assessments.permissions.reviewing import has_conflict, may_lead
from organizations.models import User


def may_recheck(user: User, recognition: Recognition) -> bool:
    """复查, and the loss of a title: 评审组长 and the city's 管理员; not of a union they belong to."""
    return may_lead(user) and not has_conflict(user, recognition.organization)


def may_keep_package(user: User, recommendation: Recommendation) -> bool:
    """推荐材料 of a union on the confirmed list: its 填报员 and 负责人, or the city's lead for it."""
    if not (recommendation.listed and recommendation.list.is_confirmed):
        return False
    assessment = recommendation.self_assessment
    return may_keep_evidence(user, assessment.organization) or may_lead(user, assessment)
