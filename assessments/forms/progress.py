"""What a progress report is made for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from assessments import deadlines
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.inspections import day_field


class ReportForm(DetailForm):
    """推进会: its name and its day, both for the cover."""

    title = text_field(_("会议名称"), 60, rows=1)
    held_on = day_field(
        _("会议日期"), help_text=_("印在封面上。数据是最近一次汇总的，与会议日期无关。")
    )

    def __init__(self, data: Any) -> None:
        usual = {
            "title": "全市工会组织标准化、规范化建设推进会",
            "held_on": deadlines.local_day(deadlines.now()),
        }
        super().__init__(data if "held_on" in data else None, initial=usual)
