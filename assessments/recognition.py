"""命名: titles for the unions at standard, all of a campaign in one act; re-checks in later years
(复查), and the loss of a title, which takes two people."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext

from assessments import answering, audiences, deadlines, permissions
from assessments.assigning import BATCH, NotAllowed
from assessments.choices import Outcome, RecheckOutcome, State
from assessments.models import Campaign, Decision, Recheck, Recognition, SelfAssessment
from assessments.models.recognition import LETTERS
from organizations.audit import record, record_many
from organizations.chinese import in_chinese
from organizations.choices import NotificationKind
from organizations.models import User
from organizations.notifications import notify

_NUMBER = re.compile(r"(\d{4})\D{0,3}([A-Z])(\d{1,6})")
_TIERS = {letter: tier for tier, letter in LETTERS.items()}


@dataclass(frozen=True)
class Awarded:
    """How many titles were given, and how many unions wait for somebody who need not stand back."""

    given: int
    left_out: int


def final_at_standard(campaign: Campaign) -> QuerySet[Decision]:
    """The decisions of a campaign that stand, final and at standard, with `has_title`: whether the union
    holds one of the same cycle."""
    held = Recognition.objects.valid().filter(
        organization=OuterRef("self_assessment__organization"),
        campaign__cycle_start_year=campaign.cycle_start_year,
    )
    return Decision.objects.filter(
        campaign=campaign,
        superseded_at=None,
        outcome=Outcome.AT_STANDARD,
        self_assessment__state=State.FINAL,
    ).annotate(has_title=Exists(held))


def awaiting(campaign: Campaign) -> QuerySet[Decision]:
    """The final decisions at standard that call for a title, in the order of their numbers: the union
    is active, and holds none of the same cycle. One that was taken away does not come back by the
    same decision."""
    return (
        final_at_standard(campaign)
        .filter(self_assessment__organization__dissolved_on=None, recognition=None, has_title=False)
        .order_by("self_assessment__rubric__tier", "self_assessment__place")
    )


@transaction.atomic
def award(campaign: Campaign, on: dt.date, by: User, seen: int) -> Awarded:
    """Give all titles that are called for, numbered by tier without a gap, and tell the unions. `seen`
    is how many the page announced. Raises NotAllowed."""
    if not permissions.may_administer(by):
        raise NotAllowed(gettext("只有市总工会管理员可以命名。"))
    if campaign.is_archived:
        raise NotAllowed(gettext("本年度活动已经归档，不能再命名。"))
    # A union holds one title a cycle, so two campaigns of one cycle wait for each other.
    cycle = Campaign.objects.filter(cycle_start_year=campaign.cycle_start_year)
    list(cycle.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    keys = list(awaiting(campaign).values_list("pk", flat=True))
    if not keys:
        raise NotAllowed(gettext("没有等待命名的工会：可能刚刚已由别人命名。"))
    if len(keys) != seen:
        raise NotAllowed(
            gettext("等待命名的工会刚刚有了变化，现在是 {count} 个，请核对后再命名。").format(
                count=len(keys)
            )
        )
    numbers = {
        tier: last or 0
        for tier, last in campaign.recognitions.order_by()
        .values_list("tier")
        .annotate(Max("number"))
    }
    given = 0
    for start in range(0, len(keys), BATCH):
        made = _titles(campaign, keys[start : start + BATCH], numbers, on, by)
        given += len(made)
        _announce(made, by)
    return Awarded(given, len(keys) - given)


def _titles(
    campaign: Campaign, keys: list[int], numbers: dict[str, int], on: dt.date, by: User
) -> list[Recognition]:
    """Those of a portion that the user need not stand back from; `numbers` are the last by tier."""
    decisions = Decision.objects.select_related(
        "self_assessment__organization", "self_assessment__rubric"
    ).in_bulk(keys)
    made = []
    for key in keys:
        assessment = decisions[key].self_assessment
        union, tier = assessment.organization, assessment.rubric.tier
        if permissions.has_conflict(by, union):
            continue
        numbers[tier] = numbers.get(tier, 0) + 1
        made.append(
            Recognition(
                organization=union,
                campaign=campaign,
                decision=decisions[key],
                tier=tier,
                number=numbers[tier],
                union_name=union.name,
                awarded_on=on,
                awarded_by=by,
            )
        )
    return Recognition.objects.bulk_create(made)


@in_chinese()
def _announce(made: list[Recognition], by: User) -> None:
    entries = [(one.decision.self_assessment, {"number": one.certificate_number}) for one in made]
    record_many(action="RECOGNISED", by=by, entries=entries)
    for one in made:
        _tell_union(one, f"祝贺：“{one.union_name}”被命名为{one.title}，证书可以下载。", by)


def find(typed: str) -> Recognition | None:
    """The title of a certificate number, however it was typed."""
    text = unicodedata.normalize("NFKC", typed[:60]).upper().replace(" ", "")
    found = _NUMBER.search(text)
    if not found or found[2] not in _TIERS:
        return None
    wanted = {"campaign__year": found[1], "tier": _TIERS[found[2]], "number": found[3]}
    return Recognition.objects.filter(**wanted).select_related("campaign").first()


@transaction.atomic
def recheck(
    recognition: Recognition, outcome: RecheckOutcome, remarks: str, by: User, seen: str
) -> Recheck:
    """Look at a title again. That it shall be lost is a proposal, of which the others who may
    confirm it are told. `seen` is the stamp of what the page showed. Raises NotAllowed."""
    locked = _lock(recognition, by, seen)
    if _proposal(locked):
        raise NotAllowed(gettext("已有人提出撤销，请先确认或撤回。"))
    made = Recheck.objects.create(
        recognition=locked,
        year=deadlines.local_day(deadlines.now()).year,
        outcome=outcome,
        remarks=remarks,
        by=by,
        at=deadlines.now(),
    )
    _record("RECHECKED", made, by)
    union = locked.organization
    if made.is_proposal:
        notify(
            {*audiences.leads(union), *audiences.admins(union)},
            kind=NotificationKind.TURN,
            text=f"拟撤销“{union}”的命名，请确认。",
            link=locked.get_absolute_url(),
            by=by,
        )
    else:
        with in_chinese():
            found = made.get_outcome_display()
        _tell_union(locked, f"“{union}”的命名已复查：{found}。{remarks}", by)
    return made


@transaction.atomic
def confirm_revocation(recognition: Recognition, by: User, seen: str) -> None:
    """The second person agrees, and the title is lost. Raises NotAllowed."""
    locked = _lock(recognition, by, seen)
    proposal = _proposal(locked)
    if proposal is None:
        raise NotAllowed(gettext("没有等待确认的撤销。"))
    if proposal.by_id == by.pk:
        raise NotAllowed(gettext("撤销命名须由另一人确认，不能由提出的人自己确认。"))
    proposal.confirmed_by = by
    proposal.save(update_fields=["confirmed_by"])
    locked.revoked_at = deadlines.now()
    locked.save(update_fields=["revoked_at"])
    _record("RECOGNITION_REVOKED", proposal, by)
    _tell_union(locked, f"“{locked.organization}”的命名已撤销，理由：{proposal.remarks}", by)


@transaction.atomic
def withdraw_revocation(recognition: Recognition, by: User, seen: str) -> None:
    """The title stays; the proposal stands on the record alone. Raises NotAllowed."""
    proposal = _proposal(_lock(recognition, by, seen))
    if proposal is None:
        raise NotAllowed(gettext("没有等待确认的撤销。"))
    _record("REVOCATION_WITHDRAWN", proposal, by)
    proposal.delete()


def stamp(recognition: Recognition) -> str:
    """Tells apart what two people have seen of a title."""
    last = recognition.rechecks.order_by("-pk").values_list("pk", "confirmed_by").first()
    return f"{last}"


def _lock(recognition: Recognition, by: User, seen: str) -> Recognition:
    locked = (
        Recognition.objects.select_for_update(of=("self",))
        .select_related("decision__self_assessment", "organization__parent", "campaign")
        .get(pk=recognition.pk)
    )
    if not permissions.may_recheck(by, locked):
        raise NotAllowed(gettext("只有评审组长和管理员可以复查，本单位的须回避。"))
    if locked.revoked_at:
        raise NotAllowed(gettext("这个命名已经撤销。"))
    if seen != stamp(locked):
        raise NotAllowed(gettext("复查情况刚刚有了变化，请核对后再提交。"))
    return locked


def _proposal(recognition: Recognition) -> Recheck | None:
    return recognition.rechecks.filter(outcome=RecheckOutcome.REVOKE, confirmed_by=None).first()


def _record(action: str, made: Recheck, by: User) -> None:
    assessment: SelfAssessment = made.recognition.decision.self_assessment
    record(
        action=action,
        by=by,
        subject=assessment,
        details=answering.capacity(by, assessment)
        | {"outcome": made.outcome, "reason": made.remarks},
    )


def _tell_union(recognition: Recognition, text: str, by: User) -> None:
    notify(
        audiences.writers_of(recognition.organization),
        kind=NotificationKind.RESULT,
        text=text,
        link=recognition.get_absolute_url(),
        by=by,
    )
