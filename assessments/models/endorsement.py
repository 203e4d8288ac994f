"""What the superior union says of what is below it: endorsing (初审推荐) and urging (催报)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assessments.choices import Matter
from assessments.models.campaign import Campaign
from assessments.models.rubric import Indicator
from assessments.models.self_assessment import EXACT, RatingFields, SelfAssessment
from organizations.choices import Tier
from organizations.models import Organization

#: The endorsement that counts: given, neither taken back nor followed by a later one.
STANDING = Q(at__isnull=False, withdrawn_at=None, superseded_at=None)
#: Being prepared; nobody else is told.
DRAFTED = Q(at=None)


class EndorsementQuerySet(models.QuerySet["Endorsement"]):
    def standing(self) -> EndorsementQuerySet:
        return self.filter(STANDING)

    def drafted(self) -> EndorsementQuerySet:
        return self.filter(DRAFTED)


class Endorsement(models.Model):
    """The superior union's opinion before the city reviews (初审推荐).

    A draft until `at`; on record for ever after, also when it was taken back (`withdrawn_at`) or
    followed by one of a later revision (`superseded_at`). `rank` (名次, from 1) is the place among
    what `organization` has endorsed in the campaign at that tier; `total` (0–100) is what the
    superior's own scores come to, where the campaign asks for them, and `findings` holds them by
    code as {"points": text, or None where it does not apply, "reason": text}, for show. `campaign` and `tier` repeat
    those of the self-assessment, so that the database can keep the ranks apart.
    """

    self_assessment = models.ForeignKey(
        SelfAssessment, on_delete=models.CASCADE, related_name="endorsements"
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="+")
    tier = models.CharField(_("层级"), max_length=12, choices=Tier)
    revision = models.PositiveSmallIntegerField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    opinion = models.TextField(_("推荐意见"), blank=True)
    rank = models.PositiveSmallIntegerField(_("名次"), null=True)
    total = models.DecimalField(_("初审总分"), null=True, **EXACT)
    findings = models.JSONField(default=dict)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("初审时间"), null=True)
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True)
    superseded_at = models.DateTimeField(null=True)

    objects = EndorsementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("推荐意见")
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["self_assessment"], condition=STANDING, name="endorsement_one_standing"
            ),
            models.UniqueConstraint(
                fields=["self_assessment"], condition=DRAFTED, name="endorsement_one_draft"
            ),
            models.UniqueConstraint(
                fields=["organization", "campaign", "tier", "rank"],
                condition=STANDING & Q(rank__isnull=False),
                name="endorsement_rank_once",
            ),
            models.CheckConstraint(
                name="endorsement_rank_from_one", condition=Q(rank=None) | Q(rank__gte=1)
            ),
            models.CheckConstraint(
                name="endorsement_given_has_opinion", condition=Q(at=None) | ~Q(opinion="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} · {self.self_assessment_id}"


class EndorsementScore(RatingFields):
    """The superior's score for one indicator, with a reason where it is below the full mark."""

    endorsement = models.ForeignKey(Endorsement, on_delete=models.CASCADE, related_name="scores")
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(_("理由"), blank=True)

    class Meta(RatingFields.Meta):
        verbose_name = verbose_name_plural = _("初审得分")
        constraints = [
            *RatingFields.Meta.constraints,
            models.UniqueConstraint(
                fields=["endorsement", "indicator"], name="endorsement_score_once_an_indicator"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endorsement_id} · {self.indicator_id}"


class Urge(models.Model):
    """A union that is behind was reminded (催报) of a `matter`, once a `day` (in Asia/Shanghai) at
    most. One act may reach many unions: they share its `batch`."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="urges")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="urges")
    matter = models.CharField(_("事项"), max_length=10, choices=Matter, default=Matter.ASSESSMENT)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("催报时间"))
    day = models.DateField()
    text = models.CharField(_("催报内容"), max_length=200)
    batch = models.UUIDField(db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = _("催报")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "organization", "matter", "day"], name="urge_once_a_day"
            ),
            models.CheckConstraint(name="urge_matter_known", condition=Q(matter__in=Matter.values)),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} · {self.day}"
