"""More time for one union (延期): asking for it, and the city's answer."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from assessments import audiences, deadlines, permissions
from assessments.choices import CampaignState
from assessments.models import Campaign, Extension, ExtensionRequest, SelfAssessment
from organizations.audit import record
from organizations.choices import NotificationKind
from organizations.models import Organization, User
from organizations.notifications import notify


class NotPossible(Exception):
    """Asking or answering is refused; `field` names what is wrong, if one thing is, and the
    message says why, in Chinese."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def due_of(campaign: Campaign, organization: Organization) -> dt.date:
    """The union's last day in the campaign as it stands, with an extension it has been given."""
    given = Extension.objects.filter(campaign=campaign, organization=organization)
    return deadlines.latest(campaign, given.values_list("until", flat=True).first())


def latest_request(campaign: Campaign, organization: Organization) -> ExtensionRequest | None:
    """The union's last request in the campaign, answered or not."""
    asked = ExtensionRequest.objects.filter(campaign=campaign, organization=organization)
    return asked.order_by("-pk").first()


def pending(campaign: Campaign | None = None) -> QuerySet[ExtensionRequest]:
    """What waits for the city's answer, the oldest first."""
    asked = ExtensionRequest.objects.filter(granted=None).select_related(
        "campaign", "organization__parent", "asked_by"
    )
    return asked if campaign is None else asked.filter(campaign=campaign)


def _check_until(campaign: Campaign, organization: Organization, until: dt.date) -> None:
    """A day that is later than what the union has, not past, and before the reviews end."""
    earliest = max(due_of(campaign, organization), deadlines.local_day(deadlines.now()))
    if until < earliest or until == due_of(campaign, organization):
        raise NotPossible(
            gettext("应晚于现在的截止日期，且不早于今天（{earliest:%Y-%m-%d}）。").format(
                earliest=earliest
            ),
            "until",
        )
    if until > campaign.review_deadline:
        raise NotPossible(
            gettext("不能晚于评审完成日期（{last:%Y-%m-%d}）。").format(
                last=campaign.review_deadline
            ),
            "until",
        )


@transaction.atomic
def ask(
    campaign: Campaign, organization: Organization, *, until: dt.date, reason: str, by: User
) -> ExtensionRequest:
    """A union asks for time until the end of that day. Raises NotPossible."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.state != CampaignState.OPEN:
        raise NotPossible(gettext("创建活动没有开放，不能申请延期。"))
    if not permissions.may_start(by, organization):
        raise NotPossible(gettext("只有本工会的填报员和负责人可以申请延期。"))
    if pending(locked).filter(organization=organization).exists():
        raise NotPossible(gettext("已经申请过延期，正在等待市总工会答复。"))
    _check_until(locked, organization, until)
    request = ExtensionRequest.objects.create(
        campaign=locked, organization=organization, until=until, reason=reason, asked_by=by
    )
    _record("ASK_EXTENSION", request, by, {"until": until.isoformat(), "reason": reason})
    notify(
        audiences.admins(organization),
        kind=NotificationKind.TURN,
        text=f"“{organization.name}”申请延期至{until:%Y年%m月%d日}，请您答复。",
        link=reverse("assessments:extension_answer", args=[request.pk]),
        by=by,
        topic=f"extension {locked.pk}",
        many="有 {count} 份延期申请，请您答复。",
        many_link=reverse("assessments:extension_list"),
    )
    return request


@transaction.atomic
def answer(
    request: ExtensionRequest, *, granted: bool, until: dt.date | None, reply: str, by: User
) -> ExtensionRequest:
    """The city grants the request, until the day that it names, or refuses it with a reason.

    Raises NotPossible.
    """
    locked = (
        ExtensionRequest.objects.select_for_update(of=("self",))
        .select_related("campaign", "organization")
        .get(pk=request.pk)
    )
    if locked.granted is not None:
        raise NotPossible(gettext("这份申请已经有人答复。"))
    if locked.campaign.is_archived:
        raise NotPossible(gettext("本年度活动已经归档，不能再延期。"))
    if not permissions.may_grant_extension(by, locked.organization):
        raise NotPossible(gettext("您不能答复自己所在工会的申请。"))
    if granted:
        if until is None:
            raise NotPossible(gettext("请填写延期至哪一天。"), "until")
        _check_until(locked.campaign, locked.organization, until)
        Extension.objects.update_or_create(
            campaign=locked.campaign,
            organization=locked.organization,
            defaults={"until": until, "reason": locked.reason},
        )
    elif not reply:
        raise NotPossible(gettext("不同意时，请写明理由。"), "reply")
    locked.granted, locked.reply = granted, reply
    locked.decided_by, locked.decided_at = by, deadlines.now()
    locked.save()
    details = {"until": until.isoformat() if granted and until else None, "reason": reply}
    _record("GRANT_EXTENSION" if granted else "REFUSE_EXTENSION", locked, by, details)
    _tell_union(locked, until if granted else None, by)
    return locked


def _tell_union(request: ExtensionRequest, until: dt.date | None, by: User) -> None:
    organization = request.organization
    given = (
        f"市总工会同意延期至{until:%Y年%m月%d日}。" if until else "市总工会没有同意延期，请看答复。"
    )
    notify(
        audiences.writers_of(organization),
        kind=NotificationKind.RESULT,
        text=f"“{organization.name}”的延期申请：{given}",
        link=reverse("assessments:extension_ask", args=[request.campaign.year, organization.pk]),
        by=by,
    )


def _record(action: str, request: ExtensionRequest, by: User, details: dict[str, object]) -> None:
    """On the union's self-assessment, where its people read it; before there is one, on the
    request itself."""
    assessment = SelfAssessment.objects.filter(
        campaign=request.campaign, organization=request.organization
    ).first()
    record(action=action, by=by, subject=assessment or request, details=details)
