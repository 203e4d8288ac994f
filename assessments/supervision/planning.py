"""The plan of a round: its days, its teams, and the unions that each of them visits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext

from assessments import campaigns, permissions
from assessments.assigning import BATCH, NotAllowed
from assessments.choices import VisitState
from assessments.models import Campaign, SupervisionRound, SupervisionTeam, SupervisionVisit
from assessments.models.supervision import tied_to
from assessments.supervision import steps
from organizations.audit import record
from organizations.choices import Act, NotificationKind, Tier
from organizations.models import Membership, Organization, User
from organizations.notifications import notify


@dataclass(frozen=True)
class Plan:
    """What a plan says, apart from teams and places."""

    title: str
    starts_on: dt.date
    ends_on: dt.date
    purpose: str


@dataclass(frozen=True)
class Added:
    """How many unions were added, and how many of the chosen were not: they are in the round already,
    are dissolved, or somebody of the team must stand back (回避)."""

    added: int
    left_out: int


@transaction.atomic
def save(round_: SupervisionRound, plan: Plan, by: User, seen: int) -> SupervisionRound:
    """Keep the plan of a new round, or of one that is not closed. `seen` is the version that the page
    showed. Raises NotAllowed, and steps.Stale where somebody else was quicker."""
    kept = _lock(round_, by) if round_.pk else round_
    # Locked: it may be put away just now.
    if Campaign.objects.select_for_update().get(pk=kept.campaign_id).is_archived:
        raise NotAllowed(campaigns.ARCHIVED)
    if not permissions.may_run_round(by, kept):
        raise NotAllowed(gettext("只能以自己管理的工会的名义组织督查。"))
    if kept.version != seen:
        raise steps.Stale(gettext("{name}刚刚修改了这个方案。").format(name=kept.saved_by))
    kept.title, kept.purpose = plan.title, plan.purpose
    kept.starts_on, kept.ends_on = plan.starts_on, plan.ends_on
    kept.saved_by = by
    kept.version += 1
    kept.save()
    days = f"{plan.starts_on} – {plan.ends_on}"
    record(
        action=Act.SUPERVISION_PLANNED,
        by=by,
        subject=kept,
        details={"name": f"{plan.title}，{days}"},
    )
    return kept


def people(organizer: Organization) -> QuerySet[User]:
    """Who can be sent: the people of the organizer, and of the unions directly below it that are not
    grassroots unions."""
    near = Membership.objects.filter(
        Q(organization=organizer)
        | (Q(organization__parent=organizer) & ~Q(organization__tier=Tier.GRASSROOTS)),
        user=OuterRef("pk"),
        organization__dissolved_on=None,
    )
    return User.objects.filter(Exists(near), is_active=True).order_by("full_name", "pk")


@transaction.atomic
def save_team(
    team: SupervisionTeam, *, name: str, leader: User, members: Collection[User], by: User
) -> SupervisionTeam:
    """Keep a team; its leader goes along. Raises NotAllowed, also where somebody must stand back from
    a union that the team is to visit."""
    round_ = _lock(team.round, by)
    going = {*members, leader}
    allowed = set(people(round_.organizer).filter(pk__in=[one.pk for one in going]))
    if strangers := going - allowed:
        raise NotAllowed(
            gettext("{names}不能参加：须是组织单位或其直接下级工会的人员。").format(
                names=gettext("、").join(map(str, strangers))
            )
        )
    team.round, team.name, team.leader = round_, name, leader
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise NotAllowed(gettext("已有名为“{name}”的小组。").format(name=name)) from None
    team.members.set(going)
    for one in going:
        tied = team.visits.filter(
            tied_to(one, "organization__path", "round__organizer__path"),
            state=VisitState.PLANNED,
        ).select_related("organization")
        if visit := tied.first():
            raise NotAllowed(
                gettext("{name}须回避“{union}”，不能参加这个小组。").format(
                    name=one, union=visit.organization
                )
            )
    names = "、".join(sorted(map(str, going)))
    record(
        action=Act.SUPERVISION_TEAM_SAVED,
        by=by,
        subject=round_,
        details={"name": f"{name}：{names}"},
    )
    return team


@transaction.atomic
def remove_team(team: SupervisionTeam, by: User) -> None:
    """Raises NotAllowed while it has unions to visit, or has visited any."""
    round_ = _lock(team.round, by)
    if team.visits.exists():
        raise NotAllowed(gettext("这个小组已经列有走访的工会，不能撤销。"))
    record(action=Act.SUPERVISION_TEAM_REMOVED, by=by, subject=round_, details={"name": team.name})
    team.delete()


def places_for(team: SupervisionTeam) -> QuerySet[Organization]:
    """The unions that the team can still visit: active ones below the organizer, which no team of the
    round visits, and from which none of its members must stand back."""
    organizer = team.round.organizer
    there = SupervisionVisit.objects.filter(
        round=team.round_id, organization=OuterRef("pk")
    ).exclude(state=VisitState.CANCELLED)
    found = Organization.objects.active().subtree_of(organizer).exclude(pk=organizer.pk)
    found = found.annotate(organizer_path=Value(organizer.path))
    for member in team.members.all():
        found = found.filter(~tied_to(member, "path", "organizer_path"))
    return found.filter(~Exists(there))


@transaction.atomic
def add_places(
    team: SupervisionTeam, chosen: QuerySet[Organization], planned_on: dt.date | None, by: User
) -> Added:
    """Put unions on the team's list; those that it cannot visit are left out. Raises NotAllowed, also
    for a day outside of the round."""
    round_ = _lock(team.round, by)
    if planned_on and not round_.starts_on <= planned_on <= round_.ends_on:
        raise NotAllowed(
            gettext(
                "计划日期须在督查期间之内（{starts_on:%Y-%m-%d} 至 {ends_on:%Y-%m-%d}）。"
            ).format(starts_on=round_.starts_on, ends_on=round_.ends_on)
        )
    wanted = set(chosen.order_by().values_list("pk", flat=True))
    if not wanted:
        raise NotAllowed(gettext("请先选择工会。"))
    keys = sorted(wanted & set(places_for(team).order_by().values_list("pk", flat=True)))
    SupervisionVisit.objects.bulk_create(
        (
            SupervisionVisit(round=round_, team=team, organization_id=key, planned_on=planned_on)
            for key in keys
        ),
        batch_size=BATCH,
    )
    if keys:
        record(
            action=Act.SUPERVISION_VISITS_ADDED,
            by=by,
            subject=round_,
            details={"name": f"{team.name}：{len(keys)} 个工会", "unions": keys},
        )
    return Added(len(keys), len(wanted) - len(keys))


@transaction.atomic
def drop(visit: SupervisionVisit, reason: str, by: User) -> None:
    """Take a union off the plan. As long as the round has not started, nothing of it stays; after
    that the visit is cancelled, with a reason, and what was written is kept. Raises NotAllowed."""
    round_ = _lock(visit.round, by)
    locked = SupervisionVisit.objects.select_for_update().get(pk=visit.pk)
    if not round_.is_planned:
        locked.round = round_
        steps.take(steps.CANCEL, locked, by, {"reason": reason})
        return
    name = str(visit.organization)
    record(
        action=Act.SUPERVISION_VISIT_REMOVED,
        by=by,
        subject=round_,
        details={"name": name, "reason": reason},
    )
    locked.delete()


@transaction.atomic
def start(round_: SupervisionRound, by: User) -> int:
    """The teams are told where to go: how many people. Raises NotAllowed."""
    locked = _lock(round_, by)
    steps.take(steps.START, locked, by)
    told = 0
    for team in locked.teams.prefetch_related("members"):
        number = team.visits.count()
        told += notify(
            team.members.all(),
            kind=NotificationKind.TURN,
            text=f"“{locked}”已开始，“{team}”有 {number} 个工会要走访。",
            link=f"{reverse('assessments:supervision', args=[locked.pk])}?team={team.pk}",
            by=by,
            due=locked.ends_on,
        )
    return told


@transaction.atomic
def close(round_: SupervisionRound, by: User) -> None:
    """No more visits; what was found is followed up all the same. Raises NotAllowed."""
    steps.take(steps.CLOSE, _lock(round_, by), by)


def _lock(round_: SupervisionRound, by: User) -> SupervisionRound:
    locked = (
        SupervisionRound.objects.select_for_update(of=("self",))
        .select_related("organizer", "saved_by", "campaign")
        .get(pk=round_.pk)
    )
    if not permissions.may_run_round(by, locked):
        raise NotAllowed(gettext("只有组织单位的管理员可以安排督查。"))
    if not locked.is_open:
        raise NotAllowed(gettext("这轮督查已经结束，不能再改。"))
    if locked.campaign.is_archived:
        raise NotAllowed(campaigns.ARCHIVED)
    return locked
