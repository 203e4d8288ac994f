"""Uploaded files: the bytes once, and what each union calls them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from organizations.models import Organization


class StoredFile(models.Model):
    """The bytes of a file, stored once by their SHA-256. `media_type` was read from the content."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    file = models.FileField(max_length=200)

    def __str__(self) -> str:
        return self.sha256


class Evidence(models.Model):
    """A union's file (佐证材料), usable for any number of indicators. `name` is the uploader's
    own: shown escaped, never used as a path."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="evidence", verbose_name="工会"
    )
    stored_file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="evidence")
    name = models.CharField("文件名", max_length=255)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="上传人"
    )
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "佐证材料"
        ordering = ["uploaded_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "stored_file"], name="evidence_organization_file"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("assessments:evidence_download", args=[self.pk])
