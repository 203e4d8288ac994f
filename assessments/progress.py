"""推进会 (the progress conference, the policy, section 四.3): how far a campaign has come, from the
roll-ups, what the supervision has found, and what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext

from assessments import deadlines, picture, rollups
from assessments.choices import UNANSWERED_STATES, FindingState, VisitState
from assessments.models import Campaign, SupervisionFinding, SupervisionVisit
from assessments.picture import Picture, Ranked
from organizations.choices import Tier
from organizations.models import Organization, User

#: Findings that are named as overdue.
NAMED = 30


@dataclass(frozen=True)
class Target:
    """A share that the policy sets a target for, both in percent. `share` is None where there is
    nothing to reckon it from."""

    label: str
    part: int
    whole: int
    target: Decimal

    @property
    def share(self) -> Decimal | None:
        return rollups.percent(self.part, self.whole)

    @property
    def is_reached(self) -> bool | None:
        """Compared before it is rounded; None where there is no share."""
        return None if self.share is None else self.share >= self.target


@dataclass(frozen=True)
class Supervision:
    """What came of the rounds of a campaign. The figures are there; what is read only by the printed
    report comes when it is asked for."""

    rounds: int
    planned: int
    visited: int
    found: int
    accepted: int
    overdue: int
    _rows: QuerySet[SupervisionFinding]

    def by_criterion(self) -> dict[Tier, dict[int, int]]:
        """How many findings there are by tier and number of the “好”, 0 for none of them. One query."""
        found: dict[Tier, dict[int, int]] = {}
        counted = self._rows.order_by().values_list(
            "visit__organization__tier", "criterion__number"
        )
        for tier, number, findings in counted.annotate(Count("pk")):
            found.setdefault(Tier(tier), {})[number or 0] = findings
        return found

    def first_overdue(self) -> list[SupervisionFinding]:
        """The first NAMED whose day has passed. One query."""
        rows = self._rows.overdue(deadlines.local_day(deadlines.now()))
        return list(rows.select_related("visit__organization").order_by("rectify_by", "pk")[:NAMED])


@dataclass(frozen=True)
class Progress:
    """See `of`."""

    picture: Picture
    supervision: Supervision

    @property
    def campaign(self) -> Campaign:
        return self.picture.campaign

    def targets(self) -> list[Target]:
        """达标率 of each tier, and the rates that the rubrics set a threshold for (入会率, 满意率)."""
        tiers = [
            Target(
                gettext("{tier}达标率").format(tier=path.tier.label),
                path.figures.at_standard,
                path.figures.registered,
                path.target,
            )
            for path in self.picture.paths()
        ]
        rates = [
            Target(
                gettext("{tier}：{indicator}").format(
                    tier=one.tier.label, indicator=one.indicator.name
                ),
                one.scores.numerator,
                one.scores.denominator,
                one.indicator.threshold_percent,
            )
            for one in self.picture.rates()
            if one.indicator.threshold_percent is not None
        ]
        return tiers + rates

    def behind(self) -> list[Ranked]:
        """The counties below the target, the furthest from it first."""
        below = [one for one in self.picture.ranked() if one.needed]
        return sorted(below, key=lambda one: one.figures.share_percent or 0)

    def not_handed_in(self) -> int:
        """Unions without a submission once the deadline has passed; before that nobody is late."""
        if deadlines.local_day(self.picture.counted_at) <= self.campaign.submission_deadline:
            return 0
        together = self.picture.together
        return together.registered - together.submitted


def of(
    campaign: Campaign,
    city: Organization,
    user: User,
    *,
    campaigns: Sequence[Campaign],
    places: Sequence[Organization],
) -> Progress:
    """How far the campaign has come in the whole city; of the supervision, what the user sees. A
    fixed number of queries, whatever the number of unions."""
    drawn = picture.draw(campaign, city, campaigns=campaigns, places=places)
    return Progress(drawn, _supervision(campaign, user))


def _supervision(campaign: Campaign, user: User) -> Supervision:
    visible = SupervisionVisit.objects.visible_to(user).filter(round__campaign=campaign)
    told = Q(state=VisitState.FED_BACK)
    today = deadlines.local_day(deadlines.now())
    counted = visible.exclude(state=VisitState.CANCELLED).aggregate(
        rounds=Count("round", distinct=True),
        planned=Count("pk", distinct=True),
        visited=Count("pk", distinct=True, filter=told),
        found=Count("findings", filter=told),
        accepted=Count("findings", filter=told & Q(findings__state=FindingState.ACCEPTED)),
        overdue=Count(
            "findings",
            filter=told & Q(findings__state__in=UNANSWERED_STATES, findings__rectify_by__lt=today),
        ),
    )
    rows = SupervisionFinding.objects.handed_over().filter(visit__in=visible.values("pk"))
    return Supervision(**counted, _rows=rows)
