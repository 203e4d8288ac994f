"""Who reviews, leads and administers for the city, and who is barred by a conflict of interest."""

from __future__ import annotations

from assessments.allotting import Ties
from assessments.models import Export, Review, SelfAssessment, Similarity
from assessments.models.self_assessment import recused_paths
from organizations.choices import Role, Tier
from organizations.models import Organization, User
from organizations.models.organization import SUBTREE_ROLES
from organizations.permissions import has_city_role, is_city_admin

_CITY_DECIDERS = {Role.LEAD_REVIEWER, Role.ADMIN}


def has_conflict(user: User, organization: Organization) -> bool:
    """Whether the user belongs to the organization, one above it (the city apart) or below it,
    or is recused from it or from one above it."""
    own = tuple(  # whoever acts for one union has not left the others
        membership.organization.path
        for membership in user.all_roles
        if membership.organization.tier != Tier.CITY
    )
    return Ties(own, tuple(recused_paths(user))).bar(organization.path or "")


def may_be_assigned(reviewer: User, organization: Organization) -> bool:
    """A reviewer of the city without a conflict of interest (回避)."""
    is_reviewer = has_city_role(reviewer, {Role.REVIEWER, Role.LEAD_REVIEWER})
    return is_reviewer and reviewer.is_active and not has_conflict(reviewer, organization)


def may_review(user: User, assessment: SelfAssessment) -> bool:
    """评审: a reviewer to whom it is assigned, as long as no conflict of interest has arisen."""
    return (
        has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER})
        and any(review.reviewer_id == user.pk for review in assessment.reviews.all())
        and not has_conflict(user, assessment.organization)
    )


def may_lead(user: User, assessment: SelfAssessment | None = None) -> bool:
    """评审组长 and the city's 管理员 assign, send back and decide; not on a union they belong to."""
    if not has_city_role(user, _CITY_DECIDERS):
        return False
    return assessment is None or not has_conflict(user, assessment.organization)


def may_arbitrate(user: User, assessment: SelfAssessment) -> bool:
    """仲裁: the lead, unless they have had the same submission to review."""
    return (
        may_lead(user, assessment)
        and not Review.ever.filter(self_assessment=assessment, reviewer=user).exists()
    )


def may_recuse(user: User, assessment: SelfAssessment) -> bool:
    """申请回避: a reviewer, of what is assigned to them."""
    return may_review(user, assessment)


def may_keep_recusals(user: User) -> bool:
    """回避名单: 评审组长 and the city's 管理员."""
    return may_lead(user)


def may_see_calibration(user: User) -> bool:
    """评审统计 of everybody: 评审组长 and the city's 管理员. Reviewers see their own row."""
    return may_lead(user)


def may_go_and_see(user: User) -> bool:
    """现场核查: the lead and the city's 管理员 arrange, its reviewers go there. Which ones each sees is
    `inspected.visible_to`."""
    return has_city_role(user, {*_CITY_DECIDERS, Role.REVIEWER})


def may_handle(user: User, assessment: SelfAssessment) -> bool:
    """受理, and 退回修改 while the city has it: its reviewer, or the lead."""
    return may_lead(user, assessment) or may_review(user, assessment)


def may_administer(user: User, assessment: SelfAssessment | None = None) -> bool:
    """公示, 命名, reopening a decision: the city's 管理员; not on a union they belong to."""
    if not has_city_role(user, {Role.ADMIN}):
        return False
    return assessment is None or not has_conflict(user, assessment.organization)


def may_finalise(user: User | None, assessment: SelfAssessment) -> bool:
    """公示期满生效: the portal itself (None), or the city's 管理员."""
    return user is None or may_administer(user, assessment)


def may_grant_extension(user: User, organization: Organization | None = None) -> bool:
    """延期: the city's 管理员; not for a union they belong to."""
    if not has_city_role(user, {Role.ADMIN}):
        return False
    return organization is None or not has_conflict(user, organization)


def may_keep_phrases(user: User) -> bool:
    """常用语: whoever scores or decides for the city."""
    return has_city_role(user, {Role.REVIEWER, *_CITY_DECIDERS})


def may_share_phrases(user: User) -> bool:
    """共用的常用语 are managed by the lead and the city's 管理员."""
    return has_city_role(user, _CITY_DECIDERS)


def may_see_similarities(user: User, assessment: SelfAssessment) -> bool:
    """雷同提示 of a submission: whoever handles it at the city, and the unions above it; not the
    union itself. Which of them is `Similarity.objects.visible_to`."""
    return may_handle(user, assessment) or any(
        membership.role in SUBTREE_ROLES
        and membership.organization.is_above(assessment.organization)
        for membership in user.roles
    )


def may_judge_similarity(user: User, pair: Similarity) -> bool:
    """雷同核实: 评审组长 and the city's 管理员, or the reviewer of one of the two; none of them with a
    conflict of interest with either union."""
    both = (pair.left_assessment, pair.right_assessment)
    if any(has_conflict(user, one.organization) for one in both):
        return False
    return may_lead(user) or any(may_review(user, one) for one in both)


def may_export(user: User) -> bool:
    """汇总表: the city's 管理员 and 评审组长."""
    return is_city_admin(user) or has_city_role(user, {Role.LEAD_REVIEWER})


def hidden_from(user: User) -> list[str]:
    """The tops of the subtrees that an export leaves out: what a lead is recused from (回避)."""
    return [] if is_city_admin(user) else sorted(recused_paths(user))


def may_take_export(user: User, export: Export) -> bool:
    """Downloading: the owner, as long as the right to export stands, and nothing of what is in the
    file has become a matter to stand back from (回避) since it was made."""
    return (
        export.owner_id == user.pk
        and may_export(user)
        and set(hidden_from(user)) <= set(export.hidden)
    )
