"""Narrowing the flags of a campaign, and saying what became of one (雷同)."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import SimilarityFinding, SimilarityKind
from assessments.forms.ratings import PlainTextField
from organizations.forms.filters import ListFilter
from organizations.models import Organization
from organizations.models.organization import within

OPEN = "NONE"
_SIDES = ("left_assessment__organization", "right_assessment__organization")


class SimilarityFilter(ListFilter):
    """By name of either union, kind, county of either union, and finding."""

    q = forms.CharField(label=_("工会名称"), required=False, max_length=60)
    kind = forms.ChoiceField(
        label=_("类别"), required=False, choices=[("", _("全部类别")), *SimilarityKind.choices]
    )
    county = forms.ChoiceField(label=_("县（市、区）"), required=False)
    finding = forms.ChoiceField(
        label=_("核实"),
        required=False,
        choices=[("", _("核实情况不限")), (OPEN, _("待核实")), *SimilarityFinding.choices],
    )

    def __init__(self, data: Any, counties: list[Organization]) -> None:
        super().__init__(data)
        self.paths = {organization.code: organization.path for organization in counties}
        self.fields["county"].choices = [("", gettext("全部县（市、区）"))] + [
            (organization.code, organization.name) for organization in counties
        ]

    def apply(self, rows: QuerySet) -> QuerySet:
        if text := self.value("q"):
            rows = rows.filter(_either(lambda side: Q(**{f"{side}__name__icontains": text})))
        if kind := self.value("kind"):
            rows = rows.filter(kind=kind)
        if path := self.paths.get(self.value("county")):
            rows = rows.filter(_either(lambda side: within(path, f"{side}__path")))
        if finding := self.value("finding"):
            rows = rows.filter(finding="" if finding == OPEN else finding)
        return rows


def _either(condition: Any) -> Q:
    left, right = (condition(side) for side in _SIDES)
    return left | right


class FindingForm(forms.Form):
    finding = forms.ChoiceField(
        label=_("核实结论"),
        choices=SimilarityFinding.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择结论。"), "invalid_choice": _("请选择结论。")},
    )
    remark = PlainTextField(200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        remark = self.fields["remark"]
        remark.label = gettext("核实说明")
        remark.help_text = gettext("例如：两家联合举办活动，照片共用；或：照片是从另一单位拿来的。")
        remark.widget = forms.Textarea(attrs={"rows": 3})
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_remark(self) -> str:
        remark = self.cleaned_data["remark"]
        if not remark:
            raise forms.ValidationError(gettext("请写明核实的情况。"))
        return remark
