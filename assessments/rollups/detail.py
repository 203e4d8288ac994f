"""The unions behind the figures, one by one, for exports."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices

from assessments.choices import DECIDED_STATES, REVIEWED_STATES, SUBMITTED_STATES
from assessments.models import Campaign, Decision, Endorsement
from assessments.rollups.counting import counted_organizations, reached_standard
from assessments.rollups.figures import BANDS
from organizations.models import Organization
from organizations.models.organization import within

#: Rows that an export holds in memory at a time.
PORTION = 500


class Reached(TextChoices):
    """How far a union has come, as a figure counts it; each is a field of `Figures`."""

    REGISTERED = "registered", "在册"
    STARTED = "started", "已开始"
    SUBMITTED = "submitted", "已提交"
    ENDORSED = "endorsed", "已初审"
    REVIEWED = "reviewed", "已评审"
    DECIDED = "decided", "已评定"
    AT_STANDARD = "at_standard", "达标（三年内）"
    NOT_AT_STANDARD = "not_at_standard", "尚未达标"


def unions(
    campaign: Campaign, reached: str, place: str = "", tier: str = ""
) -> QuerySet[Organization]:
    """The unions that one figure counts: of the subtree at `place` (as they stood when they handed
    in), of one tier or all."""
    rows = counted_organizations(campaign, tier or None)
    if place:
        rows = rows.filter(within(place, "standing_place"))
    endorsed = Endorsement.objects.standing().filter(self_assessment=OuterRef("entry"))
    return rows.filter(
        {
            Reached.REGISTERED: Q(),
            Reached.STARTED: Q(entry__isnull=False),
            Reached.SUBMITTED: Q(entry__state__in=SUBMITTED_STATES),
            Reached.ENDORSED: Q(Exists(endorsed)),
            Reached.REVIEWED: Q(entry__state__in=REVIEWED_STATES),
            Reached.DECIDED: Q(entry__state__in=DECIDED_STATES),
            Reached.AT_STANDARD: Q(reached_standard(campaign)),
            Reached.NOT_AT_STANDARD: ~Q(reached_standard(campaign)),
        }[Reached(reached)]
    )


def decided(
    campaign: Campaign, place: str = "", *, missed: str = "", band: str = ""
) -> QuerySet[Organization]:
    """The unions with a standing decision that a figure counts: those that `missed` a criterion
    (C1 … C6) or an indicator, by its code, or whose total lies in a band of `BANDS`."""
    found = Decision.objects.filter(
        superseded_at=None,
        self_assessment__campaign=campaign,
        self_assessment__state__in=DECIDED_STATES,
        self_assessment__organization=OuterRef("pk"),
    )
    if missed.startswith("C"):
        found = found.filter(criteria__number=missed[1:], criteria__met=False)
    elif missed:
        found = found.filter(scores__indicator__code=missed, scores__met=False)
    if band:
        least, below = BANDS[band]
        found = found.filter(total__gte=least, total__lt=below)
    return unions(campaign, Reached.DECIDED, place).filter(Exists(found))
