"""Files that are made in the background (导出), and the settings that a user keeps for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assessments.choices import PENDING_EXPORTS, ExportStatus
from organizations.models import User


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User) -> ExportQuerySet:
        """Everybody's own, and nobody else's."""
        return self.filter(owner=user)

    def pending(self) -> ExportQuerySet:
        return self.filter(status__in=PENDING_EXPORTS)


class Export(models.Model):
    """One file that somebody asked for; `exporting` writes it. `settings` says what of: it is
    checked anew when the file is made.

    `done` and `total` count rows, for the bar. `attempt` counts the runs: one whose number is
    passed has lost the row to its successor. `beat_at` is when the run last gave a sign of life.
    `hidden` holds the paths of the subtrees that were left out (回避). `file` is a path in the
    storage, set once the file is complete; `size` is in bytes.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports"
    )
    title = models.CharField(_("名称"), max_length=120)
    settings = models.JSONField()
    status = models.CharField(
        _("状态"), max_length=9, choices=ExportStatus, default=ExportStatus.QUEUED
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    hidden = models.JSONField(default=list)
    file = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(_("大小"), null=True)
    error = models.CharField(_("失败原因"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("申请时间"), auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("完成时间"), null=True)
    expires_at = models.DateTimeField(_("保留至"), null=True, db_index=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("导出")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["status", "beat_at"], name="export_status")]
        constraints = [
            models.CheckConstraint(
                name="export_status_known", condition=Q(status__in=ExportStatus.values)
            ),
            models.CheckConstraint(
                name="export_file_when_done",
                condition=Q(status=ExportStatus.DONE, size__isnull=False, expires_at__isnull=False)
                & ~Q(file="")
                | ~Q(status=ExportStatus.DONE) & Q(file=""),
            ),
            models.CheckConstraint(
                name="export_failed_says_why",
                condition=~Q(status=ExportStatus.FAILED) | ~Q(error=""),
            ),
            models.CheckConstraint(
                name="export_done_within_total", condition=Q(done__lte=F("total"))
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The file, if it is there."""
        return reverse("assessments:export_file", args=[self.pk])

    @property
    def is_pending(self) -> bool:
        return self.status in PENDING_EXPORTS

    @property
    def is_available(self) -> bool:
        """Whether the file is there to be had."""
        return self.status == ExportStatus.DONE and self.expires_at > timezone.now()

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 0


class ExportPreset(models.Model):
    """Settings of an export that a user keeps by name (常用方案)."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="export_presets"
    )
    name = models.CharField(_("方案名称"), max_length=40)
    settings = models.JSONField()

    class Meta:
        verbose_name = verbose_name_plural = _("常用导出方案")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="export_preset_owner_name")
        ]

    def __str__(self) -> str:
        return self.name
