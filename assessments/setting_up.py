"""Preparing a campaign: a copy of an earlier one with its days moved, and what is not in order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext

from assessments import campaigns, deadlines, permissions, working_days
from assessments.assigning import NotAllowed
from assessments.choices import CampaignState
from assessments.models import Campaign, Rubric, TierPolicy
from assessments.models.campaign import CYCLE_YEARS
from organizations import accounts
from organizations.audit import record
from organizations.choices import ASSESSED_TIERS, Act, Role, Tier
from organizations.models import Membership, Organization, User

#: The days of a campaign, as they follow each other.
DAYS = (
    "plan_deadline",
    "opens_on",
    "submission_deadline",
    "endorsement_deadline",
    "review_deadline",
)
#: They are the city's, and the same for every campaign.
_REVIEWING = (Role.REVIEWER, Role.LEAD_REVIEWER)
#: What is taken over from the earlier campaign as it is.
_KEPT = (
    "correction_days",
    "criterion_pass_percent",
    "pass_total",
    "target_percent",
    "discrepancy_percent",
    "several_reviewers",
    "remark_tolerance",
    "publicity_working_days",
    "publishes_points",
    "basically_satisfied_counts",
)
#: The policy, section 四: plans are filed by 30 April. The other days are a project default.
_USUAL = {
    "plan_deadline": (4, 30),
    "opens_on": (9, 1),
    "submission_deadline": (10, 15),
    "endorsement_deadline": (10, 31),
    "review_deadline": (11, 30),
}


@dataclass(frozen=True)
class Finding:
    """Something about a campaign that is not in order. What is `blocking` keeps it from opening."""

    text: str
    url: str = ""
    button: str = ""
    blocking: bool = False


def usual_days(year: int) -> dict[str, dt.date]:
    """The days of a campaign without an earlier one."""
    return {name: _on_a_working_day(name, dt.date(year, *day)) for name, day in _USUAL.items()}


def moved_days(earlier: Campaign, year: int) -> dict[str, dt.date | None]:
    """The days of an earlier campaign in another year; what would fall on a free day is moved to
    the next working day, but for the policy's 30 April."""
    years = year - earlier.year
    found: dict[str, dt.date | None] = {}
    for name in DAYS:
        day = getattr(earlier, name)
        found[name] = day and _on_a_working_day(name, _years_later(day, years))
    return found


def _on_a_working_day(name: str, day: dt.date) -> dt.date:
    if name in ("plan_deadline", "opens_on") or working_days.is_working_day(day):
        return day
    return working_days.last_of(day, 1)


def _years_later(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


@transaction.atomic
def create(year: int, name: str, earlier: Campaign | None, by: User) -> Campaign:
    """A campaign in preparation, with the settings of the earlier one or the usual ones. Raises
    NotAllowed."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以新建创建活动。"))
    if Campaign.objects.filter(year=year).exists():
        raise NotAllowed(gettext("{year} 年的创建活动已经有了。").format(year=year))
    campaign = Campaign(year=year, name=name, cycle_start_year=_cycle_start(year, earlier))
    if earlier:
        for field in _KEPT:
            setattr(campaign, field, getattr(earlier, field))
    for field, day in (moved_days(earlier, year) if earlier else usual_days(year)).items():
        setattr(campaign, field, day)
    campaign.full_clean()
    campaign.save()
    if earlier:
        campaign.outside_target.set(earlier.outside_target.all())
    policies = {one.tier: one for one in earlier.policies.all()} if earlier else {}
    for tier in ASSESSED_TIERS:
        _copy_policy(campaign, tier, policies.get(tier), without_earlier=earlier is None)
    source = {"copied_from": earlier.year} if earlier else {}
    record(action=Act.CAMPAIGN_COPIED, by=by, subject=campaign, details=source)
    return campaign


def _cycle_start(year: int, earlier: Campaign | None) -> int:
    """The earlier campaign's three years, or the three that follow."""
    if earlier is None or year < earlier.cycle_start_year:
        return year
    return year - (year - earlier.cycle_start_year) % CYCLE_YEARS


def _copy_policy(
    campaign: Campaign, tier: Tier, earlier: TierPolicy | None, *, without_earlier: bool
) -> None:
    if earlier:
        earlier.pk, earlier.campaign, earlier._state.adding = None, campaign, True
        earlier.save()
    elif without_earlier and (newest := Rubric.objects.filter(tier=tier).last()):
        TierPolicy.objects.create(
            campaign=campaign,
            tier=tier,
            rubric=newest,
            endorsement_required=tier != Tier.COUNTY,
        )


def record_change(campaign: Campaign, changed: dict[str, str], by: User) -> None:
    record(action=Act.CAMPAIGN_CHANGED, by=by, subject=campaign, details=changed)


@transaction.atomic
def lock_preparing(campaign: Campaign, by: User) -> Campaign:
    """The campaign, as long as its settings may be changed. Raises NotAllowed."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以设置创建活动。"))
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.state != CampaignState.PREPARING:
        raise NotAllowed(
            gettext("活动{state}，设置已经固定，没有保存。").format(
                state=locked.get_state_display()
            )
        )
    return locked


# --- What is not in order -------------------------------------------------------------------------


def findings(campaign: Campaign, at: dt.datetime) -> list[Finding]:
    """A dry run: everything that would go wrong if the campaign opened now, what blocks it first.
    The number of queries does not grow with the register."""
    prefetch_related_objects([campaign], "policies__rubric")
    found = [*_of_rubrics(campaign), *_of_days(campaign, at), *_of_people(campaign)]
    return sorted(found, key=lambda one: not one.blocking)


def _step(campaign: Campaign, step: str) -> str:
    return reverse(f"assessments:campaign_{step}", args=[campaign.year])


def _of_rubrics(campaign: Campaign) -> list[Finding]:
    url = _step(campaign, "rubrics")
    found = [
        Finding(text, url, gettext("去设置标准"), blocking=True)
        for text in campaigns.opening_problems(campaign)
    ]
    left_out = campaigns.tiers_without_policy(campaign)
    if left_out and len(left_out) < len(ASSESSED_TIERS):
        found.append(
            Finding(
                gettext("没有设置{names}：本年度不参加创建。").format(
                    names=gettext("、").join(left_out)
                ),
                url,
                gettext("去设置标准"),
            )
        )
    newest = {one.tier: one for one in Rubric.objects.order_by("version")}
    for policy in campaign.policies.all():
        if newest[policy.tier].version > policy.rubric.version:
            text = gettext("{rubric}已有新的版本：{newest}。").format(
                rubric=policy.rubric, newest=newest[policy.tier]
            )
            found.append(Finding(text, url, gettext("去设置标准")))
    return found


def _of_days(campaign: Campaign, at: dt.datetime) -> list[Finding]:
    url, today = _step(campaign, "days"), deadlines.local_day(at)
    found = []
    for name in DAYS:
        day, label = getattr(campaign, name), Campaign._meta.get_field(name).verbose_name
        if day is None:
            if any(one.endorsement_required for one in campaign.policies.all()):
                found.append(
                    Finding(
                        gettext("没有设置{label}：上级不初审的，会一直等待。").format(label=label),
                        url,
                        gettext("去设置日期"),
                    )
                )
        elif day < today and name != "opens_on":
            blocking = name == "submission_deadline"
            text = gettext("{label}（{day:%Y-%m-%d}）已经过去。").format(label=label, day=day)
            found.append(Finding(text, url, gettext("去设置日期"), blocking))
        elif not working_days.is_working_day(day) and name not in ("plan_deadline", "opens_on"):
            found.append(
                Finding(
                    gettext("{label}（{day:%Y-%m-%d}）不是工作日。").format(label=label, day=day),
                    url,
                    gettext("去设置日期"),
                )
            )
    if campaign.review_deadline.year > working_days.last_known_year():
        year = campaign.review_deadline.year
        text = gettext("{year} 年的放假安排还没有公布，工作日暂按周末推算。").format(year=year)
        found.append(Finding(text))
    return found


def _of_people(campaign: Campaign) -> list[Finding]:
    policies = {one.tier: one for one in campaign.policies.all()}
    url = reverse("organizations:accounts")
    found = []
    mute = dict(
        accounts.without_head(Organization.objects.active())
        .order_by()
        .values_list("tier")
        .annotate(Count("pk"))
    )
    for tier in (one for one in ASSESSED_TIERS if one in policies):
        if number := mute.get(tier):
            text = gettext("{number} 个{tier}没有负责人账号，不能签批提交。").format(
                number=number, tier=tier.label
            )
            there = f"{reverse('organizations:list')}?tier={tier}&head=none"
            found.append(Finding(text, there, gettext("看是哪些")))
    roles = Membership.objects.filter(
        organization__tier=Tier.CITY, role__in=_REVIEWING, user__is_active=True
    ).values_list("user", "role")
    number = len({user for user, _ in roles})
    most = max((one.reviewers for one in policies.values()), default=0)
    if number < most:
        text = gettext("每份申报要 {most} 位评审员，现在只有 {number} 位（含组长）。").format(
            most=most, number=number
        )
        found.append(Finding(text, url, gettext("去开账号")))
    if not any(role == Role.LEAD_REVIEWER for _, role in roles):
        text = gettext("还没有评审组长，分派和评定只能由管理员办理。")
        found.append(Finding(text, url, gettext("去开账号")))
    return found
