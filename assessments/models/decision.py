"""What the city makes of the reviews: adjusted scores, and the decision (评定) with its points."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments.choices import AdjustmentSource, Outcome
from assessments.models.campaign import Campaign
from assessments.models.deciding import DecisionBatch
from assessments.models.rubric import Indicator
from assessments.models.self_assessment import EXACT, RatingFields, SelfAssessment


class Adjustment(RatingFields):
    """A score that the city set for one indicator after the reviewers, in place of what they come
    to: in arbitration (仲裁), after an inspection (现场核查), or at the decision. One stands for
    each indicator; an earlier one, or one whose answer has changed since, has lapsed."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="adjustments"
    )
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveSmallIntegerField()
    source = models.CharField(_("来源"), max_length=11, choices=AdjustmentSource)
    reason = models.TextField(_("理由"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    lapsed_at = models.DateTimeField(null=True)

    class Meta(RatingFields.Meta):
        verbose_name = verbose_name_plural = _("调整得分")
        ordering = ["-at", "-pk"]
        constraints = [
            *RatingFields.Meta.constraints,
            models.UniqueConstraint(
                fields=["self_assessment", "indicator"],
                condition=Q(lapsed_at=None),
                name="adjustment_one_stands",
            ),
            models.CheckConstraint(
                name="adjustment_source_known", condition=Q(source__in=AdjustmentSource.values)
            ),
            models.CheckConstraint(name="adjustment_has_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.indicator_id}"


class Decision(models.Model):
    """One decision on one revision; a reopened one stays on record as superseded.

    `total` is out of 100. `computed_outcome` follows from exact points, before they were stored;
    `outcome` is the same unless it was overridden (推翻), with a reason and by two people. `number`
    is that of the letter (评定结果通知书) within the campaign, counted from 1.
    """

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="decisions"
    )
    revision = models.PositiveSmallIntegerField()
    total = models.DecimalField(_("总分"), **EXACT)
    outcome = models.CharField(_("评定结果"), max_length=15, choices=Outcome)
    computed_outcome = models.CharField(_("按评审的结果"), max_length=15, choices=Outcome)
    override_reason = models.TextField(_("推翻理由"), blank=True)
    overridden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    override_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(_("通知书编号"))
    batch = models.ForeignKey(
        DecisionBatch, on_delete=models.PROTECT, null=True, related_name="decisions"
    )
    opinion = models.TextField(_("评定意见"), blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("评定时间"))
    superseded_at = models.DateTimeField(null=True)
    superseded_reason = models.TextField(_("撤销理由"), blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("评定")
        ordering = ["-decided_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment"],
                condition=Q(superseded_at=None),
                name="decision_one_stands",
            ),
            models.CheckConstraint(
                name="decision_outcome_known", condition=Q(outcome__in=Outcome.values)
            ),
            models.UniqueConstraint(
                fields=["campaign", "number"], name="decision_number_in_a_campaign"
            ),
            models.CheckConstraint(
                name="decision_overridden_by_two",
                condition=Q(
                    outcome=F("computed_outcome"),
                    override_reason="",
                    overridden_by=None,
                    override_confirmed_by=None,
                )
                | (
                    Q(overridden_by__isnull=False, override_confirmed_by__isnull=False)
                    & ~Q(override_reason="")
                    & ~Q(overridden_by=F("override_confirmed_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.get_outcome_display()}"

    def get_absolute_url(self) -> str:
        """The letter."""
        return reverse("assessments:decision_letter", args=[self.pk])

    @property
    def is_overridden(self) -> bool:
        return self.overridden_by_id is not None

    @property
    def letter_number(self) -> str:
        """文号, as the federation writes it."""
        return f"平工六好〔{self.campaign.year}〕{self.number}号"


class DecisionCriterion(models.Model):
    """One of the six in a decision: points, their maximum, and whether it is met (“好”)."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="criteria")
    number = models.PositiveSmallIntegerField()
    points = models.DecimalField(**EXACT)
    maximum = models.DecimalField(**EXACT)
    met = models.BooleanField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "number"], name="decision_criterion_number"
            ),
            models.CheckConstraint(
                name="decision_criterion_points_in_range",
                condition=Q(points__gte=0, points__lte=F("maximum")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision_id} · {self.number}"


class DecisionScore(models.Model):
    """What was decided for one indicator (认定得分), and why where it is below the full mark: the
    city's words as they were then, without names. An indicator that does not apply has a maximum of
    zero."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="scores")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    points = models.DecimalField(**EXACT)
    maximum = models.DecimalField(**EXACT)
    met = models.BooleanField()
    remark = models.TextField(_("扣分说明"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["decision", "indicator"], name="decision_score_once_an_indicator"
            ),
            models.CheckConstraint(
                name="decision_score_points_in_range",
                condition=Q(points__gte=0, points__lte=F("maximum")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision_id} · {self.indicator_id}"
