"""What waits for the people of a union that is assessed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db.models import Exists, OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, permissions, urging, worksheet
from assessments.choices import (
    CampaignState,
    State,
)
from assessments.models import (
    Campaign,
    Extension,
    ExtensionRequest,
    SeenGuide,
    SelfAssessment,
)
from assessments.workbench.task import Task
from organizations.choices import ASSESSED_TIERS, Role
from organizations.models import Organization, User


def own_unions(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """The user's own unions. An observer (观察员) is shown where it stands, without a task."""
    own = {
        membership.organization_id
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
        .select_related("sign_requested_by", "recommendation__list")
    }
    sections = worksheet.load_each(assessments.values())
    requests = {
        request.organization_id: request  # the latest, as the order is by time
        for request in ExtensionRequest.objects.filter(campaign=campaign, organization__in=own)
    }
    extension = Extension.objects.filter(campaign=campaign, organization=OuterRef("pk"))
    unions = urging.with_latest(Organization.objects.filter(pk__in=own), campaign).annotate(
        extended_until=Subquery(extension.values("until")),
        guide_put_away=Exists(SeenGuide.objects.filter(user=user)),
    )
    found = []
    for organization in unions:
        key = organization.pk
        assessment = assessments.get(key)
        returned = assessment is not None and assessment.state == State.RETURNED
        corrected = assessment.correction_due if assessment and returned else None
        due = deadlines.latest(campaign, organization.extended_until, corrected)
        if assessment is None:
            task = _start_task(organization, campaign, due, at)
        else:
            task = _assessment_task(assessment, user, due, at)
            result = worksheet.result_of(sections[assessment.pk], campaign)
            tiles = tuple(zip(sections[assessment.pk], result.criteria, strict=True))
            task = replace(task, assessment=assessment, tiles=tiles)
            if assessment.proxy_name and assessment.is_editable_state:
                task = replace(
                    task,
                    note=gettext("“{name}”正在代填，仍由本会负责人确认签批。").format(
                        name=assessment.proxy_name
                    ),
                )
        if organization.urged_on and (assessment is None or assessment.is_editable_state):
            text = gettext("{urged_on:%m-%d} 催报：{urged_text}").format(
                urged_on=organization.urged_on, urged_text=organization.urged_text
            )
            task = replace(task, urged=text)
        if permissions.may_start(user, organization):
            fills_in = task.is_open and (assessment is None or assessment.is_editable_state)
            task = replace(task, guide=fills_in and not organization.guide_put_away)
            found.append(_with_request(task, campaign, organization, requests.get(key)))
        else:
            found.append(_to_look_at(task))
    return found


def _with_request(
    task: Task, campaign: Campaign, organization: Organization, request: ExtensionRequest | None
) -> Task:
    """Too late: the button leads to asking for more time, unless that has been done."""
    if request and request.granted is None:
        return replace(
            task,
            note=gettext("已申请延期至 {until:%Y年%m月%d日}，等待市总工会答复。").format(
                until=request.until
            ),
        )
    if task.is_too_late and campaign.state == CampaignState.OPEN:
        refused = (
            gettext("上次的延期申请没有同意：{reply}").format(reply=request.reply)
            if request and not request.granted
            else ""
        )
        url = reverse("assessments:extension_ask", args=[campaign.year, organization.pk])
        return replace(task, note=refused, url=url, button=gettext("申请延期"), starts=None)
    return task


def _start_task(
    organization: Organization, campaign: Campaign, due: dt.date, at: dt.datetime
) -> Task:
    left = deadlines.days_left(due, at)
    is_open = deadlines.is_running(campaign, at) and left >= 0
    return Task(
        title=organization.name,
        text=gettext("还没有开始自评。") if is_open else gettext("自评已经截止，本年度没有申报。"),
        url=reverse("assessments:self_assessment_start"),
        button=gettext("开始自评") if is_open else "",
        due=due,
        days_left=left,
        starts=organization,
        is_open=is_open,
    )


def _to_look_at(task: Task) -> Task:
    """The task of a union as somebody sees it who may not write there."""
    return replace(task, button="" if task.starts else gettext("查看"), is_open=False)


_WAITING_TEXTS = {
    State.SUBMITTED: _("已经提交，等待上级或市总工会处理。"),
    State.ENDORSED: _("上级工会已初审推荐，等待市总工会受理。"),
    State.UNDER_REVIEW: _("市总工会正在评审。"),
    State.REVIEWED: _("评审已经完成，等待评定。"),
    State.DECIDED: _("评定结果已经作出。"),
    State.PUBLISHED: _("评定结果正在公示。"),
    State.FINAL: _("评定结果已经生效。"),
}


def _assessment_task(assessment: SelfAssessment, user: User, due: dt.date, at: dt.datetime) -> Task:
    url = assessment.get_absolute_url()
    name = assessment.organization.name
    line = getattr(assessment, "recommendation", None)
    if line and permissions.may_keep_package(user, line):
        text = gettext("已列入推荐省总工会表彰名单，请准备推荐材料。")
        return Task(title=name, text=text, url=line.get_absolute_url(), button=gettext("去准备"))
    if not assessment.is_editable_state:
        text = _WAITING_TEXTS[State(assessment.state)]
        return Task(title=name, text=text, url=url, button=gettext("查看"), is_open=False)
    left = deadlines.days_left(due, at)
    running = assessment.state == State.RETURNED or deadlines.is_running(assessment.campaign, at)
    is_open = running and left >= 0
    if not is_open:
        text, button = gettext("填报已经截止，只能查看。如需延期，可以申请延期。"), gettext("查看")
    elif assessment.sign_requested_at and permissions.may_sign(user, assessment):
        text, button = (
            gettext("{name}已填好，请您签批提交。").format(name=assessment.sign_requested_by),
            gettext("去签批"),
        )
        url = reverse("assessments:self_assessment_act", args=[assessment.pk, "submit"])
    elif assessment.sign_requested_at:
        text, button = gettext("已请负责人签批，等待签批提交。"), gettext("查看")
    elif assessment.state == State.RETURNED:
        text, button = gettext("被退回修改，请按要求补充后重新提交。"), gettext("去修改")
    else:
        text, button = gettext("正在填报，还没有提交。"), gettext("继续填报")
    return Task(
        title=name, text=text, url=url, button=button, due=due, days_left=left, is_open=is_open
    )
