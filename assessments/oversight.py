"""申报情况: where every union in somebody's scope stands, as one query over the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from assessments import deadlines, permissions, worksheet
from assessments.choices import REVIEWED_STATES, IndicatorKind, Matter, State
from assessments.models import Answer, Campaign, Endorsement, Extension, ProxyFilling, Urge
from assessments.models.self_assessment import REVIEWING_ROLES, recused_paths
from organizations.choices import Tier
from organizations.models import Organization, User
from organizations.models.organization import SUBTREE_ROLES, within


class Stage(TextChoices):
    """How far a union has come, as its superior counts it."""

    NONE = "NONE", _("未开始")
    DRAFT = "DRAFT", _("填报中")
    TO_ENDORSE = "TO_ENDORSE", _("待初审")
    SUBMITTED = "SUBMITTED", _("待受理")
    ENDORSED = "ENDORSED", _("已初审")
    RETURNED = "RETURNED", pgettext_lazy("state", "退回修改")
    UNDER_REVIEW = "UNDER_REVIEW", _("评审中")
    REVIEWED = "REVIEWED", _("评审完毕")


#: The union itself must act.
BEHIND = (Stage.NONE, Stage.DRAFT, Stage.RETURNED)


class Lag(TextChoices):
    """Who is behind, and with what."""

    BEHIND = "behind", _("尚未提交")
    OVERDUE = "overdue", _("逾期未提交")
    UNENDORSED = "unendorsed", _("逾期未初审")
    PROXIED = "proxied", _("上级代填中")


def scope_of(user: User) -> Q:
    """The unions whose progress the user may see; a lead nothing of what they are recused from
    (回避)."""
    if user.is_superuser:
        return ~Q(pk__in=[])
    scope = Q(pk__in=[])
    for membership in user.roles:
        if membership.role not in SUBTREE_ROLES:
            continue
        part = within(membership.organization.path)
        if membership.role in REVIEWING_ROLES:
            for path in recused_paths(user):
                part &= ~within(path)
        scope |= part
    return scope


def visible(user: User) -> QuerySet[Organization]:
    """Those of them that have not been dissolved."""
    return Organization.objects.active().filter(scope_of(user))


def last_urged(campaign: Campaign, matter: Matter) -> Subquery:
    """The last day on which a row's union was urged."""
    urges = Urge.objects.filter(campaign=campaign, organization=OuterRef("pk"), matter=matter)
    return Subquery(urges.order_by("-day").values("day")[:1])


def rows(user: User, campaign: Campaign) -> QuerySet[Organization]:
    """Every union in the user's scope that should hand in, as `staged`, with `is_own` and `is_mine`
    (waits for the user's own 初审)."""
    own = [membership.organization_id for membership in user.roles]
    return staged(visible(user), campaign).annotate(
        is_own=Case(When(pk__in=own, then=Value(True)), default=Value(False)),
        is_mine=Case(
            When(
                stage=Stage.TO_ENDORSE, parent__in=permissions.endorses_for(user), then=Value(True)
            ),
            default=Value(False),
        ),
    )


def staged(found: QuerySet[Organization], campaign: Campaign) -> QuerySet[Organization]:
    """Those that should hand in, with `stage`, `due` (the last day on which it may hand in),
    `last_urged`, `rank`, and of its self-assessment `entry_pk`, `entry_state`, `entry_total`,
    `entry_submitted_at`."""
    policies = [(one.tier, one.endorsement_required) for one in campaign.policies.all()]
    to_endorse = Q(
        entry__state=State.SUBMITTED,
        tier__in=[tier for tier, required in policies if required],
        parent__tier__in=[tier for tier in Tier if tier != Tier.CITY],
    )
    endorsed = Endorsement.objects.standing().filter(self_assessment=OuterRef("entry__pk"))
    usual = Value(campaign.submission_deadline, output_field=DateField())
    extended = Extension.objects.filter(campaign=campaign, organization=OuterRef("pk"))
    return (
        found.filter(tier__in=[tier for tier, _ in policies])
        .annotate(
            entry=FilteredRelation(
                "self_assessments", condition=Q(self_assessments__campaign=campaign)
            ),
            entry_pk=F("entry__pk"),
            entry_state=F("entry__state"),
            entry_total=F("entry__self_total"),
            entry_submitted_at=F("entry__submitted_at"),
            entry_rubric=F("entry__rubric"),
        )
        .annotate(
            stage=Case(
                When(entry__pk=None, then=Value(Stage.NONE)),
                When(to_endorse & ~Exists(endorsed), then=Value(Stage.TO_ENDORSE)),
                When(entry__state__in=REVIEWED_STATES, then=Value(Stage.REVIEWED)),
                default=F("entry__state"),
                output_field=CharField(),
            ),
            due=Greatest(
                usual,
                Coalesce(Subquery(extended.values("until")[:1]), usual),
                Case(
                    When(
                        entry__state=State.RETURNED, then=Coalesce("entry__correction_due", usual)
                    ),
                    default=usual,
                    output_field=DateField(),
                ),
                output_field=DateField(),
            ),
            last_urged=last_urged(campaign, Matter.ASSESSMENT),
            rank=Subquery(endorsed.values("rank")[:1]),
        )
    )


def lagging(found: QuerySet[Organization], lag: str, campaign: Campaign, at: dt.datetime):
    """Those of the rows that are behind in that way."""
    if lag == Lag.BEHIND:
        return found.filter(stage__in=BEHIND)
    if lag == Lag.OVERDUE:
        return found.filter(stage__in=BEHIND, due__lt=deadlines.local_day(at))
    if lag == Lag.UNENDORSED:
        return (
            found.filter(stage=Stage.TO_ENDORSE)
            if deadlines.endorsement_is_over(campaign, at)
            else found.none()
        )
    if lag == Lag.PROXIED:
        open_ones = ProxyFilling.objects.filter(
            self_assessment=OuterRef("entry__pk"), ended_at=None
        )
        return found.filter(Exists(open_ones), stage__in=BEHIND)
    return found


def waiting_first(found: QuerySet[Organization]) -> QuerySet[Organization]:
    """What waits for the user's own 初审 first; the rest follows the tree. `still_due` is the day
    to keep, of who has not handed in."""
    return found.annotate(
        still_due=Case(When(stage__in=BEHIND, then="due"), default=None, output_field=DateField())
    ).order_by("-is_mine", "path")


@dataclass(frozen=True)
class Counts:
    """The rows by stage, and what stands at the head of the desk. `below` and what follows it
    leave the user's own unions out of account."""

    by_stage: dict[str, int]
    below: int
    handed_in: int
    waiting: int
    overdue: int
    mine: int

    @property
    def total(self) -> int:
        return sum(self.by_stage.values())


def count(found: QuerySet[Organization], at: dt.datetime) -> Counts:
    """One query, whatever the size."""
    today = deadlines.local_day(at)
    groups = list(
        found.order_by()
        .values("stage", "is_own", "is_mine")
        .annotate(number=Count("pk"), late=Count("pk", filter=Q(stage__in=BEHIND, due__lt=today)))
    )
    by_stage = dict.fromkeys(Stage.values, 0)
    for group in groups:
        by_stage[group["stage"]] += group["number"]
    below = [group for group in groups if not group["is_own"]]
    return Counts(
        by_stage=by_stage,
        below=sum(group["number"] for group in below),
        handed_in=sum(group["number"] for group in below if group["stage"] not in BEHIND),
        waiting=sum(group["number"] for group in below if group["stage"] == Stage.TO_ENDORSE),
        overdue=sum(group["late"] for group in below),
        mine=sum(group["number"] for group in groups if group["is_mine"]),
    )


#: An answer with everything that its indicator's kind asks for: `scoring.is_answered` in SQL.
_ANSWERED = (
    Q(not_applicable=True, indicator__conditional=True)
    | Q(indicator__kind=IndicatorKind.CHECKLIST, checked_items__isnull=False)
    | Q(indicator__kind=IndicatorKind.SCORE, score__isnull=False)
    | Q(
        Q(indicator__threshold_percent__isnull=False) | Q(score__isnull=False),
        indicator__kind=IndicatorKind.RATE,
        numerator__isnull=False,
        denominator__isnull=False,
    )
)


def progress(page: Iterable[Organization]) -> dict[int, int]:
    """How far each of a page's unions that is writing has come: percent of its indicators
    answered, by key of the union. One query; nothing of what was answered."""
    writing = {one.entry_pk: one for one in page if one.stage in (Stage.DRAFT, Stage.RETURNED)}
    if not writing:
        return {}
    answered = dict(
        Answer.objects.filter(_ANSWERED, self_assessment__in=writing)
        .values_list("self_assessment")
        .annotate(Count("pk"))
    )
    found = {}
    for key, one in writing.items():
        total = sum(len(some) for _, some in worksheet.outline(one.entry_rubric))
        found[one.pk] = answered.get(key, 0) * 100 // total if total else 0
    return found


def proxied(page: Iterable[Organization]) -> dict[int, str]:
    """Who fills in for whom (代填) on a page: the union's name by self-assessment."""
    open_ones = ProxyFilling.objects.filter(
        self_assessment__in=[one.entry_pk for one in page if one.entry_pk], ended_at=None
    )
    return dict(open_ones.values_list("self_assessment", "organization__name"))
