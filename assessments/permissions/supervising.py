"""Who supervises (督查) and answers what was found. Which rows one sees is their `visible_to`."""

from __future__ import annotations

from assessments.models import SupervisionFinding, SupervisionRound, SupervisionVisit
from assessments.models.supervision import tied_to
from assessments.permissions.filling import OWN_WRITERS
from assessments.permissions.publishing import publishes_for
from organizations.choices import Tier
from organizations.models import Organization, User
from organizations.models.organization import SUBTREE_ROLES
from organizations.permissions import has_city_role, has_role, may_administer


def supervises_for(user: User) -> Organization | None:
    """The union in whose name the user runs rounds: as with notices, the city, or the county of
    which the user is 管理员."""
    return publishes_for(user)


def may_run_round(user: User, round_: SupervisionRound) -> bool:
    """Plan, start and close it: 管理员 of its organizer. The city's may do so with a county's too."""
    return may_administer(user, round_.organizer)


def belongs_to_organizer(user: User) -> bool:
    """Whether the user is of the city, or of a county: those that run rounds."""
    return any(one.organization.tier in (Tier.CITY, Tier.COUNTY) for one in user.roles)


def may_see_rounds(user: User) -> bool:
    """The list of rounds: people of the city and its counties, and whoever is on a team. Which of
    them each sees is `SupervisionRound.objects.visible_to`."""
    return belongs_to_organizer(user) or user.supervision_teams.exists()


def may_visit(user: User, visit: SupervisionVisit) -> bool:
    """Write down what was found, and hand it over: the team, as long as nobody must stand back."""
    return SupervisionVisit.objects.written_by(user).filter(pk=visit.pk).exists()


def may_answer_finding(user: User, finding: SupervisionFinding) -> bool:
    """整改: 填报员 and 负责人 of the visited union itself."""
    return has_role(user, finding.visit.organization, OWN_WRITERS)


def may_check_finding(user: User, finding: SupervisionFinding) -> bool:
    """验收: the team, or 管理员 of the organizer; not the union's own people, and nobody who must
    stand back from it."""
    if may_answer_finding(user, finding):
        return False
    visit = finding.visit
    if may_run_round(user, visit.round):
        tied = tied_to(user, "organization__path", "round__organizer__path")
        return not SupervisionVisit.objects.filter(tied, pk=visit.pk).exists()
    return may_visit(user, visit)


def may_report_progress(user: User) -> bool:
    """推进会材料: who sees the whole city."""
    return has_city_role(user, SUBTREE_ROLES)
