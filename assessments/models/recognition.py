"""命名: the titles of unions at standard, their re-checks in later years (复查), and their loss."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import RecheckOutcome
from assessments.models.campaign import Campaign
from assessments.models.decision import Decision
from assessments.models.self_assessment import SelfAssessment
from organizations.choices import Tier
from organizations.models import Organization, User

#: What the number of a certificate begins with, as the codes of the tier's indicators do.
LETTERS = {Tier.COUNTY: "C", Tier.TOWNSHIP: "T", Tier.GRASSROOTS: "G"}


class RecognitionQuerySet(models.QuerySet["Recognition"]):
    def valid(self) -> RecognitionQuerySet:
        return self.filter(revoked_at=None)

    def public(self) -> RecognitionQuerySet:
        """What everybody may read without signing in: the titles that are held."""
        return self.valid().filter(organization__dissolved_on=None)

    def visible_to(self, user: User) -> RecognitionQuerySet:
        """Those of the self-assessments that the user may see."""
        return self.filter(decision__self_assessment__in=SelfAssessment.objects.visible_to(user))

    def due_in(self, year: int) -> RecognitionQuerySet:
        """Those that nobody has looked at again in that year."""
        done = Recheck.objects.filter(recognition=OuterRef("pk"), year=year)
        return self.public().filter(~Exists(done))

    def with_rechecks(self) -> RecognitionQuerySet:
        """With `checked_in`, the year of the latest re-check (None: never), and `in_question`,
        whether its loss is proposed."""
        rechecks = Recheck.objects.filter(recognition=OuterRef("pk"))
        proposed = rechecks.filter(outcome=RecheckOutcome.REVOKE, confirmed_by=None)
        return self.annotate(
            checked_in=models.Subquery(rechecks.order_by("-year").values("year")[:1]),
            in_question=Exists(proposed),
        )


class Recognition(models.Model):
    """The title that a union holds (命名), with the number of its certificate; `union_name` is what
    it was called on that day. It is valid until `revoked_at`; why it was lost says the re-check."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="recognitions", verbose_name=_("工会")
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="recognitions")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="recognition")
    tier = models.CharField(_("层级"), max_length=10, choices=Tier)
    number = models.PositiveIntegerField(_("证书编号"))
    union_name = models.CharField(_("命名时的名称"), max_length=120)
    awarded_on = models.DateField(_("命名日期"))
    awarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    revoked_at = models.DateTimeField(_("撤销时间"), null=True)

    objects = RecognitionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("命名")
        ordering = ["tier", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "tier", "number"], name="recognition_number_in_a_tier"
            ),
            models.CheckConstraint(
                name="recognition_tier_assessed", condition=Q(tier__in=list(LETTERS))
            ),
        ]

    def __str__(self) -> str:
        return self.certificate_number

    def get_absolute_url(self) -> str:
        return reverse("assessments:recognition", args=[self.pk])

    @property
    def certificate_number(self) -> str:
        """As the federation writes it: 平工六好〔2026〕G0001号."""
        letter = LETTERS[Tier(self.tier)]
        return f"平工六好〔{self.campaign.year}〕{letter}{self.number:04}号"

    @property
    def title(self) -> str:
        """What the union may call itself."""
        return gettext("“六好”{tier}").format(tier=Tier(self.tier).label)


class Recheck(models.Model):
    """复查 of a title in a later year. One that would take the title away is a proposal until
    somebody else has confirmed it; then `remarks` are the reason for which it was lost."""

    recognition = models.ForeignKey(Recognition, on_delete=models.CASCADE, related_name="rechecks")
    year = models.PositiveSmallIntegerField(_("复查年度"))
    outcome = models.CharField(_("复查结果"), max_length=7, choices=RecheckOutcome)
    remarks = models.TextField(_("复查情况"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("复查时间"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = _("复查")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="recheck_outcome_known", condition=Q(outcome__in=RecheckOutcome.values)
            ),
            models.CheckConstraint(name="recheck_has_remarks", condition=~Q(remarks="")),
            models.CheckConstraint(
                name="recheck_revokes_by_two",
                condition=Q(confirmed_by=None)
                | (Q(outcome=RecheckOutcome.REVOKE) & ~Q(confirmed_by=F("by"))),
            ),
            models.UniqueConstraint(
                fields=["recognition"],
                condition=Q(outcome=RecheckOutcome.REVOKE),
                name="recheck_revokes_once",
            ),
        ]

    def __str__(self) -> str:
        return gettext("{year} 年复查：{outcome}").format(
            year=self.year, outcome=self.get_outcome_display()
        )

    @property
    def is_proposal(self) -> bool:
        """Whether the title would be lost, and nobody has confirmed it yet."""
        return self.outcome == RecheckOutcome.REVOKE and self.confirmed_by_id is None
