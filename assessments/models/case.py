"""Exemplary cases (先进经验): what a union hands in, and what the city makes of it for everybody."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from assessments.choices import CaseState
from assessments.models.evidence import StoredFile
from assessments.models.rubric import Criterion
from assessments.models.self_assessment import Answer
from organizations.models import Organization

#: States in which the union writes.
WRITABLE = (CaseState.DRAFT, CaseState.NOMINATED, CaseState.RETURNED, CaseState.WITHDRAWN)


class ExemplaryCaseQuerySet(models.QuerySet["ExemplaryCase"]):
    def public(self) -> ExemplaryCaseQuerySet:
        """What everybody may read without signing in."""
        return self.filter(state=CaseState.PUBLISHED)

    def taken_back(self) -> ExemplaryCaseQuerySet:
        """What everybody could read once."""
        return self.exclude(state=CaseState.PUBLISHED).filter(published_at__isnull=False)


class ExemplaryCase(models.Model):
    """`state` is written by `assessments.cases` only. `title` and `body` are the union's own and stay
    beside `edited_title` and `edited_body`, the city's, which are empty until it has edited; both
    bodies are HTML that was sanitised when it was saved. `submitted_at` is null while only the union
    reads it; `published_at` stays when it is taken back. `stamp` counts the changes, so that two
    people notice each other. A reviewer's nomination comes from an answer."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="cases", verbose_name=_("工会")
    )
    criterion = models.ForeignKey(
        Criterion, on_delete=models.PROTECT, related_name="+", verbose_name=_("对应的“好”")
    )
    year = models.PositiveSmallIntegerField(_("年度"))
    state = models.CharField(_("状态"), max_length=9, choices=CaseState, default=CaseState.DRAFT)
    title = models.CharField(_("标题"), max_length=120)
    body = models.TextField(_("正文"))
    edited_title = models.CharField(_("编辑后的标题"), max_length=120, blank=True)
    edited_body = models.TextField(_("编辑后的正文"), blank=True)
    remarks = models.TextField(_("意见"), blank=True)
    nominated_from = models.OneToOneField(
        Answer, on_delete=models.SET_NULL, null=True, related_name="nomination"
    )
    nominated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(_("报送时间"), null=True)
    published_at = models.DateTimeField(_("发布时间"), null=True)
    stamp = models.PositiveIntegerField(default=0)

    objects = ExemplaryCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("先进经验")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "-published_at"], name="case_gallery")]
        constraints = [
            models.CheckConstraint(
                name="case_state_known", condition=Q(state__in=CaseState.values)
            ),
            models.CheckConstraint(
                name="case_nominated_by_somebody",
                condition=~Q(state=CaseState.NOMINATED) | Q(nominated_by__isnull=False),
            ),
            models.CheckConstraint(
                name="case_handed_in_has_time",
                condition=Q(state__in=WRITABLE) | Q(submitted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="case_published_has_time",
                condition=~Q(state=CaseState.PUBLISHED) | Q(published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The record, for those who handle it; the public page is `assessments:case`."""
        return reverse("assessments:case_record", args=[self.pk])

    @property
    def html(self) -> SafeString:
        return mark_safe(self.body)  # noqa: S308 - sanitised when it was saved

    @property
    def public_title(self) -> str:
        return self.edited_title or self.title

    @property
    def public_html(self) -> SafeString:
        return mark_safe(self.edited_body or self.body)  # noqa: S308 - sanitised when it was saved

    @property
    def is_edited(self) -> bool:
        return bool(self.edited_title)


class CasePhotoQuerySet(models.QuerySet["CasePhoto"]):
    def with_files(self) -> CasePhotoQuerySet:
        """As pages show them."""
        return self.select_related("stored_file")

    def public(self) -> CasePhotoQuerySet:
        return self.with_files().filter(is_shown=True, case__state=CaseState.PUBLISHED)


class CasePhoto(models.Model):
    """A photo of a case, made anew from the pixels of what was uploaded, so that it does not tell where
    it was taken. The city may leave it out of the published page."""

    case = models.ForeignKey(ExemplaryCase, on_delete=models.CASCADE, related_name="photos")
    stored_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, related_name="case_photos"
    )
    is_shown = models.BooleanField(_("公开"), default=True)

    objects = CasePhotoQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("先进经验照片")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "stored_file"], name="case_photo_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What a download is called: the uploader's own name for it may tell too much."""
        return f"照片{self.pk}.webp"
