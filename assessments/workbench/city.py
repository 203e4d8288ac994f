"""What waits for the people of the city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, Exists, Min, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext

from assessments import deadlines, extensions, oversight, permissions, publishing
from assessments.choices import (
    Action,
    AppealState,
    InspectionState,
    State,
)
from assessments.models import (
    Appeal,
    Campaign,
    Inspection,
    Recognition,
    RecommendationList,
    Review,
    SelfAssessment,
)
from assessments.oversight import Lag, Stage
from assessments.workbench.counting import Counted
from assessments.workbench.task import Task
from organizations.choices import Role
from organizations.models import User
from organizations.permissions import has_city_role


def unendorsed(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    """What the city's lead can take on without the superiors, who have let their day pass."""
    if permissions.may_lead(user) and deadlines.endorsement_is_over(campaign, at):
        yield Counted(
            oversight.rows(user, campaign).filter(stage=Stage.TO_ENDORSE),
            lambda waiting: Task(
                title=gettext("上级逾期未初审"),
                text=gettext("{waiting} 份申报上级逾期未初审，可以直接受理。").format(
                    waiting=waiting
                ),
                url=f"{reverse('assessments:oversight')}?lag={Lag.UNENDORSED}",
                button=gettext("去查看"),
            ),
        )


def reviews(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    if has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER}):
        yield Counted(
            Review.objects.visible_to(user).filter(
                self_assessment__campaign=campaign,
                completed_at=None,
                self_assessment__state__in=[State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW],
            ),
            lambda waiting: Task(
                title=gettext("评审任务"),
                text=gettext("{waiting} 份申报等待您评分。").format(waiting=waiting),
                url=reverse("assessments:review_list"),
                button=gettext("去评审"),
                due=campaign.review_deadline,
                days_left=deadlines.days_left(campaign.review_deadline, at),
            ),
        )


def leading(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    if not permissions.may_lead(user):
        return []
    assessments = SelfAssessment.objects.filter(campaign=campaign)
    unassigned = ~Exists(Review.objects.filter(self_assessment=OuterRef("pk")))
    counts = assessments.aggregate(
        to_assign=Count("pk", filter=Q(state__in=[State.SUBMITTED, State.ENDORSED]) & unassigned),
        apart=Count("pk", filter=Q(state=State.REVIEWED) & ~Q(discrepant="")),
        to_decide=Count("pk", filter=Q(state=State.REVIEWED, discrepant="")),
    )
    to_assign, to_decide, apart = counts["to_assign"], counts["to_decide"], counts["apart"]
    left = deadlines.days_left(campaign.review_deadline, at)
    found = []
    if to_assign:
        found.append(
            Task(
                title=gettext("分派评审"),
                text=gettext("{to_assign} 份申报还没有评审员。").format(to_assign=to_assign),
                url=reverse("assessments:assignment_list"),
                button=gettext("去分派"),
                due=campaign.review_deadline,
                days_left=left,
            )
        )
    if apart:
        found.append(
            Task(
                title=gettext("评审分差"),
                text=gettext("{apart} 份申报评审员分差过大，等待仲裁。").format(apart=apart),
                url=reverse("assessments:discrepancy_list"),
                button=gettext("去仲裁"),
                due=campaign.review_deadline,
                days_left=left,
            )
        )
    if to_decide:
        found.append(
            Task(
                title=str(Action.DECIDE.label),
                text=gettext("{to_decide} 份申报评审完毕，等待评定。").format(to_decide=to_decide),
                url=reverse("assessments:decision_list"),
                button=gettext("去评定"),
                due=campaign.review_deadline,
                days_left=left,
            )
        )
    return found


def inspections(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """The visits on which the user goes."""
    if not has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER}):
        return []
    own = Inspection.objects.filter(
        inspectors=user,
        state=InspectionState.SCHEDULED,
        self_assessment__campaign=campaign,
    ).aggregate(number=Count("pk"), due=Min("planned_on"))
    if not own["number"]:
        return []
    return [
        Task(
            title=gettext("现场核查"),
            text=gettext("{number} 个工会等待您现场核查。").format(number=own["number"]),
            url=f"{reverse('assessments:inspection_list')}?state={InspectionState.SCHEDULED}",
            button=gettext("去核查"),
            due=own["due"],
            days_left=deadlines.days_left(own["due"], at),
        )
    ]


def extension_requests(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    if permissions.may_grant_extension(user):
        yield Counted(
            extensions.pending(campaign),
            lambda waiting: Task(
                title=gettext("延期申请"),
                text=gettext("{waiting} 个工会申请延期，等待答复。").format(waiting=waiting),
                url=reverse("assessments:extension_list"),
                button=gettext("去答复"),
            ),
        )


def publicity(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    """What is decided and waits to be published."""
    if permissions.may_administer(user):
        yield Counted(
            publishing.awaiting(campaign, user),
            lambda waiting: Task(
                title=str(Action.PUBLISH.label),
                text=gettext("{waiting} 个评定等待公示。").format(waiting=waiting),
                url=reverse("assessments:publicity_publish", args=[campaign.year]),
                button=gettext("去公示"),
            ),
        )


def appeals(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """异议 and 申诉 that are the user's to answer, or that nobody has taken on: the result is not
    final before they are answered."""
    if not permissions.may_lead(user):
        return []
    counts = (
        Appeal.objects.visible_to(user)
        .filter(period__campaign=campaign)
        .aggregate(
            own=Count("pk", filter=Q(state=AppealState.ASSIGNED, assigned_to=user)),
            free=Count("pk", filter=Q(state=AppealState.REGISTERED)),
            due=Min(
                "period__closes_on",
                filter=Q(state=AppealState.REGISTERED)
                | Q(state=AppealState.ASSIGNED, assigned_to=user),
            ),
        )
    )
    parts = [
        text.format(number)
        for text, number in (
            (gettext("{} 件由您承办"), counts["own"]),
            (gettext("{} 件还没有承办人"), counts["free"]),
        )
        if number
    ]
    if not parts:
        return []
    state = AppealState.ASSIGNED if counts["own"] else AppealState.REGISTERED
    return [
        Task(
            title=gettext("异议和申诉"),
            text=gettext("{parts}，等待答复。").format(parts=gettext("，").join(parts)),
            url=f"{reverse('assessments:appeal_list')}?state={state}",
            button=gettext("去办理"),
            due=counts["due"],
            days_left=deadlines.days_left(counts["due"], at),
        )
    ]


def rechecks(user: User, campaign: Campaign, at: dt.datetime) -> Iterator[Counted]:
    """Titles of the two years before that nobody has looked at again this year (复查)."""
    if permissions.may_lead(user):
        year = deadlines.local_day(at).year
        for named in (year - 1, year - 2):
            titles = Recognition.objects.visible_to(user).filter(campaign__year=named)
            yield Counted(
                titles.due_in(year),
                lambda waiting, named=named: Task(
                    title=gettext("复查命名"),
                    text=gettext("{named} 年度命名的 {waiting} 个工会今年还没有复查。").format(
                        named=named, waiting=waiting
                    ),
                    url=f"{reverse('assessments:recognition_list')}?year={named}&standing=due",
                    button=gettext("去复查"),
                ),
            )


def recommendations(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """Lists for the province that another person has confirmed first, of whatever year."""
    if not permissions.may_lead(user):
        return []
    half = RecommendationList.objects.filter(first_by__isnull=False, second_by=None)
    return [
        Task(
            title=gettext("确认推荐名单"),
            text=gettext("{first_by} 已确认 {year} 年度推荐名单，等待另一人确认。").format(
                first_by=made.first_by, year=made.campaign.year
            ),
            url=reverse("assessments:recommendation_confirm", args=[made.campaign.year]),
            button=gettext("去确认"),
        )
        for made in half.exclude(first_by=user).select_related("campaign", "first_by")
    ]
