"""创建活动 set up and led by the administrator: a new one step by step, opening, more time, closing,
the archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import campaigns, deadlines, permissions, setting_up
from assessments.assigning import NotAllowed
from assessments.choices import CampaignState
from assessments.forms.campaigns import (
    DaysForm,
    ExtendForm,
    LifeForm,
    PolicyForm,
    RulesForm,
    StartForm,
)
from assessments.models import Campaign, TierPolicy
from assessments.views.access import number_or_zero
from organizations.chinese import in_chinese
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.views.lists import PAGE_SIZE

#: name of the address → what the step is called
STEPS = (
    ("days", _("日期")),
    ("rubrics", _("标准")),
    ("rules", _("评审设置")),
    ("", _("检查并开放")),
)


def _campaign_or_404(request: HttpRequest, year: int) -> Campaign:
    if not permissions.may_administer(request.user):
        raise Http404
    return get_object_or_404(Campaign, year=year)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every campaign, the newest first."""
    if not permissions.may_administer(request.user):
        raise Http404
    rows = Campaign.objects.annotate(entries=Count("self_assessments")).order_by("-year")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "assessments/campaigns/list.html", {"page_obj": page})


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """第一步: a new campaign, from an earlier one."""
    if not permissions.may_administer(request.user):
        raise Http404
    newest = Campaign.objects.first()
    today = deadlines.local_day(deadlines.now())
    year = newest.year + 1 if newest else today.year
    initial = {
        "year": year,
        "name": f"{year}年度争创“六好”工会活动",
        "earlier": newest,
    }
    form = StartForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = setting_up.create(**form.cleaned_data, by=request.user)
        except NotAllowed as error:
            form.add_error("year", str(error))
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, gettext("已新建，请逐步核对设置。"))
            return redirect("assessments:campaign_days", made.year)
    return render(request, "assessments/campaigns/add.html", {"form": form})


@require_safe
def detail(request: HttpRequest, year: int) -> HttpResponse:
    """Where it stands, what is not in order, and what can be done with it."""
    campaign = _campaign_or_404(request, year)
    now = deadlines.now()
    preparing = campaign.state == CampaignState.PREPARING
    closed = campaign.state == CampaignState.CLOSED
    findings = setting_up.findings(campaign, now) if preparing else []
    return render(
        request,
        "assessments/campaigns/detail.html",
        {
            "campaign": campaign,
            "steps": _steps(campaign, "") if preparing else [],
            "policies": sorted(
                campaign.policies.all()
                if preparing
                else campaign.policies.select_related("rubric"),
                key=lambda policy: ASSESSED_TIERS.index(Tier(policy.tier)),
            ),
            "findings": findings,
            "blocked": any(finding.blocking for finding in findings),
            "unfinished": 0 if preparing else campaigns.unfinished(campaign),
            "not_archivable": campaigns.archiving_problems(campaign, now) if closed else [],
            "states": CampaignState,
        },
    )


def _steps(campaign: Campaign, here: str) -> list[tuple[str, str, bool]]:
    return [
        (
            label,
            reverse(
                f"assessments:campaign_{name}" if name else "assessments:campaign",
                args=[campaign.year],
            ),
            name == here,
        )
        for name, label in STEPS
    ]


def _after(campaign: Campaign, step: str) -> HttpResponse:
    names = [name for name, _ in STEPS]
    following = names[names.index(step) + 1]
    name = f"assessments:campaign_{following}" if following else "assessments:campaign"
    return redirect(name, campaign.year)


def _fixed(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    messages.info(
        request, gettext("活动{state}，设置已经固定。").format(state=campaign.get_state_display())
    )
    return redirect("assessments:campaign", campaign.year)


def _settings(
    request: HttpRequest,
    year: int,
    step: str,
    make: Callable[[Any, Campaign], DaysForm | RulesForm],
) -> HttpResponse:
    """A step that is one form about the campaign itself."""
    campaign = _campaign_or_404(request, year)
    if request.method == "GET":
        if campaign.state != CampaignState.PREPARING:
            return _fixed(request, campaign)
        return _step_page(request, campaign, step, [make(None, campaign)])
    try:
        with transaction.atomic():
            locked = setting_up.lock_preparing(campaign, request.user)
            form = make(request.POST, locked)
            if form.is_valid():
                form.save()
                if changes := form.changes():
                    setting_up.record_change(locked, changes, request.user)
                messages.success(request, gettext("已保存。"))
                return _after(locked, step)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("assessments:campaign", year)
    return _step_page(request, campaign, step, [form])


def _step_page(
    request: HttpRequest, campaign: Campaign, step: str, forms: list[Any], **more: Any
) -> HttpResponse:
    context = {
        "campaign": campaign,
        "forms": forms,
        "steps": _steps(campaign, step),
        "title": dict(STEPS)[step],
    }
    return render(request, "assessments/campaigns/step.html", context | more)


@require_http_methods(["GET", "POST"])
def days(request: HttpRequest, year: int) -> HttpResponse:
    """第二步."""
    return _settings(request, year, "days", lambda data, found: DaysForm(data, instance=found))


@require_http_methods(["GET", "POST"])
def rules(request: HttpRequest, year: int) -> HttpResponse:
    """第四步."""
    return _settings(request, year, "rules", lambda data, found: RulesForm(data, instance=found))


def _policy_forms(campaign: Campaign, data: Any) -> list[PolicyForm]:
    policies = {one.tier: one for one in campaign.policies.all()}
    found = []
    for tier in ASSESSED_TIERS:
        policy = policies.get(tier) or TierPolicy(campaign=campaign, tier=tier)
        form = PolicyForm(data, instance=policy, prefix=tier.lower())
        form.title = tier.label
        found.append(form)
    return found


@require_http_methods(["GET", "POST"])
def rubrics(request: HttpRequest, year: int) -> HttpResponse:
    """第三步: each tier."""
    campaign = _campaign_or_404(request, year)
    if request.method == "GET":
        if campaign.state != CampaignState.PREPARING:
            return _fixed(request, campaign)
        return _step_page(request, campaign, "rubrics", _policy_forms(campaign, None))
    try:
        with transaction.atomic():
            locked = setting_up.lock_preparing(campaign, request.user)
            forms = _policy_forms(locked, request.POST)
            valid = [form.is_valid() for form in forms]  # every one is to show its errors
            if all(valid):
                changes: dict[str, str] = {}
                for form in forms:
                    with in_chinese():  # for the record
                        changes |= {f"{form.title}·{k}": v for k, v in form.changes().items()}
                    if form.cleaned_data["takes_part"]:
                        form.save()
                    elif form.instance.pk:
                        form.instance.delete()
                if changes:
                    setting_up.record_change(locked, changes, request.user)
                messages.success(request, gettext("已保存。"))
                return _after(locked, "rubrics")
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("assessments:campaign", year)
    return _step_page(request, campaign, "rubrics", forms)


# --- What is done with it as a whole --------------------------------------------------------------


@dataclass(frozen=True)
class _Turn:
    """A step in the life of a campaign: its words, the states that it is taken in, and the rule."""

    title: str
    text: str
    done: str
    sources: tuple[CampaignState, ...]
    run: Callable[[Campaign, HttpRequest], None]


def _close(campaign: Campaign, request: HttpRequest) -> None:
    seen = number_or_zero(request.POST.get("seen"))
    campaigns.close_campaign(campaign, request.user, seen=seen)


TURNS = {
    "open": _Turn(
        _("开放活动"),
        _("开放之后，工会可以填报；年度、标准和标准线随之固定，日期只能往后延。"),
        _("已开放。"),
        (CampaignState.PREPARING, CampaignState.CLOSED),
        lambda campaign, request: campaigns.open_campaign(campaign, request.user),
    ),
    "close": _Turn(
        _("结束活动"),
        _(
            "结束之后，工会不能再填报和提交；已提交的申报可以继续评审、评定和公示。需要时可以重新开放。"
        ),
        _("已结束。"),
        (CampaignState.OPEN,),
        _close,
    ),
    "archive": _Turn(
        _("归档活动"),
        _(
            "归档之后，本年度的实施方案、申报、评审、评定和推荐永远只能查看，任何人都不能再改，也不能恢复。"
            "命名的复查和撤销照常进行。"
        ),
        _("已归档。"),
        (CampaignState.CLOSED,),
        lambda campaign, request: campaigns.archive(campaign, request.user),
    ),
}


@require_http_methods(["GET", "POST"])
def turn(request: HttpRequest, year: int, act: str) -> HttpResponse:
    """开放、结束、归档: what it means, and the person's own password."""
    campaign = _campaign_or_404(request, year)
    step = TURNS[act]
    form = LifeForm(request, request.POST if request.method == "POST" else None)
    if campaign.state not in step.sources:
        messages.info(
            request,
            gettext("活动{state}，不能{act}。").format(
                state=campaign.get_state_display(), act=step.title
            ),
        )
        return redirect("assessments:campaign", year)
    if request.method == "POST" and form.is_valid():
        try:
            step.run(campaign, request)
        except NotAllowed as error:
            form.add_error(None, str(error))
        except campaigns.NotInOrder as error:
            form.add_error(None, error.problems)
        else:
            messages.success(request, f"{campaign.name}{step.done}")
            return redirect("assessments:campaign", year)
    return render(
        request,
        "assessments/campaigns/turn.html",
        {
            "campaign": campaign,
            "turn": step,
            "form": form,
            "unfinished": campaigns.unfinished(campaign) if act == "close" else 0,
            "seen": act == "close",
        },
    )


@require_http_methods(["GET", "POST"])
def extend(request: HttpRequest, year: int) -> HttpResponse:
    """延长期限 for every union."""
    campaign = _campaign_or_404(request, year)
    if campaign.state != CampaignState.OPEN:
        messages.info(
            request,
            gettext("活动{state}，不能延长期限。").format(state=campaign.get_state_display()),
        )
        return redirect("assessments:campaign", year)
    form = ExtendForm(campaign, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        dates = {k: v for k, v in form.cleaned_data.items() if k in campaigns.EXTENDABLE}
        try:
            campaigns.extend(campaign, dates, form.cleaned_data["reason"], request.user)
        except NotAllowed as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, gettext("已延长，并通知了还没有办完的工会和人员。"))
            return redirect("assessments:campaign", year)
    return render(
        request, "assessments/campaigns/extend.html", {"campaign": campaign, "form": form}
    )
