"""The vote behind a satisfaction rate (民主测评). Votes are counted, never kept: there is no row
that says what anybody answered, or when."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from assessments.choices import SurveyMode
from assessments.models.rubric import Indicator
from assessments.models.self_assessment import SelfAssessment

MOST_ELIGIBLE = 2000


class Survey(models.Model):
    """One vote of a union's members, open from the start until `closes_at`, or until it is
    closed. `eligible` is the number of people who may vote; `token` names it in its public
    address. The four tallies are votes."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.PROTECT, related_name="surveys", verbose_name=_("自评")
    )
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    token = models.CharField(max_length=20, unique=True)
    mode = models.CharField(_("投票方式"), max_length=7, choices=SurveyMode)
    eligible = models.PositiveIntegerField(
        _("应参加人数"), validators=[MinValueValidator(1), MaxValueValidator(MOST_ELIGIBLE)]
    )
    opened_at = models.DateTimeField(_("开始时间"))
    closes_at = models.DateTimeField(_("截止时间"))
    closed_at = models.DateTimeField(_("结束时间"), null=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("发起人"),
    )
    satisfied = models.PositiveIntegerField(_("满意"), default=0)
    basically = models.PositiveIntegerField(_("基本满意"), default=0)
    unsatisfied = models.PositiveIntegerField(_("不满意"), default=0)
    abstained = models.PositiveIntegerField(_("弃权"), default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("民主测评")
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment", "indicator"], name="survey_once_an_indicator"
            ),
            models.CheckConstraint(
                name="survey_mode_known", condition=Q(mode__in=SurveyMode.values)
            ),
            models.CheckConstraint(
                name="survey_votes_within_eligible",
                condition=Q(
                    eligible__gte=F("satisfied")
                    + F("basically")
                    + F("unsatisfied")
                    + F("abstained")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment} {self.indicator}"

    @property
    def cast(self) -> int:
        """Votes handed in (实投票数)."""
        return self.valid + self.abstained

    @property
    def valid(self) -> int:
        """Votes that say something (有效测评票数): the denominator of the rate."""
        return self.satisfied + self.basically + self.unsatisfied


class SurveyPass(models.Model):
    """A right to vote once: a code on a slip, or a phone. Only a keyed digest of it is kept, and
    neither when it was used nor for what."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="passes")
    digest = models.CharField(max_length=64)
    used = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["survey", "digest"], name="survey_pass_once")
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} {self.digest[:8]}"
