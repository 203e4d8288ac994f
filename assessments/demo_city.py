"""A whole city for the demonstration: some two thousand unions in three campaigns, the same at every
run. Rows are written in bulk, by the rules of scoring but without the workflow; their record says
so."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from assessments import (
    campaigns,
    deadlines,
    demo,
    demo_record,
    recognition,
    recommending,
    rollups,
    standings,
    worksheet,
)
from assessments.choices import (
    DECIDED_STATES,
    CampaignState,
    IndicatorKind,
    Outcome,
    RecheckOutcome,
    State,
)
from assessments.models import (
    Answer,
    Campaign,
    Decision,
    DecisionCriterion,
    DecisionScore,
    Endorsement,
    Indicator,
    Review,
    ReviewScore,
    Rubric,
    SelfAssessment,
    TierPolicy,
)
from assessments.scoring import (
    AssessmentResult,
    IndicatorResult,
    Rating,
    score_assessment,
    score_indicator,
    storable,
)
from organizations import tree
from organizations.choices import ASSESSED_TIERS, Ownership, Tier, UnitKind
from organizations.models import Organization, User

_BATCH = 2000
#: Frozen forms are large.
_FROZEN = 100
_TRADES = [
    "机械制造",
    "商贸",
    "物流",
    "纺织",
    "建筑安装",
    "食品",
    "化工",
    "信息技术",
    "医药",
    "陶瓷",
]
#: Where a handed-in self-assessment of this year stands, with weights.
_UNDER_WAY = {
    State.SUBMITTED: 16,
    State.ENDORSED: 12,
    State.UNDER_REVIEW: 14,
    State.REVIEWED: 8,
    State.DECIDED: 50,
}


@dataclass
class _Form:
    """One self-assessment before its rows are written."""

    row: SelfAssessment
    ratings: dict[Indicator, Rating]
    results: dict[Indicator, IndicatorResult]
    result: AssessmentResult


@transaction.atomic
def seed(count: int = 1850, chance: int = 2026) -> bool:
    """Add the city to the demonstration (`demo.seed`); False where it is there already."""
    if Organization.objects.filter(code__startswith="CITY-").exists():
        return False
    luck = random.Random(chance)  # noqa: S311 - made-up figures
    _plant(luck, count)
    now = Campaign.objects.latest("year")
    people = {
        name: User.objects.get(username=name)
        for name in ("reviewer", "lead", "head", "township", "admin")
    }
    Campaign.objects.filter(pk=now.pk).update(cycle_start_year=now.year - 1)
    now.refresh_from_db()
    years = [_earlier(now, years_ago) for years_ago in (2, 1)] + [now]
    zeal = {
        county: luck.uniform(0.86, 1.0)
        for county in Organization.objects.filter(tier=Tier.COUNTY).values_list("path", flat=True)
    }
    hardness: dict[str, float] = {}
    for number, campaign in enumerate(years):
        _hold(campaign, number, luck, zeal, hardness, people)
        if campaign != now:
            campaigns.close_campaign(campaign, by=None)
    for campaign in Campaign.objects.opened():
        standings.rebuild(campaign)
        rollups.rebuild(campaign)
    _recommend(years[1], people)
    return True


def _plant(luck: random.Random, count: int) -> None:
    townships = list(Organization.objects.filter(tier=Tier.TOWNSHIP).order_by("code"))
    weights = [luck.uniform(0.4, 2) for _ in townships]
    tree.plant_all(
        Organization(
            code=f"CITY-{number:05}",
            name=f"示例{luck.choice(_TRADES)}第{number}有限责任公司工会委员会",
            tier=Tier.GRASSROOTS,
            parent=parent,
            kind=UnitKind.ENTERPRISE,
            ownership=Ownership.PRIVATE,
            workers=(workers := luck.randint(25, 900)),
            members=int(workers * luck.uniform(0.9, 1)),
        )
        for number, parent in enumerate(luck.choices(townships, weights, k=count), start=1)
    )


def _earlier(now: Campaign, years_ago: int) -> Campaign:
    """The campaign of some years before, with the dates of this one moved back. The three years
    have begun with the last one: one more is to come."""
    year = now.year - years_ago
    back = dt.timedelta(days=365 * years_ago)
    campaign = Campaign.objects.create(
        name=f"{year}年度争创“六好”工会活动",
        year=year,
        cycle_start_year=now.year - 1 if years_ago == 1 else year - 2,
        plan_deadline=dt.date(year, 4, 30),
        opens_on=now.opens_on - back,
        submission_deadline=now.submission_deadline - back,
        endorsement_deadline=now.endorsement_deadline - back,
        review_deadline=now.review_deadline - back,
    )
    for policy in now.policies.all():
        TierPolicy.objects.create(
            campaign=campaign,
            tier=policy.tier,
            rubric=policy.rubric,
            endorsement_required=policy.endorsement_required,
        )
    campaigns.open_campaign(campaign, by=None)
    campaign.refresh_from_db()
    return campaign


def _hold(
    campaign: Campaign,
    number: int,
    luck: random.Random,
    zeal: dict[str, float],
    hardness: dict[str, float],
    people: dict[str, User],
) -> None:
    """One year: who takes part, how well, and how far it has come."""
    rubrics = {policy.tier: policy.rubric for policy in campaign.policies.select_related("rubric")}
    taken = campaign.self_assessments.values("organization")
    unions = Organization.objects.active().filter(tier__in=ASSESSED_TIERS).exclude(pk__in=taken)
    at = deadlines.end_of_day(campaign.opens_on + dt.timedelta(days=20))
    forms = []
    for union in unions.select_related("parent").order_by("path"):
        keen = zeal.get((union.path or "")[:16], 0.93) + 0.03 * number
        # A union that got there in an earlier year seldom takes part again.
        if luck.random() > (0.28, 0.45, 0.72)[number] * keen:
            continue
        forms.append(_form(campaign, rubrics[union.tier], union, keen, luck, hardness, at))
    SelfAssessment.objects.bulk_create([form.row for form in forms], batch_size=_BATCH)
    handed_in = [form for form in forms if form.row.state != State.DRAFT]
    _write(
        (
            demo_record.revision(
                form.row, form.ratings, form.results, form.result, people["head"], at
            )
            for form in handed_in
        ),
        portion=_FROZEN,
    )
    demo_record.record([form.row for form in handed_in], people)
    _write(
        _rated(Answer(self_assessment=form.row, indicator=indicator), rating)
        for form in forms
        for indicator, rating in form.ratings.items()
    )
    _write(
        Endorsement(
            self_assessment=form.row,
            campaign=campaign,
            tier=form.row.organization.tier,
            revision=1,
            organization_id=form.row.organization.parent_id,
            opinion="经初审，材料属实，同意推荐。",
            author=people["township"],
            at=at,
        )
        for form in handed_in
        if form.row.state != State.SUBMITTED and form.row.organization.tier != Tier.COUNTY
    )
    _review(handed_in, people, at)
    _decide([form for form in handed_in if form.row.state in DECIDED_STATES], people["lead"], at)


def _form(
    campaign: Campaign,
    rubric: Rubric,
    union: Organization,
    keen: float,
    luck: random.Random,
    hardness: dict[str, float],
    at: dt.datetime,
) -> _Form:
    quality = min(1.0, max(0.35, luck.gauss(keen - 0.05, 0.08)))
    ratings = {
        indicator: demo.plausible_rating(
            indicator, Decimal(str(_share(indicator, quality, luck, hardness)))
        )
        for _, indicators in worksheet.outline(rubric.pk)
        for indicator in indicators
    }
    results = {
        indicator: score_indicator(indicator.rule, rating, campaign.thresholds)
        for indicator, rating in ratings.items()
    }
    by_criterion = {
        criterion.number: [results[indicator] for indicator in indicators]
        for criterion, indicators in worksheet.outline(rubric.pk)
    }
    result = score_assessment(by_criterion, campaign.thresholds)
    is_now = campaign.state == CampaignState.OPEN and campaign.submission_deadline >= (
        deadlines.local_day(deadlines.now())
    )
    state = luck.choices(list(_UNDER_WAY), list(_UNDER_WAY.values()))[0] if is_now else State.FINAL
    if is_now and luck.random() < 0.1:
        state = State.DRAFT
    row = SelfAssessment(
        campaign=campaign,
        organization=union,
        rubric=rubric,
        place=union.path,
        state=state,
        revision=0 if state == State.DRAFT else 1,
        submitted_at=None if state == State.DRAFT else at,
        self_total=storable(result.total),
    )
    return _Form(row, ratings, results, result)


def _share(
    indicator: Indicator, quality: float, luck: random.Random, hardness: dict[str, float]
) -> float:
    """What part of an indicator a union gets: some clauses are hard for everybody."""
    hard = hardness.setdefault(indicator.code, luck.choice([0, 0, 0, 0.04, 0.1, 0.2]))
    if indicator.kind == IndicatorKind.CHECKLIST or indicator.mandatory:
        hard = min(hard, 0.02)
    return round(min(1.0, max(0.2, quality + luck.uniform(0, 0.12) - hard)), 2)


def _review(forms: list[_Form], people: dict[str, User], at: dt.datetime) -> None:
    """A reviewer for what is under review; agreeing scores for what has been reviewed."""
    given = [form for form in forms if form.row.state in (State.UNDER_REVIEW, State.REVIEWED)]
    reviews = [
        Review(
            self_assessment=form.row,
            reviewer=people["reviewer"],
            revision=1,
            assigned_by=people["lead"],
            completed_at=at if form.row.state == State.REVIEWED else None,
        )
        for form in given
    ]
    Review.objects.bulk_create(reviews, batch_size=_BATCH)
    _write(
        _rated(ReviewScore(review=review, indicator=indicator, remark="同意自评。"), rating)
        for form, review in zip(given, reviews, strict=True)
        if form.row.state == State.REVIEWED
        for indicator, rating in form.ratings.items()
    )


def _decide(forms: list[_Form], by: User, at: dt.datetime) -> None:
    """Decisions as the scores come to, numbered on."""
    last = max((0, *_numbers(forms)))
    decisions = [
        Decision(
            self_assessment=form.row,
            revision=1,
            total=storable(form.result.total),
            outcome=(outcome := _outcome(form.result)),
            computed_outcome=outcome,
            campaign=form.row.campaign,
            number=number,
            decided_by=by,
            decided_at=at,
        )
        for number, form in enumerate(forms, start=last + 1)
    ]
    Decision.objects.bulk_create(decisions, batch_size=_BATCH)
    _write(
        DecisionCriterion(
            decision=decision,
            number=one.number,
            points=storable(one.points),
            maximum=one.maximum,
            met=one.met,
        )
        for form, decision in zip(forms, decisions, strict=True)
        for one in form.result.criteria
    )
    _write(
        DecisionScore(
            decision=decision,
            indicator=indicator,
            points=storable(one.points or Decimal(0)),
            maximum=one.maximum,
            met=one.met,
            remark="" if one.points == one.maximum else "材料不够充分。",
        )
        for form, decision in zip(forms, decisions, strict=True)
        for indicator, one in form.results.items()
    )


def _recommend(campaign: Campaign, people: dict[str, User]) -> None:
    """The titles of a campaign that is over, one of them in question, and its list for the province."""
    admin, lead = people["admin"], people["lead"]
    waiting = recognition.awaiting(campaign)
    recognition.award(campaign, campaign.review_deadline, admin, seen=waiting.count())
    percents = {}
    for tier in ASSESSED_TIERS:
        best = recognition.final_at_standard(campaign).filter(self_assessment__rubric__tier=tier)
        for number, one in enumerate(
            best.select_related("self_assessment__organization").order_by("-total", "pk")[:20]
        ):
            percents[one.self_assessment.organization] = Decimal(104 - number)
    recommending.enter_goals(campaign, percents, {}, admin)
    places = {(Tier.COUNTY, None): 1, (Tier.TOWNSHIP, None): 2, (Tier.GRASSROOTS, None): 4}
    made = recommending.draw_up(campaign, places, Decimal(100), admin)
    for user in (admin, lead):
        recommending.confirm(made, user, str(made.version))
    last = campaign.recognitions.order_by("number").last()
    remarks = "今年发生一起较大劳动争议，拟撤销。"
    recognition.recheck(last, RecheckOutcome.REVOKE, remarks, lead, recognition.stamp(last))


def _numbers(forms: list[_Form]) -> Iterable[int]:
    campaigns_ = {form.row.campaign_id for form in forms}
    return Decision.objects.filter(campaign__in=campaigns_).values_list("number", flat=True)


def _outcome(result: AssessmentResult) -> Outcome:
    return Outcome.AT_STANDARD if result.at_standard else Outcome.NOT_AT_STANDARD


def _rated(row: Any, rating: Rating) -> Any:
    row.apply(rating)
    return row


def _write(rows: Iterator[models.Model], portion: int = _BATCH) -> None:
    """In portions: hundreds of thousands of rows are never in memory at once."""
    while some := list(itertools.islice(rows, portion)):
        type(some[0])._default_manager.bulk_create(some)
