"""抽查: which submissions are checked on site, drawn by lot per tier and county from a seed that
anybody can repeat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext

from assessments import assigning, assignment_runs, drawing
from assessments.choices import InspectionState
from assessments.drawing import Quota, Stratum
from assessments.inspecting import INSPECTABLE_STATES, NotAllowed
from assessments.models import Campaign, Inspection, InspectionDraw, SelfAssessment
from organizations.audit import record
from organizations.choices import Act, Tier
from organizations.models import Organization, User
from organizations.models.organization import PATH_STEP


class Changed(NotAllowed):
    """What was shown is no longer what would be drawn."""


@dataclass(frozen=True)
class Draft:
    """What would be drawn: the strata with how many of how many, and the keys."""

    strata: list[Stratum]
    picked: tuple[int, ...]
    seed: int

    @property
    def digest(self) -> str:
        return drawing.digest(self.strata, self.seed)


def population(campaign: Campaign, by: User) -> dict[str, list[int]]:
    """What can be drawn, by tier and county (“TIER:path”): all that is handed in and not published,
    of active unions, without what has been checked in this campaign and what the drawer must stand back from. Two
    queries."""
    tie = assignment_runs.ties_of([by])[by.pk]
    rows = (
        SelfAssessment.objects.filter(
            campaign=campaign, state__in=INSPECTABLE_STATES, organization__dissolved_on=None
        )
        .exclude(
            pk__in=Inspection.objects.exclude(state=InspectionState.CANCELLED).values(
                "self_assessment"
            )
        )
        .order_by("pk")
        .values_list("pk", "rubric__tier", "place", "organization__path")
    )
    groups: dict[str, list[int]] = defaultdict(list)
    for pk, tier, place, path in rows.iterator(chunk_size=2000):
        if not tie.bar(path):
            groups[f"{tier}:{_county(tier, place)}"].append(pk)
    return dict(groups)


def _county(tier: str, place: str) -> str:
    """The path of the county, or of the industry, in which the place lies. Empty for what stands
    directly under the city: 市直单位 are one group like a county, and so are the counties' own
    unions, of which each county has but one."""
    is_direct = tier == Tier.COUNTY or len(place) <= 2 * PATH_STEP
    return "" if is_direct else place[: 2 * PATH_STEP]


def prepare(campaign: Campaign, quotas: Mapping[str, Quota], seed: int, by: User) -> Draft:
    """What the seed would draw; `quotas` by tier, for each county."""
    strata = drawing.strata_of(population(campaign, by), quotas)
    return Draft(strata, drawing.draw(strata, seed), seed)


@transaction.atomic
def draw(
    campaign: Campaign, quotas: Mapping[str, Quota], seed: int, by: User, *, seen: str
) -> InspectionDraw:
    """Draw what was shown (`seen`, the draft's digest). Raises Changed, and NotAllowed where there
    is nothing to draw."""
    Campaign.objects.select_for_update().get(pk=campaign.pk)  # two draws at once go one by one
    draft = prepare(campaign, quotas, seed, by)
    if draft.digest != seen:
        raise Changed(gettext("预览之后，申报有了变化。请核对新的预览，再次确认。"))
    if not draft.picked:
        raise NotAllowed(gettext("没有可以抽取的申报。"))
    made = InspectionDraw.objects.create(
        campaign=campaign,
        seed=seed,
        by=by,
        strata=[[one.name, list(one.keys), one.wanted] for one in draft.strata],
        digest=draft.digest,
    )
    revisions = dict(
        SelfAssessment.objects.filter(pk__in=draft.picked).values_list("pk", "revision")
    )
    Inspection.objects.bulk_create(
        (
            Inspection(self_assessment_id=pk, draw=made, revision=revisions[pk], created_by=by)
            for pk in draft.picked
        ),
        batch_size=assigning.BATCH,
    )
    record(
        action=Act.INSPECTIONS_DRAWN,
        by=by,
        subject=made,
        details={"seed": seed, "drawn": len(draft.picked)},
    )
    return made


def replay(made: InspectionDraw) -> bool:
    """Whether the seed and the strata on record give the recorded lot."""
    strata = [Stratum(name, tuple(keys), wanted) for name, keys, wanted in made.strata]
    drawn = set(drawing.draw(strata, made.seed))
    kept = set(made.inspections.values_list("self_assessment", flat=True))
    return drawing.digest(strata, made.seed) == made.digest and drawn == kept


def counties_of(strata: Iterable[Stratum]) -> dict[str, str]:
    """Names of the counties of strata, by path. One query."""
    paths = {one.name.split(":")[1] for one in strata}
    return dict(Organization.objects.filter(path__in=paths).values_list("path", "name"))


def shown(strata: Iterable[Stratum]) -> list[tuple[str, str, int, int]]:
    """(tier, county, how many there are, how many are drawn) for the screen."""
    names = counties_of(strata)
    found = []
    for one in strata:
        tier, path = one.name.split(":")
        direct = gettext("全市") if tier == Tier.COUNTY else gettext("市直单位")
        found.append((Tier(tier).label, names.get(path, direct), len(one.keys), one.wanted))
    return found
