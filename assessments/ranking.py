"""Ranks (推荐排序): the places that a superior union gives to what it has endorsed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext

from assessments import permissions
from assessments.choices import State
from assessments.models import Campaign, Endorsement, SelfAssessment
from organizations.audit import record
from organizations.choices import Act, Tier
from organizations.models import Organization, User

#: So many are put in order on one page; no superior has more directly below it.
MOST_RANKED = 500


class NotAllowed(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


def ranked(
    organization: Organization, campaign: Campaign, tier: Tier | str
) -> QuerySet[Endorsement]:
    """What the union has endorsed at the tier, by rank; those without one come last."""
    return (
        Endorsement.objects.standing()
        .filter(organization=organization, campaign=campaign, tier=tier)
        .select_related("self_assessment__organization")
        .order_by(F("rank").asc(nulls_last=True), "at", "pk")
    )


def rank_taken_by(assessment: SelfAssessment, rank: int) -> str | None:
    """The name of the union to which the superior has given this rank already."""
    parent = assessment.organization.parent
    assert parent is not None  # there is a superior, or nobody endorses
    others = ranked(parent, assessment.campaign, assessment.rubric.tier).filter(rank=rank)
    return (
        others.exclude(self_assessment=assessment)
        .values_list("self_assessment__organization__name", flat=True)
        .first()
    )


def next_rank(assessment: SelfAssessment) -> int:
    """One after the last rank that the superior has given."""
    parent = assessment.organization.parent
    assert parent is not None
    rows = ranked(parent, assessment.campaign, assessment.rubric.tier).exclude(rank=None)
    return (rows.order_by("-rank").values_list("rank", flat=True).first() or 0) + 1


def is_fixed(endorsement: Endorsement) -> bool:
    """Once the city has begun, the superior can no longer change anything."""
    return endorsement.self_assessment.state != State.ENDORSED


def rank_stamp(endorsements: Iterable[Endorsement]) -> str:
    """A digest of the ranks that a page shows, to tell later whether they are still so."""
    parts = sorted((one.pk, one.rank, is_fixed(one)) for one in endorsements)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def moved(endorsements: list[Endorsement], pk: int, step: int) -> dict[int, int | None]:
    """The ranks after one of the movable ones went up (-1) or down (1) by one place. Ranks are
    then handed out anew, around those that are fixed."""
    order = [one.pk for one in endorsements if not is_fixed(one)]
    if pk not in order:  # the city has begun on it meanwhile
        return {}
    here = order.index(pk)
    there = min(max(here + step, 0), len(order) - 1)
    order[here], order[there] = order[there], order[here]
    taken = {one.rank for one in endorsements if is_fixed(one)}
    free = (rank for rank in range(1, len(endorsements) + len(order) + 1) if rank not in taken)
    return dict(zip(order, free, strict=False))


@transaction.atomic
def save_ranks(
    organization: Organization,
    campaign: Campaign,
    tier: str,
    ranks: Mapping[int, int | None],
    *,
    by: User,
    seen: str,
) -> int:
    """Write the ranks of what the union has endorsed, all at once; how many changed. `seen` is
    the `rank_stamp` that the page showed. Raises NotAllowed where they are no longer so, or two
    would share a rank."""
    if not permissions.may_rank(by, organization):
        raise NotAllowed(gettext("只有本工会的负责人可以排名次。"))
    rows = list(ranked(organization, campaign, tier).select_for_update(of=("self",)))
    if seen != rank_stamp(rows):
        raise NotAllowed(gettext("名次或初审情况刚刚有了变动，没有保存。请看过现在的名次再排。"))
    changed = [
        one for one in rows if not is_fixed(one) and one.pk in ranks and ranks[one.pk] != one.rank
    ]
    if not changed:
        return 0
    Endorsement.objects.filter(pk__in=[one.pk for one in changed]).update(rank=None)
    for one in changed:
        one.rank = ranks[one.pk]
    try:
        with transaction.atomic():
            Endorsement.objects.bulk_update(changed, ["rank"], batch_size=100)
    except IntegrityError:
        raise NotAllowed(gettext("名次不能重复，没有保存。")) from None
    record(
        action=Act.ENDORSEMENTS_RANKED,
        by=by,
        subject=organization,
        details={
            "campaign": campaign.year,
            "tier": tier,
            "ranks": {one.self_assessment.organization.code: one.rank for one in rows},
        },
    )
    return len(changed)
