"""The rubric (标准): three tiers, six criteria each, and the assessable clauses in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import CampaignState, IndicatorKind
from assessments.scoring import IndicatorRule
from organizations.choices import ASSESSED_TIERS, Tier

POINTS = {"max_digits": 5, "decimal_places": 1}


class RubricLocked(Exception):
    """A version that a campaign has opened with would change: make a new one. In Chinese."""


class Rubric(models.Model):
    """The criteria of one tier, in one version. Locked once a campaign with it has opened."""

    tier = models.CharField(
        _("层级"), max_length=12, choices=[(tier.value, tier.label) for tier in ASSESSED_TIERS]
    )
    version = models.PositiveSmallIntegerField(_("版本"), default=1)
    title = models.CharField(_("名称"), max_length=60)

    class Meta:
        verbose_name = verbose_name_plural = _("六好标准")
        ordering = ["tier", "version"]
        constraints = [
            models.UniqueConstraint(fields=["tier", "version"], name="rubric_tier_version"),
            models.CheckConstraint(
                name="rubric_tier_assessed", condition=Q(tier__in=[t.value for t in ASSESSED_TIERS])
            ),
        ]

    def __str__(self) -> str:
        return gettext("{title}（第{version}版）").format(title=self.title, version=self.version)

    def get_absolute_url(self) -> str:
        return reverse("assessments:rubric", args=[self.pk])

    @cached_property
    def is_locked(self) -> bool:
        """Whether a campaign that has opened uses this version: a new one must be made then."""
        return self.policies.exclude(campaign__state=CampaignState.PREPARING).exists()

    def refuse_if_locked(self) -> None:
        """Raises RubricLocked."""
        if self.is_locked:
            raise RubricLocked(
                gettext("{rubric}已有开放过的活动在使用，不能修改，请另建新版本。").format(
                    rubric=self
                )
            )

    @property
    def tier_label(self) -> str:
        return str(Tier(self.tier).label)


class _Part(models.Model):
    """What a version consists of: written and deleted only while the version is not locked."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._part_of().refuse_if_locked()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._part_of().refuse_if_locked()
        return super().delete(*args, **kwargs)

    def _part_of(self) -> Rubric:
        raise NotImplementedError


class Criterion(_Part):
    """One of the six (一好)."""

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="criteria")
    number = models.PositiveSmallIntegerField(
        _("序号"), validators=[MinValueValidator(1), MaxValueValidator(6)]
    )
    title = models.CharField(_("名称"), max_length=30)

    class Meta:
        verbose_name = verbose_name_plural = _("一好")
        ordering = ["rubric", "number"]
        constraints = [
            models.UniqueConstraint(fields=["rubric", "number"], name="criterion_rubric_number"),
            models.CheckConstraint(
                name="criterion_number_one_to_six", condition=Q(number__gte=1, number__lte=6)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}、{self.title}"

    def _part_of(self) -> Rubric:
        return self.rubric


class Indicator(_Part):
    """One assessable clause (指标), with the policy's text to the letter.

    `code` stays the same across versions of a rubric, so that years can be compared.
    """

    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="indicators")
    position = models.PositiveSmallIntegerField(_("顺序"))
    code = models.CharField(_("编号"), max_length=8)
    name = models.CharField(_("名称"), max_length=40)
    clause = models.TextField(_("政策原文"))
    kind = models.CharField(_("类型"), max_length=9, choices=IndicatorKind)
    max_points = models.DecimalField(_("满分"), **POINTS)
    mandatory = models.BooleanField(
        _("必达"), default=False, help_text=_("未达到时，该项“好”不成立。")
    )
    conditional = models.BooleanField(
        _("可不适用"), default=False, help_text=_("可申报不适用，须说明理由，由评审认定。")
    )
    evidence_required = models.BooleanField(_("须附佐证材料"), default=False)
    threshold_percent = models.DecimalField(
        _("达标线（%）"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    numerator_label = models.CharField(_("分子名称"), max_length=30, blank=True)
    denominator_label = models.CharField(_("分母名称"), max_length=30, blank=True)
    checklist_items = models.JSONField(_("逐项内容"), default=list, blank=True)
    evidence_hint = models.CharField(_("佐证材料提示"), max_length=200, blank=True)
    summed_code = models.CharField(
        _("下级指标编号"),
        max_length=8,
        blank=True,
        help_text=_("下级工会填报同一数字的指标：填报时与下级的合计数比对。"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("指标")
        ordering = ["criterion", "position"]
        constraints = [
            models.UniqueConstraint(fields=["criterion", "code"], name="indicator_criterion_code"),
            models.CheckConstraint(name="indicator_points_positive", condition=Q(max_points__gt=0)),
            models.CheckConstraint(
                name="indicator_kind_known", condition=Q(kind__in=IndicatorKind.values)
            ),
            models.CheckConstraint(
                name="indicator_threshold_of_rate",
                condition=Q(threshold_percent=None)
                | Q(
                    kind=IndicatorKind.RATE,
                    threshold_percent__gt=0,
                    threshold_percent__lte=Decimal(100),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def _part_of(self) -> Rubric:
        return self.criterion.rubric

    def clean(self) -> None:
        """Raises ValidationError where the kind and its particulars disagree."""
        if self.kind == IndicatorKind.RATE and not (
            self.numerator_label and self.denominator_label
        ):
            raise ValidationError({"numerator_label": gettext("比率指标须写明分子和分母的名称。")})
        if self.kind == IndicatorKind.CHECKLIST and not self.checklist_items:
            raise ValidationError({"checklist_items": gettext("逐项指标至少要有一项内容。")})

    @property
    def is_satisfaction(self) -> bool:
        """Whether votes of a 民主测评 are counted, in which 基本满意 may count as satisfied."""
        return self.numerator_label == "满意票数"

    @cached_property
    def rule(self) -> IndicatorRule:
        """The indicator as the scoring sees it."""
        return IndicatorRule(
            code=self.code,
            kind=self.kind,
            max_points=self.max_points,
            mandatory=self.mandatory,
            conditional=self.conditional,
            threshold_percent=self.threshold_percent,
            checklist_items=tuple(self.checklist_items),
            numerator_label=self.numerator_label,
            denominator_label=self.denominator_label,
        )
