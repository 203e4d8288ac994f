"""What was reminded of, and the addresses of personal calendars."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from assessments.choices import Occasion
from assessments.models.campaign import Campaign


class Reminder(models.Model):
    """Somebody was told, so many days ahead, of a last day: once for each day and distance."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    occasion = models.CharField(max_length=11, choices=Occasion)
    due_on = models.DateField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = _("提醒记录")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "occasion", "due_on", "days", "user"], name="reminded_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_occasion_display()} {self.due_on}"


class CalendarAddress(models.Model):
    """The secret part of the address under which a phone reads somebody's days, without signing
    in. It leads to dates and names of campaigns, to nothing else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_address"
    )
    key = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = verbose_name_plural = _("日历订阅地址")

    def __str__(self) -> str:
        return str(self.user)
