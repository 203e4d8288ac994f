"""汇总表: which campaign, part of the tree, sheets and columns; and the name of settings to keep."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.exports.scope import UNION_COLUMNS, USUAL_COLUMNS
from assessments.exports.summary import SHEETS, USUAL_SHEETS
from assessments.models import Campaign
from organizations.choices import Tier
from organizations.models import Organization
from organizations.models.organization import PATH_STEP


class ExportForm(forms.Form):
    year = forms.TypedChoiceField(
        label=_("创建活动"),
        coerce=int,
        error_messages={"invalid_choice": _("请选择已开放的创建活动。")},
    )
    place = forms.ChoiceField(
        label=_("范围"),
        required=False,
        error_messages={"invalid_choice": _("没有这个县（市、区）或乡镇（街道），请重新选择。")},
    )
    sheets = forms.MultipleChoiceField(
        label=_("工作表"),
        choices=[(one.name, one.label) for one in SHEETS.values()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("请至少选择一张工作表。"),
            "invalid_choice": _("没有这张工作表，请重新选择。"),
        },
    )
    columns = forms.MultipleChoiceField(
        label=_("工会信息列"),
        required=False,
        choices=[(one.name, one.label) for one in UNION_COLUMNS if one.optional],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("代码、工会名称和县（市、区）总是有的。"),
        error_messages={"invalid_choice": _("没有这一列，请重新选择。")},
    )
    name = forms.CharField(
        label=_("保存为常用方案（可不填）"),
        required=False,
        max_length=40,
        help_text=_("填写名称后，下次可以直接选用这些工作表和列。"),
        error_messages={"max_length": _("名称不能超过 40 个字。")},
    )

    def __init__(self, data: Any, campaigns: list[Campaign], initial: dict[str, Any]) -> None:
        usual = {"sheets": USUAL_SHEETS, "columns": USUAL_COLUMNS}
        super().__init__(data, initial=usual | initial)
        self.fields["year"].choices = [(one.year, one.name) for one in campaigns]
        self.fields["place"].choices = [("", gettext("全市")), *_places()]
        self.helper = FormHelper()
        self.helper.form_tag = False

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings, as `exporting.request` takes them."""
        return {name: self.cleaned_data[name] for name in ("year", "place", "sheets", "columns")}


def _places() -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything that has unions below it, grouped by what stands directly under the city."""
    found = Organization.objects.filter(tier__in=[Tier.COUNTY, Tier.INDUSTRY, Tier.TOWNSHIP])
    groups: dict[str, list[tuple[str, str]]] = {}
    names: dict[str, str] = {}
    for code, name, path in found.order_by("path").values_list("code", "name", "path"):
        top = path[: 2 * PATH_STEP]
        names.setdefault(top, name)
        groups.setdefault(top, []).append((code, name))
    return [(names[top], places) for top, places in groups.items()]
