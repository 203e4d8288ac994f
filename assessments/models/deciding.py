"""What is prepared before anybody is told of a decision (评定): standings, and batches of pending
decisions for the meeting."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments.choices import BatchState, Outcome
from assessments.models.campaign import Campaign
from assessments.models.self_assessment import EXACT, SelfAssessment
from organizations.choices import Tier


class Standing(models.Model):
    """What the completed reviews of a submission come to, kept for tables and ranks. Derived: see
    `standings`, which writes it whenever something underneath changes.

    `total` is out of 100; `criteria` holds [points, maximum, met] of the six, the figures as
    text; `county` is the path of the county (or other union directly under the city) that it
    stood in when handed in; `stamp` tells apart two states of what it rests on.
    """

    self_assessment = models.OneToOneField(
        SelfAssessment, on_delete=models.CASCADE, related_name="standing"
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    tier = models.CharField(max_length=10, choices=Tier)
    county = models.CharField(max_length=32)
    total = models.DecimalField(_("总分"), **EXACT)
    outcome = models.CharField(_("结果"), max_length=15, choices=Outcome)
    criteria = models.JSONField()
    met = models.PositiveSmallIntegerField(_("好的项数"))
    vetoed = models.BooleanField(_("一票否决"), default=False)
    stamp = models.CharField(max_length=20)

    class Meta:
        verbose_name = verbose_name_plural = _("评审结果")
        indexes = [
            models.Index(fields=["campaign", "tier", "-total"], name="standing_tier"),
            models.Index(fields=["campaign", "tier", "county", "-total"], name="standing_county"),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.total}"


class DecisionBatch(models.Model):
    """A list of pending decisions for one meeting (评定会). Nobody is told of it until it is
    applied in one act; a dropped one has told nobody. `version` counts its changes, so that nobody
    applies what they have not seen."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="batches")
    name = models.CharField(_("名称"), max_length=60)
    state = models.CharField(
        _("状态"), max_length=8, choices=BatchState, default=BatchState.PREPARED
    )
    version = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(_("拟定时间"), auto_now_add=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(_("办结时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("评定名单")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="decision_batch_state_known", condition=Q(state__in=BatchState.values)
            ),
            models.CheckConstraint(
                name="decision_batch_closed_by_somebody",
                condition=Q(state=BatchState.PREPARED, closed_at=None, closed_by=None)
                | (
                    ~Q(state=BatchState.PREPARED)
                    & Q(closed_at__isnull=False, closed_by__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("assessments:decision_batch", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state == BatchState.PREPARED


class PendingDecision(models.Model):
    """One line of a batch: the standing as it was when it was listed (`stamp`), and an override
    (推翻), which counts once a second person has confirmed it. `is_open` while its batch is."""

    batch = models.ForeignKey(DecisionBatch, on_delete=models.CASCADE, related_name="lines")
    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="pending_decisions"
    )
    is_open = models.BooleanField(default=True)
    stamp = models.CharField(max_length=20)
    total = models.DecimalField(_("总分"), **EXACT)
    outcome = models.CharField(_("按评审的结果"), max_length=15, choices=Outcome)
    override = models.CharField(_("推翻为"), max_length=15, choices=Outcome, blank=True)
    override_reason = models.TextField(_("推翻理由"), blank=True)
    override_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = _("待定")
        ordering = ["self_assessment__rubric__tier", "-total", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment"],
                condition=Q(is_open=True),
                name="pending_decision_in_one_batch",
            ),
            models.CheckConstraint(
                name="pending_decision_override_is_reasoned",
                condition=Q(override="", override_reason="", override_by=None, confirmed_by=None)
                | (
                    Q(override__in=Outcome.values, override_by__isnull=False)
                    & ~Q(override_reason="")
                ),
            ),
            models.CheckConstraint(
                name="pending_decision_confirmed_by_another",
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=models.F("override_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} · {self.self_assessment_id}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:pending_decision", args=[self.batch_id, self.pk])

    @property
    def awaits_confirmation(self) -> bool:
        """Whether an override still wants a second person."""
        return bool(self.override) and self.confirmed_by_id is None

    @property
    def final_outcome(self) -> str:
        """What will be decided as it stands."""
        return self.override if self.override and self.confirmed_by_id else self.outcome

    @property
    def final_outcome_label(self) -> str:
        return Outcome(self.final_outcome).label
