"""What waits for whom in the rounds of supervision (督查), whatever campaign they belong to."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Max, Min, Q
from django.urls import reverse
from django.utils.translation import gettext

from assessments import deadlines
from assessments.choices import UNANSWERED_STATES, FindingState, RoundState, VisitState
from assessments.models import Campaign, SupervisionVisit
from assessments.models.supervision import of_teams, tied_to
from assessments.permissions.filling import OWN_WRITERS
from assessments.workbench.task import Task
from organizations.choices import Role
from organizations.models import User


def supervision(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """Unions to visit, findings to put right, and what has been put right to check: one query."""
    to_visit, to_mend, to_check = _waiting_for(user)
    year = "round__campaign__year"
    waiting = SupervisionVisit.objects.filter(to_visit | to_mend | to_check).aggregate(
        visits=Count("pk", filter=to_visit, distinct=True),
        ends=Min("round__ends_on", filter=to_visit),
        latest=Max("round", filter=to_visit),
        mend=Count("findings", filter=to_mend),
        due=Min("findings__rectify_by", filter=to_mend),
        mend_year=Max(year, filter=to_mend),
        check=Count("findings", filter=to_check),
        check_year=Max(year, filter=to_check),
    )
    page, found = reverse("assessments:supervision_findings"), []
    if waiting["visits"]:
        plan = reverse("assessments:supervision", args=[waiting["latest"]])
        found.append(
            Task(
                title=gettext("督查走访"),
                text=gettext("{visits} 个工会等待走访。").format(visits=waiting["visits"]),
                url=f"{plan}?state={VisitState.PLANNED}",
                button=gettext("去走访"),
                due=waiting["ends"],
                days_left=deadlines.days_left(waiting["ends"], at),
            )
        )
    if waiting["mend"]:
        found.append(
            Task(
                title=gettext("督查整改"),
                text=gettext("督查反馈的 {mend} 个问题等待整改。").format(mend=waiting["mend"]),
                url=f"{page}?year={waiting['mend_year']}&state=UNANSWERED",
                button=gettext("去整改"),
                due=waiting["due"],
                days_left=deadlines.days_left(waiting["due"], at),
            )
        )
    if waiting["check"]:
        found.append(
            Task(
                title=gettext("督查验收"),
                text=gettext("{check} 个问题的整改等待验收。").format(check=waiting["check"]),
                url=f"{page}?year={waiting['check_year']}&state={FindingState.ANSWERED}",
                button=gettext("去验收"),
            )
        )
    return found


def _waiting_for(user: User) -> tuple[Q, Q, Q]:
    """What the user is to visit, to put right, and to check, as conditions on visits."""
    own = [one.organization_id for one in user.roles if one.role in OWN_WRITERS]
    run = [one.organization_id for one in user.roles if one.role == Role.ADMIN]
    team = of_teams(user)
    checks = team
    if run:
        tied = tied_to(user, "organization__path", "round__organizer__path")
        checks = team | Q(Q(round__organizer__in=run), ~tied)
    handed_over = Q(state=VisitState.FED_BACK)
    return (
        Q(team, state=VisitState.PLANNED, round__state=RoundState.RUNNING),
        Q(handed_over, organization__in=own, findings__state__in=UNANSWERED_STATES),
        Q(handed_over, checks, findings__state=FindingState.ANSWERED),
    )
