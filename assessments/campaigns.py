"""Opening and closing a campaign."""

from __future__ import annotations

from django.db import transaction

from assessments import rubrics
from assessments.choices import DECIDED_STATES, CampaignState, State
from assessments.models import Campaign, Rubric
from organizations.audit import record
from organizations.choices import ASSESSED_TIERS
from organizations.models import User


class NotInOrder(Exception):
    """Raised with the list of what keeps a campaign from opening, in Chinese."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def opening_problems(campaign: Campaign) -> list[str]:
    """What is not yet in order for the campaign to open."""
    policies = list(campaign.policies.select_related("rubric"))
    if not policies:
        return ["还没有设置任何层级的标准。"]
    found = [
        f"{policy.get_tier_display()}的标准属于另一层级。"
        for policy in policies
        if policy.rubric.tier != policy.tier
    ]
    found += [
        f"{fault.rubric}：{fault.text}"
        for fault in rubrics.faults(policy.rubric for policy in policies)
    ]
    return found


@transaction.atomic
def open_campaign(campaign: Campaign, by: User | None) -> None:
    """From 筹备中 or 已结束 to 进行中; its rubrics are locked from then on. Raises NotInOrder."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    # Nobody edits them while they are looked at, nor after they are locked for good.
    list(Rubric.objects.select_for_update().filter(policies__campaign=locked).values("pk"))
    problems = opening_problems(locked)
    if problems:
        raise NotInOrder(problems)
    _write_state(locked, CampaignState.OPEN, by)


@transaction.atomic
def close_campaign(campaign: Campaign, by: User | None) -> None:
    """To 已结束: nothing can be filled in or handed in any more. Reviews may go on."""
    _write_state(Campaign.objects.select_for_update().get(pk=campaign.pk), CampaignState.CLOSED, by)


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
    covered = set(campaign.policies.values_list("tier", flat=True))
    return [str(tier.label) for tier in ASSESSED_TIERS if tier not in covered]
