"""Where reviewers are too far apart, the lead settles it (仲裁)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assessments.models.self_assessment import SelfAssessment


class Arbitration(models.Model):
    """A criterion in which the reviewers differed too much, settled by the lead with a reason. The
    scores that were set are `Adjustment`s; where there are none, what the reviewers come to
    together stands. It lapses when they score anew."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="arbitrations"
    )
    revision = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField(_("第几好"))
    reason = models.TextField(_("仲裁理由"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("仲裁时间"))
    lapsed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("仲裁")
        ordering = ["number", "-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment", "number"],
                condition=Q(lapsed_at=None),
                name="arbitration_one_stands",
            ),
            models.CheckConstraint(name="arbitration_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="arbitration_of_one_of_six", condition=Q(number__gte=1, number__lte=6)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.number}"
