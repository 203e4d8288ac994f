"""The append-only record of who did what, when, from what to what (操作记录)."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditChain(models.Model):
    """One chain of events: one for each self-assessment, one for everything else.

    Its row is locked while an event is added, so that two writers of one chain queue and two
    chains never wait for each other. Length and head show a tail that was cut off.
    """

    key = models.CharField(max_length=100, unique=True)
    length = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("操作记录链")

    def __str__(self) -> str:
        return self.key


class AuditEvent(models.Model):
    """One thing that somebody did. Written by `organizations.audit.record` only."""

    chain = models.ForeignKey(AuditChain, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField(_("序号"))
    at = models.DateTimeField(_("时间"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("操作人"),
    )
    actor_name = models.CharField(_("操作人姓名"), max_length=40)
    action = models.CharField(_("操作"), max_length=40)
    details = models.JSONField(_("内容"), default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = verbose_name_plural = _("操作记录")
        ordering = ["chain", "number"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="audit_event_chain_number")
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action}"
