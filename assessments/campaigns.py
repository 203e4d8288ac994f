"""The life of a campaign: 筹备中 → 进行中 ⇄ 已结束 → 已归档."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, permissions, reminding, rubrics
from assessments.assigning import NotAllowed
from assessments.choices import DECIDED_STATES, CampaignState, FindingState, State
from assessments.models import Appeal, Campaign, Rubric, SupervisionFinding
from organizations.audit import record
from organizations.choices import ASSESSED_TIERS, Act
from organizations.models import User

#: The days that can be put off once a campaign is open.
EXTENDABLE = ("plan_deadline", "submission_deadline", "endorsement_deadline", "review_deadline")


ARCHIVED = _("活动已经归档，只能查看。")


class NotInOrder(Exception):
    """Raised with the list of what keeps a campaign from opening or from the archive, in Chinese."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def opening_problems(campaign: Campaign) -> list[str]:
    """What is not yet in order for the campaign to open."""
    policies = campaign.policies.all()
    if not policies:
        return [gettext("还没有设置任何层级的标准。")]
    found = [
        gettext("{tier}的标准属于另一层级。").format(tier=policy.get_tier_display())
        for policy in policies
        if policy.rubric.tier != policy.tier
    ]
    found += [
        gettext("{rubric}：{problem}").format(rubric=fault.rubric, problem=fault.text)
        for fault in rubrics.faults(policy.rubric for policy in policies)
    ]
    return found


@transaction.atomic
def open_campaign(campaign: Campaign, by: User | None) -> None:
    """From 筹备中 or 已结束 to 进行中; its rubrics are locked from then on. Raises NotInOrder."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    # Nobody edits them while they are looked at, nor after they are locked for good.
    list(Rubric.objects.select_for_update().filter(policies__campaign=locked).values("pk"))
    problems = [str(ARCHIVED)] if locked.is_archived else opening_problems(locked)
    if problems:
        raise NotInOrder(problems)
    _write_state(locked, CampaignState.OPEN, by)


@transaction.atomic
def close_campaign(campaign: Campaign, by: User | None, *, seen: int | None = None) -> None:
    """To 已结束: nothing can be filled in or handed in any more. Reviews may go on. `seen` is how
    many `unfinished` submissions the page announced. Raises NotAllowed."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.state not in (CampaignState.OPEN, CampaignState.CLOSED):
        raise NotAllowed(
            gettext("活动{state}，不能结束。").format(state=locked.get_state_display())
        )
    waiting = unfinished(locked)
    if seen is not None and seen != waiting:
        raise NotAllowed(
            gettext("没有评定的申报刚刚有了变化，现在是 {waiting} 份，请核对后再结束。").format(
                waiting=waiting
            )
        )
    _write_state(locked, CampaignState.CLOSED, by)


@transaction.atomic
def extend(campaign: Campaign, days: Mapping[str, dt.date], reason: str, by: User) -> Campaign:
    """Put off days of EXTENDABLE for everybody. Raises NotAllowed, and ValidationError at the
    day that is wrong."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以延长期限。"))
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.state != CampaignState.OPEN:
        raise NotAllowed(gettext("活动没有开放，不能延长期限。"))
    before = {name: getattr(locked, name) for name in EXTENDABLE}
    changed = {name: day for name, day in days.items() if day and day != before[name]}
    if not changed:
        raise NotAllowed(gettext("没有改动任何日期。"))
    for name, day in changed.items():
        if name not in EXTENDABLE or (before[name] and day < before[name]):
            label = Campaign._meta.get_field(name).verbose_name
            raise NotAllowed(
                gettext("{label}只能往后延，不能早于 {day:%Y-%m-%d}。").format(
                    label=label, day=before[name]
                )
            )
        setattr(locked, name, day)
    locked.full_clean()
    locked.save(update_fields=list(changed))
    reminding.tell_extended(locked, changed, reason, by)
    moved = {name: f"{before[name] or '—'} → {day}" for name, day in changed.items()}
    record(action=Act.CAMPAIGN_EXTENDED, by=by, subject=locked, details=moved | {"reason": reason})
    return locked


def archiving_problems(campaign: Campaign, at: dt.datetime) -> list[str]:
    """What is still under way, so that the campaign cannot be put away."""
    live = campaign.self_assessments.exclude(state__in=[State.DRAFT, State.FINAL])
    # A union that never answered what it was sent back has had its time.
    given_up = Q(state=State.RETURNED, correction_due__lt=deadlines.local_day(at))
    counts = [
        (
            live.exclude(given_up).count(),
            gettext("{number} 份申报还没有办结（须已公示期满，或退回后逾期未改）。"),
        ),
        (
            Appeal.objects.holding_back().filter(period__campaign=campaign).count(),
            gettext("{number} 件异议或申诉还没有答复。"),
        ),
        (
            SupervisionFinding.objects.filter(visit__round__campaign=campaign)
            .exclude(state=FindingState.ACCEPTED)
            .count(),
            gettext("{number} 个督查发现的问题还没有整改到位。"),
        ),
    ]
    found = [text.format(number=number) for number, text in counts if number]
    if campaign.state != CampaignState.CLOSED:
        found.insert(0, gettext("活动还没有结束。"))
    return found


@transaction.atomic
def archive(campaign: Campaign, by: User) -> None:
    """To 已归档: read only, for ever; the database refuses later changes. Raises NotInOrder,
    NotAllowed."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以归档。"))
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.is_archived:
        raise NotAllowed(ARCHIVED)
    problems = archiving_problems(locked, deadlines.now())
    if problems:
        raise NotInOrder(problems)
    _write_state(locked, CampaignState.ARCHIVED, by)


def unfinished(campaign: Campaign) -> int:
    """How many submissions are handed in and not decided."""
    return campaign.self_assessments.exclude(state__in=[State.DRAFT, *DECIDED_STATES]).count()


def _write_state(campaign: Campaign, state: CampaignState, by: User | None) -> None:
    if campaign.state == state:
        return
    before, campaign.state = campaign.state, state
    campaign.save(update_fields=["state"])
    record(action=f"CAMPAIGN_{state}", by=by, subject=campaign, details={"from": before})


def tiers_without_policy(campaign: Campaign) -> list[str]:
    """Assessed tiers that the campaign leaves out: allowed, but worth a warning."""
    covered = {policy.tier for policy in campaign.policies.all()}
    return [str(tier.label) for tier in ASSESSED_TIERS if tier not in covered]
