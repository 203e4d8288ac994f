"""推荐表彰: the list for the province, drawn up by the rule of `nominating`, changed by hand with a
reason, and confirmed by two persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils.translation import gettext

from assessments import audiences, deadlines, permissions, recognition
from assessments.assigning import BATCH, NotAllowed
from assessments.models import (
    Campaign,
    Decision,
    GoalCompletion,
    Recommendation,
    RecommendationList,
    RecommendationQuota,
    SelfAssessment,
)
from assessments.nominating import Contender, Nominated, Quotas, nominate
from organizations.audit import record
from organizations.choices import Act, NotificationKind
from organizations.models import Organization, User
from organizations.notifications import notify

#: Places by tier and county; None stands for the whole city.
Places = Mapping[tuple[str, Organization | None], int]


def visible_to(user: User) -> QuerySet[Recommendation]:
    """The city's leads see all of the lists; others who is recommended, once that is confirmed. Nobody sees
    a union that they must stand back from."""
    rows = Recommendation.objects.filter(
        self_assessment__in=SelfAssessment.objects.visible_to(user)
    )
    if permissions.may_lead(user):
        return rows
    return rows.filter(listed=True, list__second_by__isnull=False)


def listed_of(made: RecommendationList) -> QuerySet[Recommendation]:
    """The unions on the list, in its order, with what the papers say of them."""
    return made.lines.filter(listed=True).select_related(
        "list__campaign",
        "self_assessment__organization__parent",
        "self_assessment__rubric",
        "self_assessment__standing",
    )


def with_goals(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """With `goals`, what was entered of the union for that campaign."""
    entered = GoalCompletion.objects.filter(
        campaign=OuterRef("campaign"), organization=OuterRef("self_assessment__organization")
    )
    return decisions.annotate(goals=Subquery(entered.values("percent")))


def contenders(campaign: Campaign) -> Iterator[Contender]:
    """All unions at standard in the order of their merit, read in portions."""
    rows = with_goals(recognition.final_at_standard(campaign)).values_list(
        "self_assessment",
        "self_assessment__organization__code",
        "self_assessment__standing__tier",
        "self_assessment__standing__county",
        "total",
        "goals",
        "has_title",
        "self_assessment__organization__dissolved_on",
    )
    in_order = rows.order_by(
        "-total", F("goals").desc(nulls_last=True), "self_assessment__organization__code"
    )
    for *facts, dissolved_on in in_order.iterator(BATCH):
        yield Contender(*facts, is_active=dissolved_on is None)


@transaction.atomic
def enter_goals(
    campaign: Campaign,
    percents: Mapping[Organization, Decimal | None],
    seen: Mapping[int, Decimal | None],
    by: User,
) -> int:
    """Store what differs from what was `seen` (by key of the union), on record: how many that were.
    None takes an entry back; a list that rests on another figure has to be drawn up anew. Raises
    NotAllowed."""
    _refuse_strangers(by)
    if any(permissions.has_conflict(by, union) for union in percents):
        raise NotAllowed(gettext("其中有您须回避的工会。"))
    # Two who enter the first figure of a union have no row of it to wait for.
    _refuse_archived(Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk))
    before = dict(
        campaign.goals.filter(organization__in=percents).values_list("organization", "percent")
    )
    typed = {union: percent for union, percent in percents.items() if seen.get(union.pk) != percent}
    changed = {
        union: percent for union, percent in typed.items() if before.get(union.pk) != percent
    }
    for union in changed:
        if (now := before.get(union.pk)) != seen.get(union.pk):
            text = (
                gettext("别人刚刚把“{union}”的完成率删去了，请核对后再保存。")
                if now is None
                else gettext("别人刚刚把“{union}”的完成率改为 {percent}%，请核对后再保存。")
            )
            raise NotAllowed(text.format(union=union, percent=now))
    campaign.goals.filter(
        organization__in=[union for union, percent in changed.items() if percent is None]
    ).delete()
    GoalCompletion.objects.bulk_create(
        [
            GoalCompletion(campaign=campaign, organization=union, percent=percent, entered_by=by)
            for union, percent in changed.items()
            if percent is not None
        ],
        update_conflicts=True,
        unique_fields=["campaign", "organization"],
        update_fields=["percent", "entered_by"],
    )
    if changed:
        figures = {union.name: str(percent or "") for union, percent in changed.items()}
        record(action=Act.GOALS_ENTERED, by=by, subject=campaign, details={"percent": figures})
    return len(changed)


@transaction.atomic
def draw_up(
    campaign: Campaign, places: Places, least_goals: Decimal, by: User
) -> RecommendationList:
    """The list by the rule, in place of the one before: what was changed by hand is gone, the packages
    stay. Raises NotAllowed once it is confirmed."""
    _refuse_strangers(by)
    RecommendationList.objects.bulk_create(
        [RecommendationList(campaign=campaign, drawn_at=deadlines.now())], ignore_conflicts=True
    )
    made = _lock(campaign.pk)
    made.least_goals, made.drawn_at = least_goals, deadlines.now()
    made.quotas.all().delete()
    RecommendationQuota.objects.bulk_create(
        RecommendationQuota(list=made, tier=tier, county=county, places=number)
        for (tier, county), number in places.items()
    )
    quotas = Quotas(
        {tier: number for (tier, county), number in places.items() if county is None},
        {(tier, county.path): number for (tier, county), number in places.items() if county},
        least_goals,
    )
    made.lines.exclude(
        self_assessment__in=recognition.final_at_standard(campaign).values("self_assessment")
    ).delete()
    found = nominate(contenders(campaign), quotas)
    while portion := list(islice(found, BATCH)):
        _write(made, portion)
    _changed(made)
    listed = made.lines.filter(listed=True).count()
    record(action=Act.RECOMMENDATION_DRAWN, by=by, subject=made, details={"listed": listed})
    return made


def _write(made: RecommendationList, portion: list[Nominated]) -> None:
    rows = [
        Recommendation(
            list=made,
            self_assessment_id=one.contender.key,
            total=one.contender.total,
            goals=one.contender.goals,
            rank=one.rank,
            listed=not one.left_out,
            left_out=one.left_out,
            tied=one.tied,
        )
        for one in portion
    ]
    Recommendation.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["self_assessment"],
        update_fields=["total", "goals", "rank", "listed", "left_out", "tied", "hand_reason"],
    )


@transaction.atomic
def change(line: Recommendation, listed: bool, reason: str, by: User, seen: str) -> None:
    """Put a union on the list or take it off by hand. Raises NotAllowed: without a title nobody is
    recommended."""
    _refuse_strangers(by)
    made = _lock(line.list.campaign_id, seen)
    locked = made.lines.select_related("self_assessment__organization").get(pk=line.pk)
    union = locked.self_assessment.organization
    if permissions.has_conflict(by, union):
        raise NotAllowed(gettext("您须回避这个工会。"))
    if locked.listed == listed:
        text = (
            gettext("“{union}”已经在名单上。") if listed else gettext("“{union}”已经不在名单上。")
        )
        raise NotAllowed(text.format(union=union))
    if listed and is_gone(locked):
        raise NotAllowed(
            gettext("“{union}”没有有效的命名，或者已经撤销，不能推荐。").format(union=union)
        )
    locked.listed = listed
    locked.hand_reason = "" if listed == (not locked.left_out) else reason
    locked.save(update_fields=["listed", "hand_reason"])
    _changed(made)
    record(
        action=Act.RECOMMENDATION_CHANGED,
        by=by,
        subject=made,
        details={"organization": union.name, "listed": listed, "reason": reason},
    )


@transaction.atomic
def confirm(made: RecommendationList, by: User, seen: str) -> RecommendationList:
    """The first person's confirmation, or the second's, which fixes the list and tells the unions.
    Raises NotAllowed."""
    _refuse_strangers(by)
    locked = _lock(made.campaign_id, seen)
    listed = locked.lines.filter(listed=True)
    if not listed.exists():
        raise NotAllowed(gettext("名单是空的，没有可以推荐的工会。"))
    if _has_own(locked, by):
        raise NotAllowed(gettext("名单里有您须回避的工会，请由其他组长或管理员确认。"))
    if obstacles(locked, by):
        raise NotAllowed(gettext("名单生成之后有了变化，请先处理。"))
    if locked.first_by_id == by.pk:
        raise NotAllowed(gettext("名单须由两人确认，您已经确认过，请另一人确认。"))
    if locked.first_by_id is None:
        locked.first_by = by
    else:
        locked.second_by, locked.confirmed_at = by, deadlines.now()
    locked.save()
    record(
        action=Act.RECOMMENDATION_CONFIRMED,
        by=by,
        subject=locked,
        details={"listed": listed.count(), "second": locked.is_confirmed},
    )
    if locked.is_confirmed:
        text = "“{}”已列入推荐省总工会表彰名单，请准备推荐材料。"
        _tell_unions(locked, NotificationKind.TURN, text, by)
    return locked


def _tell_unions(made: RecommendationList, kind: NotificationKind, text: str, by: User) -> None:
    """Those on the list; `text` has a place for the name."""
    listed = made.lines.filter(listed=True).select_related("self_assessment__organization__parent")
    for line in listed:
        union = line.self_assessment.organization
        page = line if made.is_confirmed else line.self_assessment
        notify(
            audiences.writers_of(union),
            kind=kind,
            text=text.format(union),
            link=page.get_absolute_url(),
            by=by,
        )


@transaction.atomic
def reopen(made: RecommendationList, reason: str, by: User, seen: str) -> None:
    """A confirmed list is open again, with a reason. Raises NotAllowed."""
    _refuse_strangers(by)
    locked = _lock(made.campaign_id, seen, confirmed=True)
    locked.first_by = locked.second_by = locked.confirmed_at = None
    _changed(locked)
    record(action=Act.RECOMMENDATION_REOPENED, by=by, subject=locked, details={"reason": reason})
    text = "推荐名单已重开，“{}”的推荐材料暂不能修改，请等候再次确认。"
    _tell_unions(locked, NotificationKind.RESULT, text, by)


def is_gone(line: Recommendation) -> bool:
    """Whether this one can no longer be recommended."""
    return gone(line.list).filter(pk=line.pk).exists()


def gone(made: RecommendationList) -> QuerySet[Recommendation]:
    """Lines that cannot be recommended: the title was lost, the decision changed, or the union was
    dissolved."""
    standing = recognition.final_at_standard(made.campaign).filter(
        has_title=True, self_assessment__organization__dissolved_on=None
    )
    return made.lines.exclude(self_assessment__in=standing.values("self_assessment"))


def obstacles(made: RecommendationList, by: User, most: int = 20) -> list[str]:
    """The first of what has changed under the list, in the words of the screen."""
    none = Value(Decimal(-1))
    agreeing = with_goals(recognition.final_at_standard(made.campaign)).filter(
        Exact(Coalesce("goals", none), Coalesce(OuterRef("goals"), none)),
        self_assessment=OuterRef("self_assessment"),
        total=OuterRef("total"),
    )
    listed = made.lines.filter(listed=True, pk__in=visible_to(by))
    lost = gone(made)
    return [
        text.format(union=line.self_assessment.organization)
        for rows, text in (
            (listed.filter(pk__in=lost), gettext("{union}：命名、评定或工会已经撤销，请移出名单")),
            (
                listed.exclude(pk__in=lost).filter(~Exists(agreeing)),
                gettext("{union}：得分或年度目标完成率有了变化，请重新生成名单"),
            ),
        )
        for line in rows.select_related("self_assessment__organization")[:most]
    ]


def _has_own(made: RecommendationList, by: User) -> bool:
    """Whether the user must stand back from one of the listed unions."""
    unions = Organization.objects.filter(
        self_assessments__recommendation__list=made, self_assessments__recommendation__listed=True
    )
    return any(permissions.has_conflict(by, union) for union in unions)


def _lock(campaign: int, seen: str = "", *, confirmed: bool = False) -> RecommendationList:
    """The list of a campaign, locked to be changed; `seen` is the version that the page showed."""
    locked = (
        RecommendationList.objects.select_for_update(of=("self",))
        .select_related("campaign")
        .get(campaign=campaign)
    )
    _refuse_archived(locked.campaign)
    if locked.is_confirmed != confirmed:
        raise NotAllowed(
            gettext("名单还没有确认。") if confirmed else gettext("名单已由两人确认，不能再改。")
        )
    if seen and seen != str(locked.version):
        raise NotAllowed(gettext("名单刚刚有了变化，请核对之后再提交。"))
    return locked


def _refuse_archived(campaign: Campaign) -> None:
    if campaign.is_archived:
        raise NotAllowed(gettext("本年度活动已经归档，只能查看。"))


def _changed(made: RecommendationList) -> None:
    made.first_by = None
    made.version += 1
    made.save()


def _refuse_strangers(by: User) -> None:
    if not permissions.may_lead(by):
        raise NotAllowed(gettext("只有评审组长和管理员可以推荐。"))
