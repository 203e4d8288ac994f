"""Other systems of the federation that read from the portal (数据接口)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organizations.choices import ApiScope
from organizations.models.organization import Organization


class ApiClient(models.Model):
    """One system that may read: what (`scopes`), of which subtree (`organization`), until when. Of
    its token only the SHA-256 is kept; `prefix` is shown, to tell tokens apart."""

    name = models.CharField(_("系统名称"), max_length=60)
    contact = models.CharField(_("联系人和电话"), max_length=60)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("数据范围")
    )
    scopes = models.JSONField(_("可读内容"))
    prefix = models.CharField(_("令牌开头"), max_length=8)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_on = models.DateField(_("有效期至"))
    revoked_at = models.DateTimeField(_("停用时间"), null=True)
    last_used_at = models.DateTimeField(_("最近使用"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("数据接口")
        ordering = ["name", "pk"]
        constraints = [models.CheckConstraint(name="api_client_named", condition=~Q(name=""))]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_on >= timezone.localdate()

    @property
    def scope_labels(self) -> list[str]:
        return [str(ApiScope(scope).label) for scope in self.scopes]
