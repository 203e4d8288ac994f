"""Who changed which answer, from what to what."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from assessments.models.rubric import Indicator
from assessments.models.self_assessment import SelfAssessment


class AnswerChange(models.Model):
    """One person's work on one answer: `before` and `after` hold what was entered, by field (see
    `versions.FIELDS`). What the same person types within minutes is one change. `revision` is
    how often the union had handed in by then."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="changes"
    )
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    at = models.DateTimeField()
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        verbose_name = verbose_name_plural = _("填报修改")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["self_assessment", "-at", "-id"], name="change_newest_first"),
            models.Index(
                fields=["self_assessment", "indicator", "-at", "-id"], name="change_of_an_answer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.indicator_id} · {self.at}"
