"""Reminders (提醒): whoever has not done what is due is told 30, 7 and 1 days before. By a command
that may run at any time, twice, and twice at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from assessments import deadlines, oversight, plans
from assessments.choices import (
    CampaignState,
    Occasion,
    PlanState,
    RoundState,
    State,
    VisitState,
)
from assessments.models import Campaign, Reminder, Review, SupervisionFinding
from assessments.oversight import Stage
from organizations.chinese import in_chinese
from organizations.choices import NotificationKind, Role
from organizations.models import Membership, Organization, User
from organizations.notifications import notify

#: Whoever is told late is told once, of the nearest distance.
DAYS_BEFORE = (30, 7, 1)
_BATCH = 1000
_WRITERS = (Role.REPORTER, Role.HEAD)
_FIELDS = {
    Occasion.PLAN: "plan_deadline",
    Occasion.SUBMISSION: "submission_deadline",
    Occasion.ENDORSEMENT: "endorsement_deadline",
    Occasion.REVIEW: "review_deadline",
}
_LIVE = (CampaignState.OPEN, CampaignState.CLOSED)


@dataclass(frozen=True)
class Duty:
    """What some people still have to do by a day."""

    occasion: Occasion
    due: dt.date
    text: str
    link: str
    people: QuerySet[User]


def send(at: dt.datetime) -> int:
    """Tell everybody whose day is near and who has not been told; how many were."""
    return sum(
        _send(campaign, duty, at)
        for campaign in Campaign.objects.filter(state__in=_LIVE).order_by("pk")
        for duty in duties(campaign)
    )


def duties(campaign: Campaign) -> Iterator[Duty]:
    """What is still to be done in the campaign, by whom."""
    if campaign.state == CampaignState.OPEN:
        yield _plans(campaign)
        yield from _submissions(campaign)
    yield from _corrections(campaign)
    if campaign.endorsement_deadline:
        yield _endorsements(campaign, campaign.endorsement_deadline)
    yield _reviews(campaign)
    yield from _visits(campaign)
    yield from _rectifications(campaign)


@in_chinese()
def tell_extended(campaign: Campaign, days: Mapping[str, dt.date], reason: str, by: User) -> None:
    """Whoever still has to do it learns of the new day. `days` are fields of the campaign."""
    for duty in duties(campaign):
        field = _FIELDS.get(duty.occasion)
        if field in days:
            notify(
                duty.people.iterator(_BATCH),
                kind=NotificationKind.REMINDER,
                text=f"{campaign.name}：{duty.occasion.label}延至 {days[field]:%Y-%m-%d}。{reason}",
                link=duty.link,
                by=by,
                due=duty.due,
            )


def _writers(unions: QuerySet[Organization]) -> QuerySet[User]:
    held = Membership.objects.filter(
        user=OuterRef("pk"), role__in=_WRITERS, organization__in=unions.order_by().values("pk")
    )
    return User.objects.filter(Exists(held), is_active=True)


def _plans(campaign: Campaign) -> Duty:
    unions = plans.staged(Organization.objects.active(), campaign, deadlines.now())
    missing = unions.filter(stage__in=(plans.NONE, PlanState.DRAFT, PlanState.RETURNED))
    return Duty(
        Occasion.PLAN,
        campaign.plan_deadline,
        f"请报送{campaign.name}的实施方案",
        f"{reverse('assessments:plan_list')}?year={campaign.year}",
        _writers(missing),
    )


def _submissions(campaign: Campaign) -> Iterator[Duty]:
    """One for each day: a union may have been given more time."""
    unions = oversight.staged(Organization.objects.active(), campaign)
    yield from _by_day(
        unions.filter(stage__in=(Stage.NONE, Stage.DRAFT)),
        Occasion.SUBMISSION,
        f"请完成{campaign.name}的自评并签批提交",
        campaign,
    )


def _corrections(campaign: Campaign) -> Iterator[Duty]:
    unions = oversight.staged(Organization.objects.active(), campaign)
    yield from _by_day(
        unions.filter(stage=Stage.RETURNED),
        Occasion.CORRECTION,
        f"{campaign.name}的申报被退回，请改好后重新提交",
        campaign,
    )


def _by_day(
    unions: QuerySet[Organization], occasion: Occasion, text: str, campaign: Campaign
) -> Iterator[Duty]:
    link = f"{reverse('assessments:workbench')}?year={campaign.year}"
    for day in unions.order_by().values_list("due", flat=True).distinct():
        yield Duty(occasion, day, text, link, _writers(unions.filter(due=day)))


def _endorsements(campaign: Campaign, due: dt.date) -> Duty:
    waiting = oversight.staged(Organization.objects.active(), campaign).filter(
        stage=Stage.TO_ENDORSE
    )
    heads = Membership.objects.filter(
        user=OuterRef("pk"),
        role=Role.HEAD,
        organization__in=waiting.order_by().values("parent"),
    )
    return Duty(
        Occasion.ENDORSEMENT,
        due,
        f"还有下级工会的{campaign.name}申报等待您初审",
        f"{reverse('assessments:oversight')}?year={campaign.year}&state={Stage.TO_ENDORSE}",
        User.objects.filter(Exists(heads), is_active=True),
    )


def _reviews(campaign: Campaign) -> Duty:
    open_ones = Review.objects.filter(
        reviewer=OuterRef("pk"),
        completed_at=None,
        self_assessment__campaign=campaign,
        self_assessment__state__in=(State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW),
    )
    return Duty(
        Occasion.REVIEW,
        campaign.review_deadline,
        f"还有{campaign.name}的申报等待您评分",
        f"{reverse('assessments:review_list')}?year={campaign.year}",
        User.objects.filter(Exists(open_ones), is_active=True),
    )


def _visits(campaign: Campaign) -> Iterator[Duty]:
    """督查走访: the teams that have still to go somewhere."""
    for round_ in campaign.supervision_rounds.filter(state=RoundState.RUNNING):
        left = round_.visits.filter(state=VisitState.PLANNED)
        teams = round_.teams.filter(pk__in=left.order_by().values("team"))
        yield Duty(
            Occasion.VISITS,
            round_.ends_on,
            f"“{round_}”还有工会没有走访",
            round_.get_absolute_url(),
            User.objects.filter(supervision_teams__in=teams, is_active=True).distinct(),
        )


def _rectifications(campaign: Campaign) -> Iterator[Duty]:
    """督查整改: one for each day."""
    findings = SupervisionFinding.objects.unanswered().filter(visit__round__campaign=campaign)
    link = f"{reverse('assessments:supervision_findings')}?year={campaign.year}&state=UNANSWERED"
    for day in findings.order_by().values_list("rectify_by", flat=True).distinct():
        behind = findings.filter(rectify_by=day).order_by().values("visit__organization")
        yield Duty(
            Occasion.RECTIFICATION,
            day,
            "督查反馈的问题请整改，并报送整改情况",
            link,
            _writers(Organization.objects.active().filter(pk__in=behind)),
        )


@transaction.atomic
def _send(campaign: Campaign, duty: Duty, at: dt.datetime) -> int:
    left = deadlines.days_left(duty.due, at)
    distance = min((days for days in DAYS_BEFORE if 0 <= left <= days), default=None)
    if distance is None:
        return 0
    # Whoever runs at the same moment waits here, and then finds everybody told.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    mark = {
        "campaign": campaign,
        "occasion": duty.occasion,
        "due_on": duty.due,
        "days": distance,
    }
    told = Reminder.objects.filter(user=OuterRef("pk"), **mark)
    wanted = duty.people.filter(~Exists(told)).order_by("pk")
    when = f"还剩 {left} 天" if left else "今天截止"
    number = 0
    while people := list(wanted[:_BATCH]):
        Reminder.objects.bulk_create(Reminder(user=user, **mark) for user in people)
        number += notify(
            people,
            kind=NotificationKind.REMINDER,
            text=f"{duty.text}：{duty.due:%Y-%m-%d} 截止，{when}。",
            link=duty.link,
            due=duty.due,
        )
    return number
