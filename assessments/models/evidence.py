"""Uploaded files: the bytes once, what each union calls them, and uploads on their way."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments.models.rubric import Indicator
from organizations.models import Organization

#: What the screens call a kind, and where it belongs among 图片、PDF、文档.
KINDS = {
    "application/pdf": ("PDF", "pdf"),
    "image/jpeg": (_("JPG 图片"), "image"),
    "image/png": (_("PNG 图片"), "image"),
    "image/webp": (_("WebP 图片"), "image"),
    "application/msword": (_("Word 文档"), "office"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (
        _("Word 文档"),
        "office",
    ),
    "application/vnd.ms-excel": (_("Excel 表格"), "office"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
        _("Excel 表格"),
        "office",
    ),
    "application/ofd": (_("OFD 版式文件"), "office"),
}


class StoredFile(models.Model):
    """The bytes of a file, stored once by their SHA-256. `media_type` was read from the content.

    `thumbnail` is the path of a small copy of a picture: None until somebody has asked for it,
    empty where none can be made. `look` is how a picture is recognised (`assessments.looks`): None
    until it has been looked at, empty for what is no picture or a blank one. `infection` names the
    virus that a scan has found.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    file = models.FileField(max_length=200)
    thumbnail = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - see above
    look = models.CharField(max_length=160, null=True, blank=True)  # noqa: DJ001 - see above
    scanned_at = models.DateTimeField(null=True)
    infection = models.CharField(max_length=200, blank=True)
    stored_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.sha256

    @property
    def kind(self) -> str:
        return KINDS[self.media_type][0]

    @property
    def is_image(self) -> bool:
        return KINDS[self.media_type][1] == "image"

    @property
    def is_pdf(self) -> bool:
        return KINDS[self.media_type][1] == "pdf"

    @property
    def is_quarantined(self) -> bool:
        """Not to be opened: a virus was found, or the scanner is on and has not seen it yet."""
        return bool(self.infection) or bool(settings.CLAMD_ADDRESS and self.scanned_at is None)


class Evidence(models.Model):
    """A union's file (佐证材料), usable for any number of indicators. `name` is the uploader's
    own: shown escaped, never used as a path. `valid_from` and `valid_until` are the day or the
    period that the file proves (生效日期), which is not the day of its upload."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="evidence", verbose_name=_("工会")
    )
    stored_file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="evidence")
    name = models.CharField(_("文件名"), max_length=255)
    description = models.CharField(_("说明"), max_length=200, blank=True)
    valid_from = models.DateField(_("生效日期"), null=True, blank=True)
    valid_until = models.DateField(_("有效期至"), null=True, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("上传人"),
    )
    uploaded_at = models.DateTimeField(_("上传时间"), auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("佐证材料")
        ordering = ["uploaded_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "stored_file"], name="evidence_organization_file"
            ),
            models.CheckConstraint(
                name="evidence_period_in_order",
                condition=Q(valid_until=None) | Q(valid_from__lte=F("valid_until")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("assessments:evidence_download", args=[self.pk])

    @property
    def period(self) -> tuple[dt.date | None, dt.date | None]:
        return self.valid_from, self.valid_until


class PartialUpload(models.Model):
    """A file that is still coming in, piece by piece (断点续传). It belongs to one user and one
    union; with an indicator, it will be attached there. `offset` counts the bytes received,
    `pieces` are their paths in the storage, in order. `modified` is what the browser says of the
    file (milliseconds): with name and size it tells the same file when somebody comes back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="partial_uploads"
    )
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    self_assessment = models.ForeignKey(
        "SelfAssessment", on_delete=models.CASCADE, null=True, related_name="partial_uploads"
    )
    indicator = models.ForeignKey(Indicator, on_delete=models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    modified = models.BigIntegerField()
    offset = models.PositiveBigIntegerField(default=0)
    pieces = models.JSONField(default=list)
    started_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["started_at"]
        constraints = [
            models.CheckConstraint(
                name="partial_upload_within_its_size", condition=Q(offset__lte=F("size"))
            ),
            models.CheckConstraint(
                name="partial_upload_indicator_with_assessment",
                condition=Q(self_assessment=None, indicator=None)
                | Q(self_assessment__isnull=False, indicator__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.offset}/{self.size}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:upload", args=[self.pk])

    @property
    def percent(self) -> int:
        return self.offset * 100 // self.size
