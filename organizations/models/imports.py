"""Uploaded lists of unions, and what each would do, page by page."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from organizations.choices import ImportGroup, ImportState
from organizations.models.account import User


class OrganizationImportQuerySet(models.QuerySet["OrganizationImport"]):
    def visible_to(self, user: User) -> OrganizationImportQuerySet:
        """Each administrator's own lists."""
        return self.filter(uploaded_by=user)


class OrganizationImport(models.Model):
    """One uploaded list (工会名册). The file stays as it came: it is read anew when the import is
    confirmed, and says afterwards what was imported. `counts` are rows by ImportGroup, and
    `accounts` to be opened."""

    file = models.FileField(upload_to="imports/%Y/%m/")
    filename = models.CharField(_("文件名"), max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("状态"), max_length=10, choices=ImportState)
    counts = models.JSONField(default=dict)
    ignored_headings = models.JSONField(_("没有用到的列"), default=list)
    plan_digest = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("上传人"),
    )
    uploaded_at = models.DateTimeField(_("上传时间"))
    applied_at = models.DateTimeField(_("导入时间"), null=True)

    objects = OrganizationImportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("工会名册导入")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="organization_import_state_known",
                condition=models.Q(state__in=ImportState.values),
            ),
            models.CheckConstraint(
                name="organization_import_applied_has_time",
                condition=models.Q(state=ImportState.APPLIED, applied_at__isnull=False)
                | (~models.Q(state=ImportState.APPLIED) & models.Q(applied_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("organizations:import_detail", args=[self.pk])


class ImportPage(models.Model):
    """A page of the preview: up to fifty rows of one group, as they are shown."""

    of_import = models.ForeignKey(
        OrganizationImport, on_delete=models.CASCADE, related_name="pages"
    )
    group = models.CharField(max_length=10, choices=ImportGroup)
    number = models.PositiveIntegerField()
    rows = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["of_import", "group", "number"], name="import_page_number_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.of_import} {self.group} {self.number}"
