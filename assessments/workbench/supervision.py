"""What waits for whom in the rounds of supervision (督查), whatever campaign they belong to."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Max, Min, Q, QuerySet
from django.urls import reverse

from assessments import deadlines
from assessments.choices import UNANSWERED_STATES, FindingState, RoundState, VisitState
from assessments.models import Campaign, SupervisionFinding, SupervisionVisit
from assessments.models.supervision import tied_to
from assessments.permissions.filling import OWN_WRITERS
from assessments.workbench.task import Task
from organizations.choices import Role
from organizations.models import User


def supervision(user: User, campaign: Campaign, at: dt.datetime) -> list[Task]:
    """Unions to visit, findings to put right, and what has been put right to check."""
    to_visit = SupervisionVisit.objects.written_by(user)
    return [*_visits(to_visit, at), *_findings(user, to_visit, at)]


def _visits(to_visit: QuerySet[SupervisionVisit], at: dt.datetime) -> list[Task]:
    waiting = to_visit.filter(state=VisitState.PLANNED, round__state=RoundState.RUNNING).aggregate(
        number=Count("pk"), due=Min("round__ends_on"), round=Max("round")
    )
    if not waiting["number"]:
        return []
    page = reverse("assessments:supervision", args=[waiting["round"]])
    return [
        Task(
            title="督查走访",
            text=f"{waiting['number']} 个工会等待走访。",
            url=f"{page}?state={VisitState.PLANNED}",
            button="去走访",
            due=waiting["due"],
            days_left=deadlines.days_left(waiting["due"], at),
        )
    ]


def _findings(user: User, to_visit: QuerySet[SupervisionVisit], at: dt.datetime) -> list[Task]:
    own = [one.organization_id for one in user.roles if one.role in OWN_WRITERS]
    checked = Q(visit__in=to_visit.values("pk"))
    for membership in user.roles:
        if membership.role == Role.ADMIN:
            organizer = membership.organization
            tied = tied_to(user, organizer, "visit__organization__path")
            checked |= Q(visit__round__organizer=organizer) & ~tied
    to_mend = Q(visit__organization__in=own, state__in=UNANSWERED_STATES)
    to_check = Q(checked, state=FindingState.ANSWERED)
    year = "visit__round__campaign__year"
    waiting = (
        SupervisionFinding.objects.handed_over()
        .filter(to_mend | to_check)
        .aggregate(
            mend=Count("pk", filter=to_mend),
            due=Min("rectify_by", filter=to_mend),
            mend_year=Max(year, filter=to_mend),
            check=Count("pk", filter=to_check),
            check_year=Max(year, filter=to_check),
        )
    )
    page, found = reverse("assessments:supervision_findings"), []
    if waiting["mend"]:
        found.append(
            Task(
                title="督查整改",
                text=f"督查反馈的 {waiting['mend']} 个问题等待整改。",
                url=f"{page}?year={waiting['mend_year']}&state=UNANSWERED",
                button="去整改",
                due=waiting["due"],
                days_left=deadlines.days_left(waiting["due"], at),
            )
        )
    if waiting["check"]:
        found.append(
            Task(
                title="督查验收",
                text=f"{waiting['check']} 个问题的整改等待验收。",
                url=f"{page}?year={waiting['check_year']}&state={FindingState.ANSWERED}",
                button="去验收",
            )
        )
    return found
