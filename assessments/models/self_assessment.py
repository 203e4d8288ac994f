"""One union in one campaign (自评), its answers, and the revisions that it handed in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import EDITABLE_STATES, State
from assessments.models.campaign import Campaign, Extension, TierPolicy
from assessments.models.evidence import Evidence
from assessments.models.rubric import POINTS, Indicator, Rubric
from assessments.scoring import Rating
from organizations.choices import Role
from organizations.models import Organization, User
from organizations.models.organization import SUBTREE_ROLES, within
from organizations.one_time_codes import plain, random_code

#: A points column that keeps six places: see `scoring.storable`.
EXACT = {"max_digits": 9, "decimal_places": 6}


#: Roles that a recusal (回避) keeps away from an organization.
REVIEWING_ROLES = (Role.REVIEWER, Role.LEAD_REVIEWER)


def recused_paths(user: User) -> list[str]:
    """The tops of the subtrees that the user is recused from: one query for each request."""
    if not hasattr(user, "_recused_paths"):
        user._recused_paths = list(user.recusals.values_list("organization__path", flat=True))
    return user._recused_paths


class SelfAssessmentQuerySet(models.QuerySet["SelfAssessment"]):
    def visible_to(self, user: User) -> SelfAssessmentQuerySet:
        """The self-assessments whose progress the user may see: those of the organizations in
        the user's scope, and those that the user is assigned to review; a reviewer or lead
        sees nothing of what they are recused from (回避). Whether their content
        may be read is `permissions.may_read_content`."""
        scope = Q(pk__in=[])
        for membership in user.roles:
            if membership.role in SUBTREE_ROLES:
                part = within(membership.organization.path, "organization__path")
            elif membership.role == Role.REVIEWER:
                part = Q(pk__in=user.reviews.values("self_assessment"))
            else:
                continue
            if membership.role in REVIEWING_ROLES:
                for path in recused_paths(user):
                    part &= ~within(path, "organization__path")
            scope |= part
        return self.filter(scope)

    def with_deadline(self) -> SelfAssessmentQuerySet:
        """With the campaign, the organization, as `extended_until` the union's own extension, and
        as `proxy` and `proxy_name` the union that fills in for it (代填): what it takes to tell
        who may write now. `proxied_by` and `signatory` are those of the last revision."""
        extension = Extension.objects.filter(
            campaign=OuterRef("campaign"), organization=OuterRef("organization")
        )
        proxy = ProxyFilling.objects.filter(self_assessment=OuterRef("pk"), ended_at=None)
        latest = Revision.objects.filter(self_assessment=OuterRef("pk")).order_by("-number")
        return self.select_related("campaign", "organization").annotate(
            extended_until=Subquery(extension.values("until")),
            proxy=Subquery(proxy.values("organization")[:1]),
            proxy_name=Subquery(proxy.values("organization__name")[:1]),
            proxied_by=Subquery(latest.values("filled_by_proxy")[:1]),
            signatory=Subquery(latest.values("signatory")[:1]),
        )

    def with_context(self) -> SelfAssessmentQuerySet:
        """With the rows that every page about a self-assessment shows; as `endorsement_required`
        the campaign's setting for its tier, as `has_scan` whether the sealed form is there."""
        policy = TierPolicy.objects.filter(
            campaign=OuterRef("campaign"), tier=OuterRef("rubric__tier")
        )
        return (
            self.with_deadline()
            .select_related("campaign", "organization", "organization__parent", "rubric")
            .annotate(
                endorsement_required=Subquery(policy.values("endorsement_required")),
                has_scan=Exists(
                    SealedScan.objects.filter(revision__self_assessment=OuterRef("pk"))
                ),
            )
        )


class SelfAssessment(models.Model):
    """`state` is written by `assessments.workflow` only. `place` is the path that the
    organization had at its last submission (until then, at the start): past campaigns keep it
    when the organization moves. `self_total` (0–100) is that of the last submission.
    `sign_requested_at` is set while the head has been asked to sign (请负责人签批). `discrepant`
    holds the numbers, as digits, of the criteria in which the reviewers are too far apart and
    nobody has arbitrated: for lists; the verdict reckons anew."""

    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        related_name="self_assessments",
        verbose_name=_("创建活动"),
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="self_assessments",
        verbose_name=_("工会"),
    )
    rubric = models.ForeignKey(Rubric, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("状态"), max_length=12, choices=State, default=State.DRAFT)
    place = models.CharField(max_length=32, db_index=True)
    revision = models.PositiveSmallIntegerField(_("提交次数"), default=0)
    submitted_at = models.DateTimeField(_("提交时间"), null=True)
    self_total = models.DecimalField(_("自评总分"), null=True, **EXACT)
    correction_due = models.DateField(_("修改期限"), null=True)
    discrepant = models.CharField(_("分差过大的项"), max_length=6, blank=True)
    sign_requested_at = models.DateTimeField(_("请签批时间"), null=True)
    sign_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SelfAssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("自评")
        ordering = ["place"]
        indexes = [
            models.Index(fields=["campaign", "state"], name="assessment_campaign_state"),
            models.Index(fields=["campaign", "place"], name="assessment_campaign_place"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization"], name="self_assessment_once_a_campaign"
            ),
            models.CheckConstraint(
                name="self_assessment_state_known", condition=Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="self_assessment_handed_in_has_revision",
                condition=Q(state=State.DRAFT)
                | Q(revision__gte=1, submitted_at__isnull=False, self_total__isnull=False),
            ),
            models.CheckConstraint(
                name="self_assessment_returned_has_due",
                condition=~Q(state=State.RETURNED) | Q(correction_due__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} · {self.campaign}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:self_assessment_detail", args=[self.pk])

    @property
    def is_editable_state(self) -> bool:
        return self.state in EDITABLE_STATES


class RatingFields(models.Model):
    """What is entered for an indicator, by the union or by a reviewer alike."""

    score = models.DecimalField(_("得分"), null=True, **POINTS)
    checked_items = models.JSONField(_("已有项目"), null=True)
    numerator = models.PositiveIntegerField(_("分子"), null=True)
    denominator = models.PositiveIntegerField(_("分母"), null=True)
    not_applicable = models.BooleanField(_("不适用"), default=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_score_not_negative", condition=Q(score=None) | Q(score__gte=0)
            ),
            models.CheckConstraint(
                name="%(class)s_counts_make_a_rate",
                condition=(Q(denominator=None) | Q(denominator__gt=0))
                & (Q(numerator=None) | Q(denominator=None) | Q(numerator__lte=F("denominator"))),
            ),
        ]

    @property
    def rating(self) -> Rating:
        """The entry as the scoring sees it."""
        return Rating(
            score=self.score,
            checked_items=None if self.checked_items is None else tuple(self.checked_items),
            numerator=self.numerator,
            denominator=self.denominator,
            not_applicable=self.not_applicable,
        )

    def apply(self, rating: Rating) -> None:
        """Take over an entry; the caller saves."""
        self.score = rating.score
        self.checked_items = None if rating.checked_items is None else list(rating.checked_items)
        self.numerator = rating.numerator
        self.denominator = rating.denominator
        self.not_applicable = rating.not_applicable


class Answer(RatingFields):
    """The union's own score, figures and account for one indicator (自评得分/说明).

    `as_of` and `definition` say when the two counts of a RATE were taken, and how (截至日期,
    口径). `carried_over` holds while last year's answer stands here and nobody has looked at it.
    """

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="answers"
    )
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    not_applicable_reason = models.CharField(_("不适用理由"), max_length=200, blank=True)
    account = models.TextField(_("自评说明"), blank=True)
    as_of = models.DateField(_("截至日期"), null=True)
    definition = models.CharField(_("口径"), max_length=200, blank=True)
    carried_over = models.BooleanField(_("沿用往年、尚未核对"), default=False)
    evidence = models.ManyToManyField(
        Evidence, through="Attachment", related_name="answers", blank=True
    )
    updated_at = models.DateTimeField(null=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(RatingFields.Meta):
        verbose_name = verbose_name_plural = _("自评得分")
        constraints = [
            *RatingFields.Meta.constraints,
            models.UniqueConstraint(
                fields=["self_assessment", "indicator"], name="answer_once_an_indicator"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.indicator_id}"


class Attachment(models.Model):
    """A file at an indicator; `position` is the union's own order. What is added comes last: its
    position is the moment at which it was chosen, in milliseconds."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="attachments")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="attachments")
    position = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "evidence"], name="attachment_once_an_answer")
        ]

    def __str__(self) -> str:
        return f"{self.answer_id} · {self.evidence_id}"


def revision_code() -> str:
    """Nearly eighty bits: nobody guesses the code of a paper form."""
    return plain(random_code(groups=4, size=4))


class Revision(models.Model):
    """What was handed in, frozen (第 n 次提交): `content` holds the answers by indicator code,
    `facts` what else the paper form says. `code` stands on the paper, `digest` is that of
    everything that was frozen (`verification`). `filled_by_proxy` names the unions that filled it
    in (代填); `signatory` the head who signed on paper, where nobody signed on the portal."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="revisions"
    )
    number = models.PositiveSmallIntegerField(_("次数"))
    place = models.CharField(max_length=32)
    content = models.JSONField()
    facts = models.JSONField(default=dict)
    code = models.CharField(_("验证码"), max_length=16, unique=True, default=revision_code)
    digest = models.CharField(max_length=64, blank=True)
    filled_by_proxy = models.CharField(_("代填单位"), max_length=500, blank=True)
    signatory = models.CharField(_("纸质表签字人"), max_length=40, blank=True)
    self_total = models.DecimalField(_("自评总分"), **EXACT)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment", "number"], name="revision_assessment_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {self.number}"

    @property
    def label(self) -> str:
        return gettext("第 {number} 次提交").format(number=self.number)


class RevisionEvidence(models.Model):
    """Evidence that a revision rests on: PROTECT makes deleting it impossible."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="evidence")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="revisions")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "indicator", "evidence"], name="revision_evidence_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.revision_id} · {self.evidence_id}"


class ProxyFilling(models.Model):
    """代填: a union above fills in for a small one, until somebody ends it."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="proxies"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("代填单位")
    )
    reason = models.CharField(_("代填原因"), max_length=200)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(_("开始时间"), auto_now_add=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("代填")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment"], condition=Q(ended_at=None), name="proxy_one_open"
            ),
            models.CheckConstraint(
                name="proxy_ended_by_somebody",
                condition=Q(ended_at=None, ended_by=None)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return gettext("{organization} 代填 {self_assessment_id}").format(
            organization=self.organization, self_assessment_id=self.self_assessment_id
        )


class SealedScan(models.Model):
    """The scan of the signed and sealed paper form (签字盖章扫描件) of a revision. A later one
    takes its place; the earlier stays on record."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="scans")
    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="sealed_scans")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(_("上传时间"), auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("签字盖章扫描件")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.revision_id} · {self.evidence_id}"
