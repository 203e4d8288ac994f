"""On-site checks (现场核查): the draw, the visit, what was found, and the photos."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import FindingVerdict, InspectionState
from assessments.models.campaign import Campaign
from assessments.models.evidence import StoredFile
from assessments.models.rubric import Indicator
from assessments.models.self_assessment import RatingFields, SelfAssessment
from assessments.scoring import score_indicator
from organizations.models import User


class InspectionDraw(models.Model):
    """One draw by lot (抽查). `strata` is all that it rests on besides the seed: for each tier and
    county the keys it was drawn from and how many, so that anybody can repeat it (`drawing`)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="draws")
    seed = models.PositiveIntegerField(_("随机种子"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("抽取时间"), auto_now_add=True)
    strata = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = verbose_name_plural = _("抽查")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return gettext("{at:%Y-%m-%d} 抽查（种子 {seed}）").format(at=self.at, seed=self.seed)

    def get_absolute_url(self) -> str:
        return reverse("assessments:inspection_draw", args=[self.pk])


class Inspection(models.Model):
    """An on-site check of one submission. It came by lot (`draw`), or by hand with a `reason`.
    `revision` is the submission that was looked at. `announced`: whether the union is told of the
    day. `minutes` are the inspectors' words, `statement` the union's."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="inspections"
    )
    draw = models.ForeignKey(
        InspectionDraw, on_delete=models.PROTECT, null=True, related_name="inspections"
    )
    reason = models.CharField(_("核查原因"), max_length=200, blank=True)
    state = models.CharField(
        _("状态"), max_length=9, choices=InspectionState, default=InspectionState.DRAWN
    )
    revision = models.PositiveSmallIntegerField()
    inspectors = models.ManyToManyField(
        User, related_name="inspections", verbose_name=_("核查人员")
    )
    planned_on = models.DateField(_("计划日期"), null=True)
    announced = models.BooleanField(_("通知被核查工会"), default=True)
    visited_on = models.DateField(_("核查日期"), null=True)
    minutes = models.TextField(_("核查记录"), blank=True)
    statement = models.TextField(_("被核查单位意见"), blank=True)
    cancel_reason = models.CharField(_("取消原因"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(_("办结时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("现场核查")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment"],
                condition=Q(state__in=["DRAWN", "SCHEDULED"]),
                name="inspection_one_open",
            ),
            models.CheckConstraint(
                name="inspection_state_known", condition=Q(state__in=InspectionState.values)
            ),
            models.CheckConstraint(
                name="inspection_by_lot_or_for_a_reason",
                condition=Q(draw__isnull=False) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="inspection_scheduled_has_day",
                condition=~Q(state="SCHEDULED") | Q(planned_on__isnull=False),
            ),
            models.CheckConstraint(
                name="inspection_done_has_day",
                condition=~Q(state="DONE") | Q(visited_on__isnull=False, closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.get_state_display()}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:inspection", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in (InspectionState.DRAWN, InspectionState.SCHEDULED)


#: A finding with a rating.
_PROPOSES = Q(score__isnull=False) | Q(checked_items__isnull=False) | Q(denominator__isnull=False)


class FindingQuerySet(models.QuerySet["InspectionFinding"]):
    def proposing(self) -> FindingQuerySet:
        """Those that propose a score, items or counts of their own."""
        return self.filter(_PROPOSES)


class InspectionFinding(RatingFields):
    """What was found at one indicator. The rating is what the inspectors propose in place of the
    reviewers': a score, or the items and counts as they found them. It counts once the lead has
    applied it (`applied_at`)."""

    inspection = models.ForeignKey(Inspection, on_delete=models.CASCADE, related_name="findings")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(_("核查结论"), max_length=9, choices=FindingVerdict, blank=True)
    text = models.TextField(_("核查情况"), blank=True)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now=True)
    applied_at = models.DateTimeField(null=True)

    objects = FindingQuerySet.as_manager()

    class Meta(RatingFields.Meta):
        verbose_name = verbose_name_plural = _("核查情况")
        ordering = ["indicator__criterion__number", "indicator__position"]
        constraints = [
            *RatingFields.Meta.constraints,
            models.UniqueConstraint(
                fields=["inspection", "indicator"], name="finding_once_an_indicator"
            ),
            models.CheckConstraint(
                name="finding_verdict_known",
                condition=Q(verdict="") | Q(verdict__in=FindingVerdict.values),
            ),
            models.CheckConstraint(
                name="finding_rating_has_text", condition=~_PROPOSES | ~Q(text="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id} · {self.indicator_id}"

    @property
    def points(self) -> Decimal | None:
        """What the proposed rating comes to; None where none is proposed."""
        return score_indicator(self.indicator.rule, self.rating).points


class FindingPhoto(models.Model):
    """A photo taken on site, at an indicator. It belongs to the check, not to the union's library."""

    inspection = models.ForeignKey(Inspection, on_delete=models.CASCADE, related_name="photos")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    stored_file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="photos")
    name = models.CharField(_("文件名"), max_length=255)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("核查照片")
        ordering = ["taken_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["inspection", "indicator", "stored_file"], name="photo_once_an_indicator"
            )
        ]

    def __str__(self) -> str:
        return self.name
