"""What reviewers write again and again (常用语)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StockPhrase(models.Model):
    """A remark kept for use again: one's own, or shared by all reviewers where `owner` is None.
    `code` is that of the indicator it is for, or empty for any; a code stays the same across
    years and belongs to one tier. `uses` counts how often it was put in: the most used stand
    first."""

    LONGEST = 200

    code = models.CharField(_("指标编号"), max_length=8, blank=True)
    text = models.CharField(_("内容"), max_length=LONGEST)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uses = models.PositiveIntegerField(_("使用次数"), default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("常用语")
        ordering = ["-uses", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "code", "text"],
                condition=Q(owner__isnull=False),
                name="stock_phrase_own_once",
            ),
            models.UniqueConstraint(
                fields=["code", "text"], condition=Q(owner=None), name="stock_phrase_shared_once"
            ),
            models.CheckConstraint(name="stock_phrase_has_text", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None
