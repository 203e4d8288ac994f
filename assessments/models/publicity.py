"""公示: published results, and what is put forward about them (异议、申诉)."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assessments.choices import AppealKind, AppealState, State
from assessments.models.campaign import Campaign
from assessments.models.decision import Decision
from assessments.models.evidence import StoredFile
from assessments.models.recognition import Recognition
from assessments.models.self_assessment import SelfAssessment, revision_code
from organizations.models import User

OPEN_APPEAL_STATES = (AppealState.REGISTERED, AppealState.ASSIGNED)


class PublicityPeriod(models.Model):
    """One list of results and the days for which it is open to objections: up to the end of
    `closes_on` in Asia/Shanghai. `working_days` is what it was reckoned from."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="periods")
    number = models.PositiveIntegerField(_("批次"))
    title = models.CharField(_("名称"), max_length=60)
    opens_on = models.DateField(_("公示日期"))
    working_days = models.PositiveSmallIntegerField(_("工作日"))
    closes_on = models.DateField(_("截止日期"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(_("公示时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("公示")
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "number"], name="publicity_number_in_a_campaign"
            ),
            models.CheckConstraint(
                name="publicity_closes_after_it_opens", condition=Q(closes_on__gte=F("opens_on"))
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("assessments:publicity", args=[self.pk])

    def is_over(self, at: dt.datetime) -> bool:
        return timezone.localtime(at, timezone.get_default_timezone()).date() > self.closes_on


class PublishedResultQuerySet(models.QuerySet["PublishedResult"]):
    def public(self) -> PublishedResultQuerySet:
        """What everybody may see: not taken off, and still published or final."""
        return self.filter(
            removed_at=None, self_assessment__state__in=(State.PUBLISHED, State.FINAL)
        )

    def with_lost_titles(self) -> PublishedResultQuerySet:
        """With `title_lost`: whether the union has lost its title since it was decided."""
        lost = Recognition.objects.filter(
            organization=OuterRef("self_assessment__organization"),
            campaign__cycle_start_year=OuterRef("period__campaign__cycle_start_year"),
            revoked_at__gte=OuterRef("decision__decided_at"),
        )
        return self.annotate(title_lost=Exists(lost))

    def visible_to(self, user: User) -> PublishedResultQuerySet:
        return self.filter(self_assessment__in=SelfAssessment.objects.visible_to(user))


class PublishedResult(models.Model):
    """One line of the list; one that was taken off stays on record."""

    period = models.ForeignKey(PublicityPeriod, on_delete=models.PROTECT, related_name="results")
    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.PROTECT, related_name="published_results"
    )
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(_("撤下时间"), null=True)

    objects = PublishedResultQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("公示结果")
        ordering = ["self_assessment__place", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment"],
                condition=Q(removed_at=None),
                name="published_result_one_stands",
            )
        ]

    def __str__(self) -> str:
        return f"{self.period_id} · {self.self_assessment_id}"


class AppealQuerySet(models.QuerySet["Appeal"]):
    def holding_back(self) -> AppealQuerySet:
        """Not answered yet, and of a kind that keeps the result from becoming final."""
        return self.filter(state__in=OPEN_APPEAL_STATES).exclude(kind=AppealKind.COMMENT)

    def visible_to(self, user: User) -> AppealQuerySet:
        """Those about unions that the user may see; whether at all is `permissions.may_lead`."""
        return self.filter(result__in=PublishedResult.objects.visible_to(user))


class Appeal(models.Model):
    """An objection or comment from the public, or the union's own appeal. `contact` is personal:
    for the city's handlers, and only until it is forgotten. With `number` and `code` whoever filed
    it looks up the answer. `filed_by` is the union's head."""

    period = models.ForeignKey(PublicityPeriod, on_delete=models.PROTECT, related_name="appeals")
    result = models.ForeignKey(PublishedResult, on_delete=models.PROTECT, related_name="appeals")
    number = models.PositiveIntegerField(_("登记号"))
    code = models.CharField(_("查询码"), max_length=16, unique=True, default=revision_code)
    kind = models.CharField(_("类别"), max_length=9, choices=AppealKind)
    name = models.CharField(_("姓名"), max_length=40, blank=True)
    contact = models.CharField(_("联系方式"), max_length=60, blank=True)
    text = models.TextField(_("内容"))
    stored_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, related_name="appeals"
    )
    file_name = models.CharField(_("附件"), max_length=255, blank=True)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    filed_at = models.DateTimeField(_("提出时间"))
    state = models.CharField(
        _("办理情况"), max_length=10, choices=AppealState, default=AppealState.REGISTERED
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("承办人"),
    )
    answer = models.TextField(_("答复"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("答复时间"), null=True)

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("异议和申诉")
        ordering = ["-filed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["period", "number"], name="appeal_number_in_a_period"),
            models.UniqueConstraint(
                fields=["result"],
                condition=Q(kind=AppealKind.APPEAL, state__in=OPEN_APPEAL_STATES),
                name="appeal_of_the_union_one_open",
            ),
            models.CheckConstraint(
                name="appeal_kind_and_state_known",
                condition=Q(kind__in=AppealKind.values, state__in=AppealState.values),
            ),
            models.CheckConstraint(
                name="appeal_answered_by_somebody",
                condition=Q(state__in=OPEN_APPEAL_STATES, answer="", answered_by=None)
                | (
                    ~Q(state__in=OPEN_APPEAL_STATES)
                    & ~Q(answer="")
                    & Q(answered_by__isnull=False, answered_at__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.registered_number

    def get_absolute_url(self) -> str:
        return reverse("assessments:appeal", args=[self.pk])

    @property
    def registered_number(self) -> str:
        """Such as 2026-1-12: year, list, number."""
        return f"{self.period.campaign.year}-{self.period.number}-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_APPEAL_STATES
