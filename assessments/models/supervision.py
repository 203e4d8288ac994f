"""督查 (督促检查, the policy, section 四.3): rounds with a plan, teams, the unions visited, what was found
there, and how it was put right. The on-site checks of a submission are another matter (`inspection`)."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments.choices import (
    UNANSWERED_STATES,
    FindingSeverity,
    FindingState,
    RoundState,
    VisitState,
)
from assessments.models.campaign import Campaign
from assessments.models.evidence import StoredFile
from assessments.models.review import Recusal
from assessments.models.rubric import Criterion
from organizations.choices import Tier
from organizations.models import Organization, User
from organizations.models.organization import AFTER_DIGITS, PATH_STEP, SUBTREE_ROLES, within


def tied_to(user: User, union: str, organizer: str) -> Q:
    """The unions that the user may not supervise (回避): those where they hold a role, above or below
    them, and what they are recused from. To hold a role at the organizer or above it is what the
    work rests on, and no tie. `union` and `organizer` are the fields with the paths."""
    found = _recused_from(user, union)
    for membership in user.all_roles:
        path = membership.organization.path
        near = within(path, union) | Q(**{f"{union}__in": _line(path)})
        found |= near & ~within(path, organizer)
    return found


def _line(path: str) -> list[str]:
    """The paths from the root down to this one."""
    return [path[:end] for end in range(PATH_STEP, len(path) + 1, PATH_STEP)]


def _recused_from(user: User, union: str) -> Q:
    """As `recused_paths`, inside the query itself."""
    above = Recusal.objects.filter(reviewer=user, organization__path__lte=OuterRef(union)).annotate(
        end=Concat("organization__path", Value(AFTER_DIGITS))
    )
    return Q(Exists(above.filter(end__gt=OuterRef(union))))


class SupervisionRoundQuerySet(models.QuerySet["SupervisionRound"]):
    def visible_to(self, user: User) -> SupervisionRoundQuerySet:
        """Those run by a union whose subtree the user sees, and those on whose teams the user is."""
        on_team = SupervisionTeam.objects.filter(round=OuterRef("pk"), members=user)
        scope = Q(Exists(on_team))
        for membership in user.roles:
            if membership.role in SUBTREE_ROLES:
                scope |= within(membership.organization.path, "organizer__path")
        return self.filter(scope)

    def run_by(self, user: User) -> SupervisionRoundQuerySet:
        """Those of the unions that the user administers: `permissions.may_run_round`."""
        return self.filter(organizer__in=Organization.objects.administered_by(user))


class SupervisionRound(models.Model):
    """One round (一轮督查) of the city, or of a county below it. Its days are whole days in
    Asia/Shanghai, the last included. `version` counts the savings of the plan."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="supervision_rounds"
    )
    organizer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("组织单位")
    )
    title = models.CharField(_("督查名称"), max_length=60)
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("结束日期"))
    purpose = models.TextField(_("目的和内容"))
    state = models.CharField(
        _("状态"), max_length=7, choices=RoundState, default=RoundState.PLANNED, editable=False
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )

    objects = SupervisionRoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("督查")
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="supervision_days_in_order", condition=Q(starts_on__lte=F("ends_on"))
            ),
            models.CheckConstraint(
                name="supervision_round_state_known", condition=Q(state__in=RoundState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("assessments:supervision", args=[self.pk])

    @property
    def is_planned(self) -> bool:
        return self.state == RoundState.PLANNED

    @property
    def is_open(self) -> bool:
        return self.state != RoundState.CLOSED


class SupervisionTeam(models.Model):
    """Who goes. The leader is one of the members."""

    round = models.ForeignKey(SupervisionRound, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(_("小组名称"), max_length=30)
    leader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("组长")
    )
    members = models.ManyToManyField(User, related_name="supervision_teams", verbose_name=_("组员"))

    class Meta:
        verbose_name = verbose_name_plural = _("督查小组")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["round", "name"], name="supervision_team_name_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def others(self) -> list[User]:
        """The members without their leader."""
        return [one for one in self.members.all() if one.pk != self.leader_id]


def of_teams(user: User) -> Q:
    """The visits of the user's teams, as long as the user still belongs to the organizer's part of the
    tree and no conflict of interest (回避) has arisen. People of grassroots unions alone are on no
    team: nothing is asked for them."""
    if all(one.organization.tier == Tier.GRASSROOTS for one in user.all_roles):
        return Q(pk__in=[])
    belongs = Q(pk__in=[])
    for membership in user.all_roles:
        belongs |= Q(round__organizer__path__in=_line(membership.organization.path))
    own = Q(team__in=user.supervision_teams.order_by().values("pk"))
    return own & belongs & ~tied_to(user, "organization__path", "round__organizer__path")


class SupervisionVisitQuerySet(models.QuerySet["SupervisionVisit"]):
    def written_by(self, user: User) -> SupervisionVisitQuerySet:
        """Those on which the user goes."""
        return self.filter(of_teams(user))

    def visible_to(self, user: User) -> SupervisionVisitQuerySet:
        """Those of the rounds that a union runs whose subtree the user sees, and of the user's teams;
        once its findings are handed over, whoever sees the visited union sees the visit. Nobody sees
        what they are recused from (回避)."""
        scope = of_teams(user)
        for membership in user.roles:
            if membership.role in SUBTREE_ROLES:
                path = membership.organization.path
                handed_over = Q(state=VisitState.FED_BACK) & within(path, "organization__path")
                scope |= within(path, "round__organizer__path") | handed_over
        return self.filter(scope, ~_recused_from(user, "organization__path"))


class SupervisionVisit(models.Model):
    """One union to visit (走访). What was found there is the team's until it is handed over
    (反馈): from then on the union sees it, and nothing of it changes."""

    round = models.ForeignKey(SupervisionRound, on_delete=models.CASCADE, related_name="visits")
    team = models.ForeignKey(
        SupervisionTeam, on_delete=models.PROTECT, related_name="visits", verbose_name=_("小组")
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="supervision_visits",
        verbose_name=_("工会"),
    )
    planned_on = models.DateField(_("计划日期"), null=True)
    visited_on = models.DateField(_("走访日期"), null=True)
    summary = models.TextField(_("总体情况"), blank=True)
    state = models.CharField(
        _("状态"), max_length=9, choices=VisitState, default=VisitState.PLANNED, editable=False
    )

    objects = SupervisionVisitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("督查走访")
        ordering = ["organization__path", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["round", "organization"],
                condition=~Q(state=VisitState.CANCELLED),
                name="supervision_visit_once_a_round",
            ),
            models.CheckConstraint(
                name="supervision_visit_state_known", condition=Q(state__in=VisitState.values)
            ),
            models.CheckConstraint(
                name="supervision_visit_fed_back_has_day",
                condition=~Q(state=VisitState.FED_BACK) | Q(visited_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round_id} · {self.organization_id}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:supervision_visit", args=[self.pk])

    @property
    def is_fed_back(self) -> bool:
        return self.state == VisitState.FED_BACK


class SupervisionFindingQuerySet(models.QuerySet["SupervisionFinding"]):
    def visible_to(self, user: User) -> SupervisionFindingQuerySet:
        return self.filter(visit__in=SupervisionVisit.objects.visible_to(user).values("pk"))

    def handed_over(self) -> SupervisionFindingQuerySet:
        """Those that the union has been told of."""
        return self.filter(visit__state=VisitState.FED_BACK)

    def unanswered(self) -> SupervisionFindingQuerySet:
        """Those that wait for the union."""
        return self.handed_over().filter(state__in=UNANSWERED_STATES)

    def overdue(self, today: dt.date) -> SupervisionFindingQuerySet:
        """Those of them whose day has passed."""
        return self.unanswered().filter(rectify_by__lt=today)


class SupervisionFinding(models.Model):
    """What is to be put right (整改) by the end of `rectify_by`. `criterion` is the “好” of the union's
    own tier that it is about, if any. `version` counts the savings."""

    visit = models.ForeignKey(SupervisionVisit, on_delete=models.CASCADE, related_name="findings")
    text = models.TextField(_("问题"))
    criterion = models.ForeignKey(
        Criterion,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("涉及哪个“好”"),
    )
    severity = models.CharField(_("程度"), max_length=7, choices=FindingSeverity)
    rectify_by = models.DateField(_("整改期限"))
    state = models.CharField(
        _("整改情况"), max_length=8, choices=FindingState, default=FindingState.OPEN, editable=False
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )

    objects = SupervisionFindingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("督查问题")
        ordering = ["visit", "pk"]
        indexes = [models.Index(fields=["state", "rectify_by"], name="supervision_finding_due")]
        constraints = [
            models.CheckConstraint(
                name="supervision_finding_state_known", condition=Q(state__in=FindingState.values)
            ),
            models.CheckConstraint(
                name="supervision_finding_severity_known",
                condition=Q(severity__in=FindingSeverity.values),
            ),
        ]

    def __str__(self) -> str:
        return self.text[:30]

    def get_absolute_url(self) -> str:
        return reverse("assessments:supervision_finding", args=[self.pk])

    @property
    def is_unanswered(self) -> bool:
        """Whether it waits for the union."""
        return self.state in UNANSWERED_STATES


class Rectification(models.Model):
    """How a finding was put right, as the union says – or the team itself, where it saw so on site –
    and the team's reply. `is_late` was reckoned by the day that held then."""

    finding = models.ForeignKey(
        SupervisionFinding, on_delete=models.CASCADE, related_name="rectifications"
    )
    text = models.TextField(_("整改情况"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    is_late = models.BooleanField(_("逾期"))
    reply = models.TextField(_("验收意见"), blank=True)
    replied_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("督查整改")
        ordering = ["finding", "pk"]

    def __str__(self) -> str:
        return f"{self.finding_id} · {self.at:%Y-%m-%d}"


class SupervisionFile(models.Model):
    """A photo or document of a finding; with a rectification, the proof of it."""

    finding = models.ForeignKey(SupervisionFinding, on_delete=models.CASCADE, related_name="files")
    rectification = models.ForeignKey(
        Rectification, on_delete=models.CASCADE, null=True, related_name="files"
    )
    stored_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, related_name="supervision_files"
    )
    name = models.CharField(_("文件名"), max_length=255)

    class Meta:
        verbose_name = verbose_name_plural = _("督查材料")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["finding", "stored_file"],
                condition=Q(rectification=None),
                name="supervision_file_once_a_finding",
            ),
            models.UniqueConstraint(
                fields=["rectification", "stored_file"], name="supervision_proof_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
