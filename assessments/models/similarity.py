"""The same file, picture or text handed in by two unions (雷同)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments.choices import SimilarityFinding, SimilarityKind
from assessments.models.campaign import Campaign
from assessments.models.evidence import Evidence
from assessments.models.self_assessment import REVIEWING_ROLES, SelfAssessment, recused_paths
from organizations.choices import Role, Tier
from organizations.models import User
from organizations.models.organization import SUBTREE_ROLES, within

_SIDES = ("left", "right")


class Trace(models.Model):
    """One thing that stands in what a union handed in the last time, as far as others can have
    the same: a file, with the `codes` of the indicators that it serves, or the account of the
    indicator `code`. `exact` is a digest that equal ones share; `wording` is the account and `look`
    the picture as they are compared. `others` counts the traces of other unions that were found
    like it when it was handed in. Kept by `assessments.similarity`."""

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="traces"
    )
    evidence = models.ForeignKey(
        Evidence, on_delete=models.CASCADE, null=True, related_name="traces"
    )
    code = models.CharField(max_length=10, blank=True)
    codes = models.JSONField(default=list)
    revision = models.PositiveSmallIntegerField()
    exact = models.CharField(max_length=64)
    wording = models.TextField(blank=True)
    look = models.CharField(max_length=160, blank=True)
    others = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["exact", "id"], name="trace_exact")]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment", "evidence"],
                condition=Q(evidence__isnull=False),
                name="trace_once_a_file",
            ),
            models.UniqueConstraint(
                fields=["self_assessment", "code"],
                condition=Q(evidence=None),
                name="trace_once_an_account",
            ),
            models.CheckConstraint(
                name="trace_file_or_account",
                condition=Q(evidence__isnull=False, code="", wording="")
                | (Q(evidence=None, look="") & ~Q(code="") & ~Q(wording="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.self_assessment_id} · {'、'.join(self.codes)}"


class Band(models.Model):
    """A part of a look or of a wording that similar ones have in common: the index in which they
    are found. A key stands for at most `similarity.MAX_BUCKET` traces."""

    trace = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="bands")
    key = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trace", "key"], name="band_once_a_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.trace_id} · {self.key}"


def _conflict(user: User, side: str) -> Q:
    """The union of this side is one that the user must stand back from: `permissions.has_conflict`
    in SQL."""
    field = f"{side}_assessment__organization"
    found = Q(pk__in=[])
    for path in recused_paths(user):
        found |= within(path, f"{field}__path")
    for membership in user.all_roles:
        own = membership.organization
        if own.tier != Tier.CITY:
            found |= within(own.path, f"{field}__path") | Q(**{f"{field}__in": own.ancestor_keys})
    return found


class SimilarityQuerySet(models.QuerySet["Similarity"]):
    def visible_to(self, user: User) -> SimilarityQuerySet:
        """The flags that the user may see: those whose two unions both lie in a subtree that the
        user sees; and for a reviewer of the city those of what is assigned, wherever the other
        union is. Who must stand back (回避) from one of the two sees nothing of the flag."""
        scope = Q(pk__in=[])
        for membership in user.roles:
            path = membership.organization.path
            if membership.role == Role.REVIEWER:
                assigned = user.reviews.values("self_assessment")
                part = Q(left_assessment__in=assigned) | Q(right_assessment__in=assigned)
            elif membership.role in SUBTREE_ROLES:
                part = within(path, "left_assessment__organization__path")
                part &= within(path, "right_assessment__organization__path")
            else:
                continue
            is_city = membership.organization.tier == Tier.CITY
            if membership.role in REVIEWING_ROLES or (is_city and membership.role == Role.ADMIN):
                part &= ~_conflict(user, "left") & ~_conflict(user, "right")
            scope |= part
        return self.filter(scope)

    def of(self, assessment: SelfAssessment) -> SimilarityQuerySet:
        return self.filter(Q(left_assessment=assessment) | Q(right_assessment=assessment))

    def with_sides(self) -> SimilarityQuerySet:
        """With the rows that a flag shows of either side."""
        wanted = ["judged_by"]
        for side in _SIDES:
            wanted += [
                f"{side}__evidence__stored_file",
                f"{side}_assessment__organization__parent",
                f"{side}_assessment__campaign",
            ]
        return self.select_related(*wanted)


class Similarity(models.Model):
    """Two traces that are the same or nearly so (雷同提示), once a pair: `left` is the older row.
    `degree` is in percent. The campaign is that of the later submission. `finding` is what somebody
    of the city made of it, with a remark."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("类别"), max_length=5, choices=SimilarityKind)
    left = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="+")
    left_assessment = models.ForeignKey(SelfAssessment, on_delete=models.CASCADE, related_name="+")
    right_assessment = models.ForeignKey(SelfAssessment, on_delete=models.CASCADE, related_name="+")
    degree = models.PositiveSmallIntegerField(_("相似度"))
    found_at = models.DateTimeField(_("发现时间"), auto_now_add=True)
    finding = models.CharField(_("核实结论"), max_length=9, choices=SimilarityFinding, blank=True)
    remark = models.CharField(_("核实说明"), max_length=200, blank=True)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    judged_at = models.DateTimeField(null=True)

    objects = SimilarityQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("雷同提示")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["campaign", "-id"], name="similarity_campaign")]
        constraints = [
            models.UniqueConstraint(fields=["left", "right"], name="similarity_once_a_pair"),
            models.CheckConstraint(name="similarity_in_order", condition=Q(left__lt=F("right"))),
            models.CheckConstraint(
                name="similarity_between_two",
                condition=~Q(left_assessment=F("right_assessment")),
            ),
            models.CheckConstraint(
                name="similarity_degree_is_percent", condition=Q(degree__gte=0, degree__lte=100)
            ),
            models.CheckConstraint(
                name="similarity_kind_known", condition=Q(kind__in=SimilarityKind.values)
            ),
            models.CheckConstraint(
                name="similarity_judged_by_somebody",
                condition=Q(finding="", judged_at=None, judged_by=None)
                | (
                    Q(finding__in=SimilarityFinding.values)
                    & Q(judged_at__isnull=False, judged_by__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.left_id} · {self.right_id}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:similarity", args=[self.pk])
