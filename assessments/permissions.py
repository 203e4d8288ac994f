"""Who may do what to a self-assessment: one predicate for each question, and nothing else decides.

Rows are chosen by `visible_to`; these predicates say which content may be read and which action
belongs to whom (design, “Roles”). Whether the time is right is the workflow's business.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone

from assessments.allotting import Ties
from assessments.choices import EDITABLE_STATES, SCAN_STATES, InspectionState, State
from assessments.models import (
    Evidence,
    ProxyFilling,
    Review,
    SelfAssessment,
    Similarity,
    Trace,
)
from assessments.models.self_assessment import recused_paths
from organizations.choices import Role, Tier
from organizations.models import Organization, User
from organizations.models.organization import SUBTREE_ROLES
from organizations.permissions import has_city_role, has_role, is_city_admin

_OWN_WRITERS = {Role.REPORTER, Role.HEAD}
_CITY_DECIDERS = {Role.LEAD_REVIEWER, Role.ADMIN}


def may_start(user: User, organization: Organization) -> bool:
    """填报员 and 负责人 start the self-assessment of their own union."""
    return organization.is_active and has_role(user, organization, _OWN_WRITERS)


def may_fill_in(user: User, assessment: SelfAssessment) -> bool:
    """填报员 and 负责人 write the answers of their own union; those of the union above, while it
    fills in for it (代填)."""
    return has_role(user, assessment.organization, _OWN_WRITERS) or fills_by_proxy(user, assessment)


def proxy_of(assessment: SelfAssessment) -> int | None:
    """The key of the union that fills in for this one now (代填)."""
    if hasattr(assessment, "proxy"):  # SelfAssessmentQuerySet.with_deadline
        return assessment.proxy
    open_one = assessment.proxies.filter(ended_at=None)
    return open_one.values_list("organization", flat=True).first()


def fills_by_proxy(
    user: User, assessment: SelfAssessment, roles: Collection[Role] = tuple(_OWN_WRITERS)
) -> bool:
    """代填: the people of the union that fills in for this one, while it does."""
    proxy = proxy_of(assessment)
    return proxy is not None and any(
        membership.organization_id == proxy and membership.role in roles
        for membership in user.roles
    )


def was_filling_by_proxy(user: User, assessment: SelfAssessment) -> bool:
    """Whether the user's union filled in for this one until less than a day ago: what they are
    still typing is answered, not lost."""
    yesterday = timezone.now() - dt.timedelta(days=1)
    own = may_fill_in_for(user)
    return assessment.proxies.filter(organization__in=own, ended_at__gt=yesterday).exists()


def may_fill_in_for(user: User) -> list[int]:
    """The unions as which the user may fill in for those below (代填): their keys."""
    return [
        m.organization_id
        for m in user.roles
        if m.role in _OWN_WRITERS and m.organization.tier not in (Tier.CITY, Tier.GRASSROOTS)
    ]


def proxy_for(user: User, organization: Organization) -> Organization | None:
    """The union as which the user may fill in for the organization (代填): the nearest above it in
    which they write. The city reviews, and fills in for nobody."""
    found = None
    for membership in user.roles:  # from the root: the last one is the nearest
        own = membership.organization
        if membership.role in _OWN_WRITERS and own.tier != Tier.CITY and own.is_above(organization):
            found = own
    return found if organization.is_active else None


def may_end_proxy(user: User, assessment: SelfAssessment) -> bool:
    """代填 is ended by either side."""
    return proxy_of(assessment) is not None and may_fill_in(user, assessment)


def may_submit_on_paper(user: User, assessment: SelfAssessment) -> bool:
    """The head of the union that fills in hands in what the union's own head has signed on paper."""
    return fills_by_proxy(user, assessment, (Role.HEAD,))


def may_withdraw(user: User, assessment: SelfAssessment) -> bool:
    """撤回: the union's head, or the head who handed in for it."""
    return may_sign(user, assessment) or may_submit_on_paper(user, assessment)


def may_add_scan(user: User, assessment: SelfAssessment) -> bool:
    """签字盖章扫描件: whoever fills in, after handing in and until it is decided."""
    return assessment.state in SCAN_STATES and may_fill_in(user, assessment)


def may_sign(user: User, assessment: SelfAssessment) -> bool:
    """签批: only the union's head hands in and withdraws."""
    return has_role(user, assessment.organization, {Role.HEAD})


def may_ask_to_sign(user: User, assessment: SelfAssessment) -> bool:
    """请负责人签批: whoever fills in and cannot sign."""
    return may_fill_in(user, assessment) and not may_sign(user, assessment)


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
        membership.role in _OWN_WRITERS
        and membership.organization.tier not in (Tier.CITY, Tier.GRASSROOTS)
        for membership in user.roles
    )


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
    `inspecting.visible_to`."""
    return has_city_role(user, {*_CITY_DECIDERS, Role.REVIEWER})


def may_handle(user: User, assessment: SelfAssessment) -> bool:
    """受理, and 退回修改 while the city has it: its reviewer, or the lead."""
    return may_lead(user, assessment) or may_review(user, assessment)


def may_return_submitted(user: User, assessment: SelfAssessment) -> bool:
    """退回修改 of a fresh submission: the superior's head, or the city."""
    return may_endorse(user, assessment) or may_handle(user, assessment)


def may_administer(user: User, assessment: SelfAssessment | None = None) -> bool:
    """公示, 命名, reopening a decision: the city's 管理员; not on a union they belong to."""
    if not has_city_role(user, {Role.ADMIN}):
        return False
    return assessment is None or not has_conflict(user, assessment.organization)


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


def may_read_content(user: User, assessment: SelfAssessment) -> bool:
    """Answers and evidence: the union's own people always; whoever else sees the row only while
    the union is not writing (drafts excepted)."""
    if has_role(user, assessment.organization, {*_OWN_WRITERS, Role.VIEWER}):
        return True
    return assessment.state not in EDITABLE_STATES or fills_by_proxy(user, assessment)


def may_read_revisions(user: User, assessment: SelfAssessment) -> bool:
    """What was handed in, as it was: the union's own people always; whoever else sees the row
    unless the union has withdrawn it. Correcting it hides nothing that was handed in."""
    if has_role(user, assessment.organization, {*_OWN_WRITERS, Role.VIEWER}):
        return True
    return assessment.state != State.DRAFT or fills_by_proxy(user, assessment)


def may_see_changes(user: User, assessment: SelfAssessment) -> bool:
    """Who changed which answer while it was being filled in: the union's own people. To others
    only what was handed in counts."""
    if has_role(user, assessment.organization, {*_OWN_WRITERS, Role.VIEWER}):
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


def may_keep_evidence(user: User, organization: Organization) -> bool:
    """材料库: 填报员 and 负责人 add to it, describe and delete what is their own union's; whoever
    fills in for it (代填), too."""
    return has_role(user, organization, _OWN_WRITERS) or _fills_for(user, organization)


def may_see_library(user: User, organization: Organization) -> bool:
    """材料库: the union's own people, and whoever fills in for it; it holds what was never handed
    in, too."""
    own = has_role(user, organization, {*_OWN_WRITERS, Role.VIEWER})
    return own or _fills_for(user, organization)


def _fills_for(user: User, organization: Organization) -> bool:
    proxies = [
        membership.organization_id
        for membership in user.roles
        if membership.role in _OWN_WRITERS and membership.organization.is_above(organization)
    ]
    return (
        bool(proxies)
        and ProxyFilling.objects.filter(
            self_assessment__organization=organization, organization__in=proxies, ended_at=None
        ).exists()
    )


def may_export(user: User) -> bool:
    """汇总表: the city's 管理员 and 评审组长."""
    return is_city_admin(user) or has_city_role(user, {Role.LEAD_REVIEWER})
