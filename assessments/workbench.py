"""我的工作台: what waits for this user, by when, and where the button goes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db.models import Count, Exists, Min, OuterRef, Q, Window
from django.urls import reverse

from assessments import deadlines, endorsing, extensions, oversight, permissions, urging, worksheet
from assessments.choices import (
    EDITABLE_STATES,
    Action,
    CampaignState,
    InspectionState,
    State,
)
from assessments.models import (
    Campaign,
    Extension,
    ExtensionRequest,
    Inspection,
    ProxyFilling,
    Review,
    SelfAssessment,
)
from assessments.oversight import Lag, Stage
from assessments.scoring import CriterionResult
from organizations.choices import ASSESSED_TIERS, Role
from organizations.models import Organization, User
from organizations.permissions import has_city_role


@dataclass(frozen=True)
class Task:
    """One thing to do. `days_left` is None without a deadline, negative once it has passed.
    A task with `starts` is begun by a POST (the self-assessment does not exist yet). `tiles` are
    the six criteria of one's own union, with how far each has come."""

    title: str
    text: str
    url: str
    button: str
    due: dt.date | None = None
    days_left: int | None = None
    starts: Organization | None = None
    is_open: bool = True
    assessment: SelfAssessment | None = None
    tiles: tuple[tuple[worksheet.Section, CriterionResult], ...] = ()
    note: str = ""
    urged: str = ""

    @property
    def is_too_late(self) -> bool:
        """Whether the union could still write, had the day not passed."""
        return self.days_left is not None and self.days_left < 0 and not self.is_open


def tasks(user: User, campaign: Campaign | None, at: dt.datetime) -> list[Task]:
    """Everything that waits for the user in the campaign, the most urgent first."""
    if campaign is None:
        return []
    found = [
        *_own_unions(user, campaign, at),
        *_proxies(user, campaign, at),
        *_endorsements(user, campaign, at),
        *_unendorsed(user, campaign, at),
        *_reviews(user, campaign, at),
        *_leading(user, campaign, at),
        *_inspections(user, campaign, at),
        *_extension_requests(user, campaign),
    ]
    return sorted(found, key=lambda task: (not task.is_open, task.due or dt.date.max))


def _own_unions(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """The user's own unions. An observer (观察员) is shown where it stands, without a task."""
    own = {
        membership.organization_id: membership.organization
        for membership in user.roles
        if membership.role in (Role.REPORTER, Role.HEAD, Role.VIEWER)
        and membership.organization.tier in ASSESSED_TIERS
    }
    if not own:
        return []
    assessments = {
        assessment.organization_id: assessment
        for assessment in SelfAssessment.objects.filter(campaign=campaign, organization__in=own)
        .with_context()
        .select_related("sign_requested_by")
    }
    sections = worksheet.load_each(assessments.values())
    requests = {
        request.organization_id: request  # the latest, as the order is by time
        for request in ExtensionRequest.objects.filter(campaign=campaign, organization__in=own)
    }
    extended = dict(
        Extension.objects.filter(campaign=campaign, organization__in=own).values_list(
            "organization_id", "until"
        )
    )
    urged = urging.recent(campaign, list(own))
    found = []
    for key, organization in own.items():
        assessment = assessments.get(key)
        returned = assessment is not None and assessment.state == State.RETURNED
        corrected = assessment.correction_due if assessment and returned else None
        due = deadlines.latest(campaign, extended.get(key), corrected)
        if assessment is None:
            task = _start_task(organization, campaign, due, at)
        else:
            task = _assessment_task(assessment, user, due, at)
            result = worksheet.result_of(sections[assessment.pk], campaign)
            tiles = tuple(zip(sections[assessment.pk], result.criteria, strict=True))
            task = replace(task, assessment=assessment, tiles=tiles)
            if assessment.proxy_name and assessment.is_editable_state:
                task = replace(
                    task, note=f"“{assessment.proxy_name}”正在代填，仍由本会负责人确认签批。"
                )
        if key in urged and (assessment is None or assessment.is_editable_state):
            one = urged[key]
            task = replace(task, urged=f"{one.day:%m-%d} 催报：{one.text}")
        if permissions.may_start(user, organization):
            found.append(_with_request(task, campaign, organization, requests.get(key)))
        else:
            found.append(_to_look_at(task))
    return found


def _with_request(
    task: Task, campaign: Campaign, organization: Organization, request: ExtensionRequest | None
) -> Task:
    """Too late: the button leads to asking for more time, unless that has been done."""
    if request and request.granted is None:
        return replace(task, note=f"已申请延期至 {request.until:%Y年%m月%d日}，等待市总工会答复。")
    if task.is_too_late and campaign.state == CampaignState.OPEN:
        refused = (
            f"上次的延期申请没有同意：{request.reply}" if request and not request.granted else ""
        )
        url = reverse("assessments:extension_ask", args=[campaign.year, organization.pk])
        return replace(task, note=refused, url=url, button="申请延期", starts=None)
    return task


def _start_task(
    organization: Organization, campaign: Campaign, due: dt.date, at: dt.datetime
) -> Task:
    left = deadlines.days_left(due, at)
    is_open = deadlines.is_running(campaign, at) and left >= 0
    return Task(
        title=organization.name,
        text="还没有开始自评。" if is_open else "自评已经截止，本年度没有申报。",
        url=reverse("assessments:self_assessment_start"),
        button="开始自评" if is_open else "",
        due=due,
        days_left=left,
        starts=organization,
        is_open=is_open,
    )


def _to_look_at(task: Task) -> Task:
    """The task of a union as somebody sees it who may not write there."""
    return replace(task, button="" if task.starts else "查看", is_open=False)


_WAITING_TEXTS = {
    State.SUBMITTED: "已经提交，等待上级或市总工会处理。",
    State.ENDORSED: "上级工会已初审推荐，等待市总工会受理。",
    State.UNDER_REVIEW: "市总工会正在评审。",
    State.REVIEWED: "评审已经完成，等待评定。",
    State.DECIDED: "评定结果已经作出。",
    State.PUBLISHED: "评定结果正在公示。",
    State.FINAL: "评定结果已经生效。",
}


def _assessment_task(assessment: SelfAssessment, user: User, due: dt.date, at: dt.datetime) -> Task:
    url = assessment.get_absolute_url()
    name = assessment.organization.name
    if not assessment.is_editable_state:
        text = _WAITING_TEXTS[State(assessment.state)]
        return Task(title=name, text=text, url=url, button="查看", is_open=False)
    left = deadlines.days_left(due, at)
    running = assessment.state == State.RETURNED or deadlines.is_running(assessment.campaign, at)
    is_open = running and left >= 0
    if not is_open:
        text, button = "填报已经截止，只能查看。如需延期，可以申请延期。", "查看"
    elif assessment.sign_requested_at and permissions.may_sign(user, assessment):
        text, button = f"{assessment.sign_requested_by}已填好，请您签批提交。", "去签批"
        url = reverse("assessments:self_assessment_act", args=[assessment.pk, "submit"])
    elif assessment.sign_requested_at:
        text, button = "已请负责人签批，等待签批提交。", "查看"
    elif assessment.state == State.RETURNED:
        text, button = "被退回修改，请按要求补充后重新提交。", "去修改"
    else:
        text, button = "正在填报，还没有提交。", "继续填报"
    return Task(
        title=name, text=text, url=url, button=button, due=due, days_left=left, is_open=is_open
    )


def _proxies(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """代填: what the user's unions fill in for others and is not handed in yet."""
    fills_in_for_others = permissions.may_fill_in_for(user)
    if not fills_in_for_others:
        return []
    open_ones = ProxyFilling.objects.filter(
        self_assessment=OuterRef("pk"), organization__in=fills_in_for_others, ended_at=None
    )
    first = (
        SelfAssessment.objects.filter(
            Exists(open_ones), campaign=campaign, state__in=EDITABLE_STATES
        )
        .select_related("organization")
        .annotate(waiting=Window(Count("pk")))
        .order_by("place")
        .first()
    )
    if first is None:
        return []
    one = first.waiting == 1
    due = campaign.submission_deadline
    return [
        Task(
            title="代填",
            text=f"正在为“{first.organization}”代填，还没有提交。"
            if one
            else f"正在为 {first.waiting} 个下级工会代填，还没有提交。",
            url=first.get_absolute_url()
            if one
            else f"{reverse('assessments:oversight')}?lag={Lag.PROXIED}",
            button="继续代填",
            due=due,
            days_left=deadlines.days_left(due, at),
        )
    ]


def _endorsements(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    if not permissions.endorses_for(user):
        return []
    waiting = endorsing.queue(user, campaign).count()
    if not waiting:
        return []
    due = campaign.endorsement_deadline
    over = deadlines.endorsement_is_over(campaign, at)
    return [
        Task(
            title="初审推荐",
            text=f"{waiting} 份下级工会的申报等待初审。",
            url=f"{reverse('assessments:oversight')}?state={Stage.TO_ENDORSE}",
            button="去初审",
            due=due,
            days_left=deadlines.days_left(due, at) if due else None,
            note="已逾期，市总工会可直接受理。" if over else "",
        )
    ]


def _unendorsed(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """What the city's lead can take on without the superiors, who have let their day pass."""
    if not permissions.may_lead(user) or not deadlines.endorsement_is_over(campaign, at):
        return []
    waiting = oversight.rows(user, campaign).filter(stage=Stage.TO_ENDORSE).count()
    if not waiting:
        return []
    return [
        Task(
            title="上级逾期未初审",
            text=f"{waiting} 份申报上级逾期未初审，可以直接受理。",
            url=f"{reverse('assessments:oversight')}?lag={Lag.UNENDORSED}",
            button="去查看",
        )
    ]


def _reviews(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    if not has_city_role(user, {Role.REVIEWER, Role.LEAD_REVIEWER}):
        return []
    waiting = (
        Review.objects.visible_to(user)
        .filter(
            self_assessment__campaign=campaign,
            completed_at=None,
            self_assessment__state__in=[State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW],
        )
        .count()
    )
    if not waiting:
        return []
    return [
        Task(
            title="评审任务",
            text=f"{waiting} 份申报等待您评分。",
            url=reverse("assessments:review_list"),
            button="去评审",
            due=campaign.review_deadline,
            days_left=deadlines.days_left(campaign.review_deadline, at),
        )
    ]


def _leading(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
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
                title="分派评审",
                text=f"{to_assign} 份申报还没有评审员。",
                url=reverse("assessments:assignment_list"),
                button="去分派",
                due=campaign.review_deadline,
                days_left=left,
            )
        )
    if apart:
        found.append(
            Task(
                title="评审分差",
                text=f"{apart} 份申报评审员分差过大，等待仲裁。",
                url=reverse("assessments:discrepancy_list"),
                button="去仲裁",
                due=campaign.review_deadline,
                days_left=left,
            )
        )
    if to_decide:
        found.append(
            Task(
                title=str(Action.DECIDE.label),
                text=f"{to_decide} 份申报评审完毕，等待评定。",
                url=reverse("assessments:decision_list"),
                button="去评定",
                due=campaign.review_deadline,
                days_left=left,
            )
        )
    return found


def _inspections(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
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
            title="现场核查",
            text=f"{own['number']} 个工会等待您现场核查。",
            url=f"{reverse('assessments:inspection_list')}?state={InspectionState.SCHEDULED}",
            button="去核查",
            due=own["due"],
            days_left=deadlines.days_left(own["due"], at),
        )
    ]


def _extension_requests(user: User, campaign: Campaign) -> list[Task]:
    if not permissions.may_grant_extension(user):
        return []
    waiting = extensions.pending(campaign).count()
    if not waiting:
        return []
    return [
        Task(
            title="延期申请",
            text=f"{waiting} 个工会申请延期，等待答复。",
            url=reverse("assessments:extension_list"),
            button="去答复",
        )
    ]
