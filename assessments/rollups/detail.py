"""The unions behind the figures, one by one, for exports."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from assessments.choices import DECIDED_STATES, REVIEWED_STATES, SUBMITTED_STATES
from assessments.models import (
    Campaign,
    Decision,
    DecisionCriterion,
    DecisionScore,
    Endorsement,
    SelfAssessment,
)
from assessments.rollups.counting import counted_organizations, rate_answers, reached_standard
from assessments.rollups.figures import BANDS
from organizations.choices import Tier
from organizations.models import Organization
from organizations.models.organization import PATH_STEP, within


class Reached(TextChoices):
    """How far a union has come, as a figure counts it; each is a field of `Figures`."""

    REGISTERED = "registered", _("在册")
    STARTED = "started", _("已开始")
    SUBMITTED = "submitted", _("已提交")
    ENDORSED = "endorsed", _("已初审")
    REVIEWED = "reviewed", _("已评审")
    DECIDED = "decided", _("已评定")
    AT_STANDARD = "at_standard", _("达标（三年内）")
    NOT_AT_STANDARD = "not_at_standard", _("尚未达标")


def unions(
    campaign: Campaign, reached: str, place: str = "", *, tier: str = "", direct: bool = False
) -> QuerySet[Organization]:
    """The unions that one figure counts: of the subtree at `place` (as they stood when they handed
    in), of one tier or all; those `direct`ly under the city alone, of which no county answers."""
    rows = counted_organizations(campaign, tier or None)
    if place:
        rows = rows.filter(within(place, "standing_place"))
    if direct:
        rows = rows.alias(depth=Length("standing_place")).filter(
            tier=Tier.GRASSROOTS, depth=2 * PATH_STEP
        )
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
    campaign: Campaign, *, scored: str = "", missed: str = "", band: str = ""
) -> QuerySet[SelfAssessment]:
    """The self-assessments with a standing decision that a figure counts: to which a criterion
    (C1 … C6) or an indicator, by its code, applied (`scored`), that `missed` it, or whose total
    lies in a band of `BANDS`."""
    found = Decision.objects.filter(
        superseded_at=None,
        self_assessment__campaign=campaign,
        self_assessment__state__in=DECIDED_STATES,
    )
    for code, met in ((scored, {}), (missed, {"met": False})):
        if code.startswith("C"):
            rows = DecisionCriterion.objects.filter(number=code[1:], maximum__gt=0, **met)
            found = found.filter(pk__in=rows.values("decision"))
        elif code:
            rows = DecisionScore.objects.filter(indicator__code=code, maximum__gt=0, **met)
            found = found.filter(pk__in=rows.values("decision"))
    if band:
        least, below = BANDS[band]
        found = found.filter(total__gte=least, total__lt=below)
    return SelfAssessment.objects.filter(pk__in=found.values("self_assessment"))


def rated(campaign: Campaign, code: str) -> QuerySet[SelfAssessment]:
    """Those whose counts are in the sums of a rate (see `counting`)."""
    answers = rate_answers().filter(self_assessment__campaign=campaign, indicator__code=code)
    return SelfAssessment.objects.filter(pk__in=answers.values("self_assessment"))
