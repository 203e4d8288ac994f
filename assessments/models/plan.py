"""Implementation plans (实施方案): one a union and campaign, in the versions that were filed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import PlanState
from assessments.models.campaign import Campaign
from assessments.models.evidence import StoredFile
from organizations.choices import Tier
from organizations.models import Organization

#: The policy, section 四: 各县(市、区)工会、产业工会、基层工会.
PLAN_TIERS = (Tier.COUNTY, Tier.INDUSTRY, Tier.GRASSROOTS)


class ImplementationPlanQuerySet(models.QuerySet["ImplementationPlan"]):
    def with_filed(self) -> ImplementationPlanQuerySet:
        """With `was_filed`: whether the city holds a version of it."""
        filed = PlanVersion.objects.filter(plan=OuterRef("pk"), filed_at__isnull=False)
        return self.annotate(was_filed=Exists(filed))


class ImplementationPlan(models.Model):
    """`state` is written by `assessments.plans` only. `number` is that of the receipt, consecutive
    in a campaign: given with the first filing, and kept. `late` tells whether it was filed after
    the campaign's day for it. `stamp` counts the changes, so that two people notice each other."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="plans")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="plans", verbose_name=_("工会")
    )
    state = models.CharField(_("状态"), max_length=8, choices=PlanState, default=PlanState.DRAFT)
    number = models.PositiveIntegerField(_("回执编号"), null=True)
    filed_at = models.DateTimeField(_("报送时间"), null=True)
    late = models.BooleanField(_("逾期报送"), default=False)
    stamp = models.PositiveIntegerField(default=0)

    objects = ImplementationPlanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("实施方案")
        ordering = ["campaign", "number"]
        indexes = [models.Index(fields=["campaign", "state"], name="plan_campaign_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization"], name="plan_once_a_campaign"
            ),
            models.UniqueConstraint(fields=["campaign", "number"], name="plan_number_once"),
            models.CheckConstraint(
                name="plan_state_known", condition=Q(state__in=PlanState.values)
            ),
            models.CheckConstraint(
                name="plan_filed_has_number",
                condition=Q(state=PlanState.DRAFT)
                | Q(number__isnull=False, filed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("{organization} 实施方案").format(organization=self.organization)

    def get_absolute_url(self) -> str:
        return reverse("assessments:plan", args=[self.pk])

    @property
    def receipt_number(self) -> str:
        """As it stands on the receipt: 平工六好案〔2026〕0001号; empty before the first filing."""
        return f"平工六好案〔{self.campaign.year}〕{self.number:04}号" if self.number else ""


class PlanVersion(models.Model):
    """What was written or uploaded, one row each time that it is handed in: the last one is written
    on until it is filed, those before it came back with `remarks`. `sections` is a list of
    {"heading", "text"} in the order of the outline; a `stored_file` stands in its place."""

    plan = models.ForeignKey(ImplementationPlan, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField(_("次数"))
    sections = models.JSONField(default=list)
    stored_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, related_name="plan_versions"
    )
    name = models.CharField(_("文件名"), max_length=255, blank=True)
    filed_at = models.DateTimeField(_("报送时间"), null=True)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    remarks = models.TextField(_("审核意见"), blank=True)
    handled_at = models.DateTimeField(_("审核时间"), null=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = _("实施方案版本")
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number"),
            models.CheckConstraint(
                name="plan_version_filed_by_somebody",
                condition=Q(filed_at=None, filed_by=None)
                | Q(filed_at__isnull=False, filed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="plan_version_handled_once_filed",
                condition=Q(handled_at=None, handled_by=None)
                | Q(handled_at__isnull=False, handled_by__isnull=False, filed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("{plan} 第 {number} 次").format(plan=self.plan, number=self.number)
