"""Assigning many at once: what was asked for, from which seed, and what came of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assessments.models.campaign import Campaign


class AssignmentRun(models.Model):
    """One 自动分派 that was carried out. `scope` says in words which submissions it was about;
    `inputs` is all that the plan rests on besides the seed (`assignment_runs.Inputs`), so that it
    can be reckoned again; `result` is what each reviewer got and what could not be placed.
    `replaces` is the reviewer whose open reviews went to others, if that was the point; `keeps`
    whether their scores went along."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="assignment_runs")
    seed = models.PositiveIntegerField(_("随机种子"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("时间"), auto_now_add=True)
    scope = models.CharField(_("范围"), max_length=300)
    replaces = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    keeps = models.BooleanField(_("沿用已评分数"), default=False)
    placed = models.PositiveIntegerField(_("已分派"))
    unplaced = models.PositiveIntegerField(_("未能分派"))
    digest = models.CharField(max_length=64)
    inputs = models.JSONField()
    result = models.JSONField()

    class Meta:
        verbose_name = verbose_name_plural = _("自动分派")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.scope}"

    def get_absolute_url(self) -> str:
        return reverse("assessments:assignment_run", args=[self.pk])
