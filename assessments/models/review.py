"""What the city says about a self-assessment."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import Withdrawal
from assessments.models.assignment import AssignmentRun
from assessments.models.rubric import Indicator
from assessments.models.self_assessment import EXACT, RatingFields, SelfAssessment, recused_paths
from organizations.models import Organization, User
from organizations.models.organization import within


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible_to(self, user: User) -> ReviewQuerySet:
        """A reviewer's own reviews, without what they are recused from: reviewers are blind to
        each other."""
        reviews = self.filter(reviewer=user)
        for path in recused_paths(user):
            reviews = reviews.exclude(within(path, "self_assessment__organization__path"))
        return reviews

    def live(self) -> ReviewQuerySet:
        """Without those that were withdrawn (取消分派): only these count for anything."""
        return self.filter(withdrawn_at=None)


class LiveReviews(models.Manager.from_queryset(ReviewQuerySet)):
    """What has been withdrawn is left out wherever nobody asks for it (`Review.ever`), so that a
    place that forgets it cannot count it. A join (`reviews__…`) passes this by: use Exists."""

    def get_queryset(self) -> ReviewQuerySet:
        return super().get_queryset().live()


class Review(models.Model):
    """One reviewer's scores for one self-assessment (评审). `revision` is the one scored.

    `active_seconds` is the time spent scoring, as the gaps between savings tell it: see
    `reviewing.LONGEST_PAUSE`. It serves the estimate of what is left, and nothing else.

    A reviewer who is taken off keeps the row with its scores, as withdrawn; given back, it counts
    again. `taken_from` is the withdrawn review whose scores this one started with (沿用已评分数);
    its reviewer confirms them (`confirmed_at`). `total` (0–100) is that of the last completion.
    """

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="reviews"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    revision = models.PositiveSmallIntegerField()
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    assigned_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(_("完成时间"), null=True)
    opinion = models.TextField(_("评审意见"), blank=True)
    active_seconds = models.PositiveIntegerField(_("评审用时（秒）"), default=0)
    last_saved_at = models.DateTimeField(_("最近保存"), null=True)
    total = models.DecimalField(_("评审总分"), null=True, **EXACT)
    run = models.ForeignKey(
        AssignmentRun, on_delete=models.PROTECT, null=True, related_name="reviews"
    )
    withdrawn_at = models.DateTimeField(_("取消分派时间"), null=True)
    withdrawn_why = models.CharField(
        _("取消分派原因"), max_length=8, choices=Withdrawal, blank=True
    )
    withdrawn_note = models.CharField(_("取消分派说明"), max_length=200, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    taken_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="taken_over_by"
    )
    confirmed_at = models.DateTimeField(_("确认沿用时间"), null=True)

    objects = LiveReviews()
    ever = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("评审")
        ordering = ["assigned_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment", "reviewer"], name="review_once_a_reviewer"
            ),
            models.CheckConstraint(
                name="review_withdrawn_for_a_reason",
                condition=Q(withdrawn_at=None, withdrawn_why="")
                | (Q(withdrawn_at__isnull=False) & Q(withdrawn_why__in=Withdrawal.values)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} · {self.self_assessment_id}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:review_detail", args=[self.pk])

    @property
    def is_complete(self) -> bool:
        return self.completed_at is not None

    @property
    def awaits_confirmation(self) -> bool:
        """Whether scores were taken over and nobody has vouched for them yet."""
        return self.taken_from_id is not None and self.confirmed_at is None


class ReviewCriterion(models.Model):
    """What a completed review comes to in one of the six, kept for lists and statistics. The
    verdict is always reckoned from the scores themselves."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="criteria")
    number = models.PositiveSmallIntegerField()
    points = models.DecimalField(**EXACT)
    maximum = models.DecimalField(**EXACT)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["review", "number"], name="review_criterion_number"),
            models.CheckConstraint(
                name="review_criterion_points_in_range",
                condition=Q(points__gte=0, points__lte=F("maximum")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} · {self.number}"


class ReviewScore(RatingFields):
    """A reviewer's score for one indicator, with a remark where it is below the full mark. A
    claimed “not applicable” is accepted (`not_applicable`) or refused (`claim_refused`); neither
    is set while the reviewer has not chosen."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="scores")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    claim_refused = models.BooleanField(_("不认可“不适用”"), default=False)
    remark = models.TextField(_("评审意见"), blank=True)
    saved_at = models.DateTimeField(_("保存时间"), null=True)

    class Meta(RatingFields.Meta):
        verbose_name = verbose_name_plural = _("评审得分")
        constraints = [
            *RatingFields.Meta.constraints,
            models.CheckConstraint(
                name="review_score_claim_one_answer",
                condition=~models.Q(claim_refused=True, not_applicable=True),
            ),
            models.UniqueConstraint(
                fields=["review", "indicator"], name="review_score_once_an_indicator"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} · {self.indicator_id}"


class Recusal(models.Model):
    """A reviewer who may not review an organization, nor anything below it (回避)."""

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="recusals",
        verbose_name=_("评审员"),
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("回避的工会")
    )
    reason = models.CharField(_("理由"), max_length=200)
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("登记人"),
    )
    declared_at = models.DateTimeField(_("登记时间"), auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("回避")
        ordering = ["-declared_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["reviewer", "organization"],
                name="recusal_unique",
                violation_error_message=_("已登记过这项回避。"),
            )
        ]

    def __str__(self) -> str:
        return gettext("{reviewer} 回避 {organization}").format(
            reviewer=self.reviewer, organization=self.organization
        )


class Return(models.Model):
    """A self-assessment that was sent back (退回修改), with what is wanting."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="returns"
    )
    revision = models.PositiveSmallIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField(_("退回说明"), blank=True)
    due_on = models.DateField(_("修改期限"))

    class Meta:
        verbose_name = verbose_name_plural = _("退回修改")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.revision}"


class ReturnRemark(models.Model):
    """What is wanting at one indicator; the union may edit the indicators that have one, and
    answers each. `opened_by_union` marks what the union itself opened because a remark elsewhere
    touches it; `text` is its reason then."""

    of_return = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="remarks")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("修改要求"))
    opened_by_union = models.BooleanField(default=False)
    reply = models.TextField(_("答复"), blank=True)
    replied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    replied_at = models.DateTimeField(_("答复时间"), null=True)

    class Meta:
        ordering = ["indicator__criterion__number", "indicator__position"]
        constraints = [
            models.UniqueConstraint(
                fields=["of_return", "indicator"], name="return_remark_once_an_indicator"
            )
        ]

    def __str__(self) -> str:
        return self.text
