from typing import Any

from django.apps import AppConfig
from django.db.models.signals import m2m_changed
from django.utils.translation import gettext_lazy as _


class AssessmentsConfig(AppConfig):
    name = "assessments"
    verbose_name = _("六好创建活动")

    def ready(self) -> None:
        campaign = self.get_model("Campaign")
        m2m_changed.connect(self._mark_for_rollup, sender=campaign.outside_target.through)

    def _mark_for_rollup(self, instance: Any, action: str, **kwargs: Any) -> None:
        """What does not count in the target has changed: count the campaign afresh."""
        if action.startswith("post_"):
            self.get_model("RollupMark").objects.create(campaign=instance)
