"""Who starts, fills in, signs and keeps the files of a union, and who does it for another (代填)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from assessments.choices import SCAN_STATES
from assessments.models import ProxyFilling, SelfAssessment
from organizations.choices import Role, Tier
from organizations.models import Organization, User
from organizations.permissions import has_role

OWN_WRITERS = {Role.REPORTER, Role.HEAD}


def may_start(user: User, organization: Organization) -> bool:
    """填报员 and 负责人 start the self-assessment of their own union."""
    return organization.is_active and has_role(user, organization, OWN_WRITERS)


def may_fill_in(user: User, assessment: SelfAssessment) -> bool:
    """填报员 and 负责人 write the answers of their own union; those of the union above, while it
    fills in for it (代填)."""
    return has_role(user, assessment.organization, OWN_WRITERS) or fills_by_proxy(user, assessment)


def proxy_of(assessment: SelfAssessment) -> int | None:
    """The key of the union that fills in for this one now (代填)."""
    if hasattr(assessment, "proxy"):  # SelfAssessmentQuerySet.with_deadline
        return assessment.proxy
    open_one = assessment.proxies.filter(ended_at=None)
    return open_one.values_list("organization", flat=True).first()


def fills_by_proxy(
    user: User, assessment: SelfAssessment, roles: Collection[Role] = tuple(OWN_WRITERS)
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
        if m.role in OWN_WRITERS and m.organization.tier not in (Tier.CITY, Tier.GRASSROOTS)
    ]


def proxy_for(user: User, organization: Organization) -> Organization | None:
    """The union as which the user may fill in for the organization (代填): the nearest above it in
    which they write. The city reviews, and fills in for nobody."""
    found = None
    for membership in user.roles:  # from the root: the last one is the nearest
        own = membership.organization
        if membership.role in OWN_WRITERS and own.tier != Tier.CITY and own.is_above(organization):
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


def may_appeal(user: User, assessment: SelfAssessment) -> bool:
    """申诉 against the published result: the union's head."""
    return has_role(user, assessment.organization, {Role.HEAD})


def may_ask_to_sign(user: User, assessment: SelfAssessment) -> bool:
    """请负责人签批: whoever fills in and cannot sign."""
    return may_fill_in(user, assessment) and not may_sign(user, assessment)


def may_keep_evidence(user: User, organization: Organization) -> bool:
    """材料库: 填报员 and 负责人 add to it, describe and delete what is their own union's; whoever
    fills in for it (代填), too."""
    return has_role(user, organization, OWN_WRITERS) or _fills_for(user, organization)


def may_see_library(user: User, organization: Organization) -> bool:
    """材料库: the union's own people, and whoever fills in for it; it holds what was never handed
    in, too."""
    own = has_role(user, organization, {*OWN_WRITERS, Role.VIEWER})
    return own or _fills_for(user, organization)


def _fills_for(user: User, organization: Organization) -> bool:
    proxies = [
        membership.organization_id
        for membership in user.roles
        if membership.role in OWN_WRITERS and membership.organization.is_above(organization)
    ]
    return (
        bool(proxies)
        and ProxyFilling.objects.filter(
            self_assessment__organization=organization, organization__in=proxies, ended_at=None
        ).exists()
    )
