"""The yearly round (创建活动): its dates, its lines, and what holds for each tier."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import DECIDED_STATES, CampaignState, SeveralReviewers
from assessments.models.rubric import Rubric
from assessments.scoring import Thresholds
from organizations.choices import ASSESSED_TIERS
from organizations.models import Organization

#: The policy, section 二: three years in a row.
CYCLE_YEARS = 3
_PERCENT = {
    "max_digits": 5,
    "decimal_places": 2,
    "validators": [MinValueValidator(0), MaxValueValidator(100)],
}


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def opened(self) -> CampaignQuerySet:
        """Everything but what is still being prepared, newest first."""
        return self.exclude(state=CampaignState.PREPARING).order_by("-year")


class Campaign(models.Model):
    """One year's campaign. Dates are whole days in Asia/Shanghai; the last one counts."""

    name = models.CharField(_("名称"), max_length=60)
    year = models.PositiveSmallIntegerField(_("年度"), unique=True)
    cycle_start_year = models.PositiveSmallIntegerField(
        _("创建周期起始年度"),
        help_text=_("连续三年为一个周期，达标率按周期计算，一个工会只计一次。"),
    )
    state = models.CharField(
        _("状态"),
        max_length=9,
        choices=CampaignState,
        default=CampaignState.PREPARING,
        editable=False,
    )
    plan_deadline = models.DateField(_("实施方案报送截止"), help_text=_("政策规定为 4 月 30 日。"))
    opens_on = models.DateField(_("自评开始"))
    submission_deadline = models.DateField(_("自评提交截止"), help_text=_("含当日，至 24 时。"))
    endorsement_deadline = models.DateField(
        _("上级初审截止"),
        null=True,
        blank=True,
        help_text=_(
            "含当日，至 24 时。之后上级工会仍未初审的，市总工会可以直接受理；不填则一直等待初审。"
        ),
    )
    review_deadline = models.DateField(_("评审完成"))
    correction_days = models.PositiveSmallIntegerField(
        _("退回修改期限（天）"), default=7, validators=[MinValueValidator(1)]
    )
    criterion_pass_percent = models.DecimalField(_("单项“好”得分率（%）"), default=80, **_PERCENT)
    pass_total = models.DecimalField(_("达标总分"), default=80, **_PERCENT)
    target_percent = models.DecimalField(_("达标率目标（%）"), default=90, **_PERCENT)
    discrepancy_percent = models.DecimalField(
        _("评审分差上限（%）"),
        default=20,
        help_text=_("两位评审员在某一“好”上的分差超过该项满分的这个比例时，须先行复核。"),
        **_PERCENT,
    )
    several_reviewers = models.CharField(
        _("多人评审取分"),
        max_length=6,
        choices=SeveralReviewers,
        default=SeveralReviewers.MEAN,
        help_text=_(
            "几位评审员的评分怎样合成一个。三人以上时，中位数不受个别过高、过低评分的影响。"
        ),
    )
    remark_tolerance = models.DecimalField(
        _("可不写理由的扣分（分）"),
        max_digits=4,
        decimal_places=1,
        default=0,
        validators=[MinValueValidator(0)],
        help_text=_("评审得分比满分低得不超过这个分值时，可以不写理由。0 表示低于满分都要写。"),
    )
    publicity_working_days = models.PositiveSmallIntegerField(
        _("公示工作日"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("公示当天不算，法定节假日和周末不算，调休上班日算。"),
    )
    publishes_points = models.BooleanField(
        _("公示各项得分"), default=False, help_text=_("开启后，公示页面除结果外还列出六好得分。")
    )
    basically_satisfied_counts = models.BooleanField(_("“基本满意”计入满意"), default=True)
    outside_target = models.ManyToManyField(
        Organization,
        blank=True,
        related_name="+",
        verbose_name=_("不计入达标率的单位"),
        help_text=_("连同其下属工会。例如高新区、示范区只作为统计单位时。"),
    )

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("创建活动")
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                name="campaign_dates_in_order",
                condition=Q(opens_on__lte=F("submission_deadline"))
                & Q(submission_deadline__lte=F("review_deadline")),
                violation_error_message=_("日期顺序应为：自评开始 ≤ 提交截止 ≤ 评审完成。"),
            ),
            models.CheckConstraint(
                name="campaign_endorsement_between",
                condition=Q(endorsement_deadline=None)
                | Q(
                    endorsement_deadline__gte=F("submission_deadline"),
                    endorsement_deadline__lte=F("review_deadline"),
                ),
                violation_error_message=_("日期顺序应为：提交截止 ≤ 上级初审截止 ≤ 评审完成。"),
            ),
            models.CheckConstraint(
                name="campaign_in_its_cycle",
                condition=Q(year__gte=F("cycle_start_year"))
                & Q(year__lt=F("cycle_start_year") + CYCLE_YEARS),
                violation_error_message=_("年度须在创建周期的三年之内。"),
            ),
            models.CheckConstraint(
                name="campaign_remark_tolerance_not_negative",
                condition=Q(remark_tolerance__gte=0),
                violation_error_message=_("可不写理由的扣分不能为负数。"),
            ),
            models.CheckConstraint(
                name="campaign_state_known", condition=Q(state__in=CampaignState.values)
            ),
            models.CheckConstraint(
                name="campaign_several_reviewers_known",
                condition=Q(several_reviewers__in=SeveralReviewers.values),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError at the date that stands before the one that it must follow."""
        pairs = [
            ("opens_on", "submission_deadline", gettext("不能早于自评开始日期。")),
            ("submission_deadline", "review_deadline", gettext("不能早于自评提交截止日期。")),
            ("submission_deadline", "endorsement_deadline", gettext("不能早于自评提交截止日期。")),
            ("endorsement_deadline", "review_deadline", gettext("不能早于上级初审截止日期。")),
        ]
        for earlier, later, message in pairs:
            first, second = getattr(self, earlier), getattr(self, later)
            if first and second and first > second:
                raise ValidationError({later: message})

    @property
    def is_archived(self) -> bool:
        """Whether it is to be read only, for ever."""
        return self.state == CampaignState.ARCHIVED

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.criterion_pass_percent, self.pass_total)

    @property
    def window(self) -> tuple[int, int]:
        """First and last year of the cycle, up to this campaign's own year."""
        return self.cycle_start_year, self.year


class TierPolicy(models.Model):
    """What holds for one tier in one campaign. A tier without a row is not assessed."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="policies")
    tier = models.CharField(
        _("层级"), max_length=12, choices=[(tier.value, tier.label) for tier in ASSESSED_TIERS]
    )
    rubric = models.ForeignKey(
        Rubric, on_delete=models.PROTECT, related_name="policies", verbose_name=_("标准")
    )
    endorsement_required = models.BooleanField(
        _("须经上级初审"),
        default=False,
        help_text=_("开启后，上级工会初审推荐之后市总工会才能受理。"),
    )
    endorsement_ranks = models.BooleanField(
        _("初审须排名次"), default=False, help_text=_("开启后，上级工会初审时须填写名次。")
    )
    endorsement_scores = models.BooleanField(
        _("初审须逐项评分"), default=False, help_text=_("开启后，上级工会初审时须逐个指标评分。")
    )
    reviewers = models.PositiveSmallIntegerField(
        _("每份评审人数"), default=1, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )

    class Meta:
        verbose_name = verbose_name_plural = _("各层级设置")
        ordering = ["campaign", "tier"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "tier"],
                name="tier_policy_campaign_tier",
                violation_error_message=_("同一层级只能设置一次。"),
            ),
            models.CheckConstraint(
                name="tier_policy_one_to_five_reviewers",
                condition=Q(reviewers__gte=1, reviewers__lte=5),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.get_tier_display()}"

    def clean(self) -> None:
        """Raises ValidationError where the rubric is of another tier."""
        if self.rubric_id and self.rubric.tier != self.tier:
            raise ValidationError({"rubric": gettext("标准与层级不一致。")})


def _refuse_archived(row: Extension | Veto) -> None:
    if row.campaign_id and row.campaign.is_archived:
        raise ValidationError({"campaign": gettext("活动已经归档，只能查看。")})


class Extension(models.Model):
    """More time for one union, with a reason (延期)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="extensions")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("工会")
    )
    until = models.DateField(_("延期至"), help_text=_("含当日，至 24 时。"))
    reason = models.CharField(_("理由"), max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = _("延期")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization"],
                name="extension_campaign_organization",
                violation_error_message=_("该工会在本次活动中已有延期。"),
            )
        ]

    def __str__(self) -> str:
        return gettext("{organization} 延期至 {until}").format(
            organization=self.organization, until=self.until
        )

    def clean(self) -> None:
        """Raises ValidationError for a campaign that is put away."""
        _refuse_archived(self)


class ExtensionRequest(models.Model):
    """A union asks for more time (申请延期). `granted` is None until the city has answered."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="extension_requests"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("工会")
    )
    until = models.DateField(_("希望延期至"))
    reason = models.CharField(_("理由"), max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("申请人"),
    )
    asked_at = models.DateTimeField(_("申请时间"), auto_now_add=True)
    granted = models.BooleanField(_("是否同意"), null=True)
    reply = models.CharField(_("答复"), max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("答复时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("延期申请")
        ordering = ["asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization"],
                condition=Q(granted=None),
                name="extension_request_one_open",
            ),
            models.CheckConstraint(
                name="extension_request_answered_by_somebody",
                condition=Q(granted=None, decided_at=None)
                | Q(granted__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("{organization} 申请延期至 {until}").format(
            organization=self.organization, until=self.until
        )


class Veto(models.Model):
    """A fact that rules out 达标 in one campaign (一票否决), e.g. a grave safety accident."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="vetoes")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("工会")
    )
    reason = models.CharField(_("事由"), max_length=200)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name=_("登记人"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("一票否决")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization", "reason"],
                name="veto_unique",
                violation_error_message=_("该工会的这一事由已经登记。"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization}：{self.reason}"

    def clean(self) -> None:
        """Raises ValidationError for a campaign that is put away, and while a decision stands that
        does not know of the fact."""
        _refuse_archived(self)
        if self.campaign_id and self.organization_id:
            decided = self.organization.self_assessments.filter(
                campaign=self.campaign_id, state__in=DECIDED_STATES
            )
            if decided.exists():
                raise ValidationError(gettext("该工会已经评定。请先撤销评定，登记之后重新评定。"))
