"""推荐表彰: the list of a campaign for the province, and the package of each union on it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import LeftOut, PackageKind
from assessments.models.campaign import Campaign
from assessments.models.evidence import Evidence
from assessments.models.self_assessment import EXACT, SelfAssessment
from organizations.choices import Tier
from organizations.models import Organization

#: Percent of the year's goals; more than all of them is possible.
PERCENT = {
    "max_digits": 5,
    "decimal_places": 2,
    "validators": [MinValueValidator(0), MaxValueValidator(200)],
}


class GoalCompletion(models.Model):
    """How far a union has come with the goals of the year (年度工作目标完成率), as the city has entered
    it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="goals")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("工会")
    )
    percent = models.DecimalField(_("年度工作目标完成率（%）"), **PERCENT)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = _("年度工作目标完成率")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization"], name="goal_completion_once_a_campaign"
            ),
            models.CheckConstraint(
                name="goal_completion_percent_in_range",
                condition=Q(percent__gte=0, percent__lte=200),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} · {self.percent} %"


class RecommendationList(models.Model):
    """The list of a campaign: drawn up by the rule, changed by hand with a reason, confirmed by two
    persons. `version` grows with every change; a change takes a first confirmation back."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.PROTECT, related_name="recommendation_list"
    )
    least_goals = models.DecimalField(_("年度工作目标完成率至少（%）"), default=100, **PERCENT)
    version = models.PositiveIntegerField(default=0)
    drawn_at = models.DateTimeField(_("生成时间"))
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("推荐名单")
        constraints = [
            models.CheckConstraint(
                name="recommendation_list_confirmed_by_two",
                condition=Q(second_by=None, confirmed_at=None)
                | (
                    Q(first_by__isnull=False, second_by__isnull=False, confirmed_at__isnull=False)
                    & ~Q(first_by=F("second_by"))
                ),
            )
        ]

    def __str__(self) -> str:
        return gettext("{campaign}推荐名单").format(campaign=self.campaign)

    def get_absolute_url(self) -> str:
        return f"{reverse('assessments:recommendation_list')}?year={self.campaign.year}"

    @property
    def is_confirmed(self) -> bool:
        return self.second_by_id is not None


class RecommendationQuota(models.Model):
    """Places of one tier in the whole city (`county` is None), or in one county."""

    list = models.ForeignKey(RecommendationList, on_delete=models.CASCADE, related_name="quotas")
    tier = models.CharField(_("层级"), max_length=10, choices=Tier)
    county = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("县")
    )
    places = models.PositiveSmallIntegerField(_("名额"))

    class Meta:
        verbose_name = verbose_name_plural = _("推荐名额")
        constraints = [
            models.UniqueConstraint(
                fields=["list", "tier", "county"], name="recommendation_quota_once_a_county"
            ),
            models.UniqueConstraint(
                fields=["list", "tier"],
                condition=Q(county=None),
                name="recommendation_quota_once_in_the_city",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} {self.county_id or ''} {self.places}"


class Recommendation(models.Model):
    """One union at standard in the list of its campaign: `left_out` is what the rule says, `listed`
    whether it is recommended; where they differ, `hand_reason` says why. `total`, `goals` and `rank`
    are as the rule saw them. `story` is the 事迹材料; the dates are those of the union's own 公示."""

    list = models.ForeignKey(RecommendationList, on_delete=models.CASCADE, related_name="lines")
    self_assessment = models.OneToOneField(
        SelfAssessment, on_delete=models.PROTECT, related_name="recommendation"
    )
    total = models.DecimalField(_("总分"), **EXACT)
    goals = models.DecimalField(_("年度工作目标完成率（%）"), null=True, **PERCENT)
    rank = models.PositiveIntegerField(_("名次"))
    listed = models.BooleanField(_("推荐"))
    left_out = models.CharField(_("未列入原因"), max_length=9, choices=LeftOut, blank=True)
    tied = models.BooleanField(_("与最后入选者并列"), default=False)
    hand_reason = models.CharField(_("调整理由"), max_length=200, blank=True)
    story = models.TextField(_("事迹材料"), blank=True)
    published_from = models.DateField(_("本单位公示开始"), null=True, blank=True)
    published_until = models.DateField(_("本单位公示结束"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("推荐表彰")
        ordering = ["-listed", "self_assessment__rubric__tier", "rank", "pk"]
        constraints = [
            models.CheckConstraint(
                name="recommendation_hand_has_reason",
                condition=Q(listed=True, left_out="")
                | Q(listed=False) & ~Q(left_out="")
                | ~Q(hand_reason=""),
            ),
            models.CheckConstraint(
                name="recommendation_publicity_in_order",
                condition=Q(published_from=None, published_until=None)
                | Q(published_from__lte=F("published_until")),
            ),
        ]

    def __str__(self) -> str:
        return gettext("推荐 {organization}").format(organization=self.self_assessment.organization)

    def get_absolute_url(self) -> str:
        return reverse("assessments:recommendation", args=[self.pk])

    @property
    def why(self) -> str:
        """Why it is listed or not, in the words of the screen."""
        if self.hand_reason:
            by_hand = (
                gettext("人工列入：{reason}") if self.listed else gettext("人工移出：{reason}")
            )
            return by_hand.format(reason=self.hand_reason)
        if self.listed:
            return gettext("按规则列入")
        tie = gettext("（与最后入选者并列，按代码在后）") if self.tied else ""
        return f"{self.get_left_out_display()}{tie}"


class PackageFile(models.Model):
    """A file of the package; a later one of its kind takes its place."""

    recommendation = models.ForeignKey(
        Recommendation, on_delete=models.CASCADE, related_name="package"
    )
    kind = models.CharField(_("材料"), max_length=9, choices=PackageKind)
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="packages")

    class Meta:
        verbose_name = verbose_name_plural = _("推荐材料")
        constraints = [
            models.UniqueConstraint(
                fields=["recommendation", "kind"], name="package_file_one_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.evidence}"
