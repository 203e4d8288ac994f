"""The city's decision (评定): points per criterion, which of the six are met, the outcome."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from assessments.choices import Outcome
from assessments.models.self_assessment import EXACT, SelfAssessment


class Decision(models.Model):
    """One decision on one revision; a reopened one stays on record as superseded.

    `total` is out of 100. `outcome` was computed from exact points, before they were stored.
    """

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="decisions"
    )
    revision = models.PositiveSmallIntegerField()
    total = models.DecimalField("总分", **EXACT)
    outcome = models.CharField("评定结果", max_length=15, choices=Outcome)
    opinion = models.TextField("评定意见", blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField("评定时间")
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "评定"
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
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.get_outcome_display()}"


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
