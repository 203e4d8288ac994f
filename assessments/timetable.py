"""日程: the days that concern somebody, as a list and as a calendar file."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext
from icalendar import Alarm, Calendar, Event

from assessments import deadlines, oversight, permissions
from assessments.choices import CampaignState, Occasion, RoundState, State, VisitState
from assessments.models import (
    CalendarAddress,
    Campaign,
    PublicityPeriod,
    SupervisionFinding,
    SupervisionRound,
    SupervisionVisit,
)
from assessments.models.plan import PLAN_TIERS
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization, User

#: Before the day, a phone says so.
_ALARMS = (dt.timedelta(days=-7), dt.timedelta(days=-1))


@dataclass(frozen=True)
class Day:
    """A last day: of a campaign, or of one `union` that has another than the rest."""

    on: dt.date
    occasion: Occasion
    campaign: Campaign
    link: str
    union: Organization | None = None
    number: int = 0

    @property
    def title(self) -> str:
        facts = {"year": self.campaign.year, "occasion": self.occasion.label}
        if self.union is None:
            return gettext("{year}年度“六好”：{occasion}").format(**facts)
        return gettext("{year}年度“六好”：{occasion}（{union}）").format(
            **facts, union=self.union.name
        )

    @property
    def uid(self) -> str:
        """The same for as long as the matter is the same, so that calendars move the entry."""
        union = self.union.pk if self.union else 0
        return f"{self.occasion.lower()}-{self.campaign.pk}-{union}-{self.number}@liuhao-portal"


def days_of(user: User) -> list[Day]:
    """What concerns the user in the campaigns that are under way, the earliest first: one query more
    for each of these campaigns, and none for anything else that grows."""
    found: list[Day] = []
    live = (CampaignState.OPEN, CampaignState.CLOSED)
    for campaign in Campaign.objects.filter(state__in=live).prefetch_related("policies"):
        found += _of_campaign(user, campaign)
        found += _of_unions(user, campaign)
    found += _of_publicity(live)
    found += _of_supervision(user, live)
    return sorted(found, key=lambda day: (day.on, day.occasion, day.uid))


def _of_campaign(user: User, campaign: Campaign) -> Iterable[Day]:
    tiers = {membership.organization.tier for membership in user.roles}
    at_city = Tier.CITY in tiers
    year = f"?year={campaign.year}"
    workbench = reverse("assessments:workbench") + year
    oversight_page = reverse("assessments:oversight") + year
    if at_city or tiers & {*PLAN_TIERS}:
        url = reverse("assessments:plan_list") + year
        yield Day(campaign.plan_deadline, Occasion.PLAN, campaign, url)
    if at_city or tiers & {*ASSESSED_TIERS}:
        yield Day(campaign.submission_deadline, Occasion.SUBMISSION, campaign, workbench)
    if campaign.endorsement_deadline and (at_city or permissions.endorses_for(user)):
        day = campaign.endorsement_deadline
        yield Day(day, Occasion.ENDORSEMENT, campaign, oversight_page)
    if at_city:
        yield Day(campaign.review_deadline, Occasion.REVIEW, campaign, workbench)


def _of_publicity(live: Collection[CampaignState]) -> Iterable[Day]:
    periods = PublicityPeriod.objects.filter(campaign__state__in=live)
    for one in periods.select_related("campaign"):
        url = f"{reverse('assessments:results')}?year={one.campaign.year}"
        yield Day(one.closes_on, Occasion.PUBLICITY, one.campaign, url, number=one.number)


def _of_unions(user: User, campaign: Campaign) -> Iterable[Day]:
    """The user's own unions that have a day of their own: 延期, 退回修改."""
    own = [membership.organization_id for membership in user.roles]
    unions = oversight.staged(Organization.objects.active().filter(pk__in=own), campaign)
    for union in unions.filter(stage__in=oversight.BEHIND):
        returned = union.stage == State.RETURNED
        if returned or union.due != campaign.submission_deadline:
            occasion = Occasion.CORRECTION if returned else Occasion.SUBMISSION
            url = f"{reverse('assessments:workbench')}?year={campaign.year}"
            yield Day(union.due, occasion, campaign, url, union)


def _of_supervision(user: User, live: Collection[CampaignState]) -> Iterable[Day]:
    """督查: what the user's own unions have to put right, and the rounds in which the user has still
    to visit somebody."""
    own = [membership.organization_id for membership in user.roles]
    findings = SupervisionFinding.objects.unanswered().filter(
        visit__organization__in=own, visit__round__campaign__state__in=live
    )
    for one in findings.select_related("visit__organization", "visit__round__campaign"):
        visit, url = one.visit, one.get_absolute_url()
        campaign, union = visit.round.campaign, visit.organization
        yield Day(one.rectify_by, Occasion.RECTIFICATION, campaign, url, union, one.pk)
    visits = SupervisionVisit.objects.written_by(user).filter(state=VisitState.PLANNED)
    rounds = SupervisionRound.objects.filter(
        state=RoundState.RUNNING, campaign__state__in=live, pk__in=visits.values("round")
    )
    for one in rounds.select_related("campaign"):
        url = one.get_absolute_url()
        yield Day(one.ends_on, Occasion.VISITS, one.campaign, url, number=one.pk)


def as_calendar(days: Iterable[Day], root: str) -> bytes:
    """An iCalendar file of whole days. `root` is the portal's own address."""
    calendar = Calendar()
    calendar.add("prodid", "-//liuhao-portal//CN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", gettext("“六好”工会创建日程"))
    now = deadlines.now()
    for day in days:
        event = Event()
        event.add("uid", day.uid)
        event.add("dtstamp", now)
        event.add("dtstart", day.on)  # a whole day: no end is needed
        event.add("summary", day.title)
        event.add("url", f"{root}{day.link}")
        event.add("transp", "TRANSPARENT")
        for ahead in _ALARMS:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", day.title)
            alarm.add("trigger", ahead)
            event.add_component(alarm)
        calendar.add_component(event)
    return calendar.to_ical()


def key_of(user: User) -> str:
    """The secret part of the user's address; empty where none was made."""
    return CalendarAddress.objects.filter(user=user).values_list("key", flat=True).first() or ""


def renew_address(user: User) -> None:
    """A first address, or another one: the one before no longer leads anywhere."""
    CalendarAddress.objects.update_or_create(user=user, defaults={"key": _new_key()})


def owner_of(key: str) -> User | None:
    """Whose address it is, as long as the account is active."""
    return User.objects.filter(calendar_address__key=key, is_active=True).first()


def _new_key() -> str:
    return secrets.token_urlsafe(32)
