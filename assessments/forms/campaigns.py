"""Setting a campaign up, step by step, and what is done with it as a whole."""

from __future__ import annotations

import hashlib
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.campaigns import EXTENDABLE
from assessments.forms.decisions import ConfirmationForm, DetailForm, text_field
from assessments.models import Campaign, Rubric, TierPolicy
from assessments.setting_up import DAYS
from organizations.chinese import in_chinese

_DATE_ERRORS = {"required": _("请选择日期。"), "invalid": _("请填写日期，例如 2026-04-30。")}


def _day_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class StartForm(DetailForm):
    """第一步: which year, and from what."""

    year = forms.IntegerField(
        label=_("年度"),
        min_value=2020,
        max_value=2100,
        error_messages={"required": _("请填写年度。"), "invalid": _("请填写年度，例如 2027。")},
    )
    name = text_field(_("名称"), 60, rows=1)
    earlier = forms.ModelChoiceField(
        Campaign.objects.order_by("-year"),
        label=_("沿用哪一年的设置"),
        required=False,
        empty_label=_("不沿用，用常用设置"),
        help_text=_("标准、标准线、日期（顺延到新的年度）、初审和评审设置都会带过来，可以再改。"),
        error_messages={"invalid_choice": _("请从列表中选择。")},
    )

    def clean_year(self) -> int:
        year = self.cleaned_data["year"]
        if Campaign.objects.filter(year=year).exists():
            raise forms.ValidationError(gettext("{year} 年的创建活动已经有了。").format(year=year))
        return year


class _SettingsForm(forms.ModelForm):
    """`seen` tells what the page showed: whoever saves after somebody else is told."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        parts = [str(self.initial.get(name)) for name in self._meta.fields]
        self.stored = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        self.fields["seen"].initial = self.stored
        for field in self.fields.values():
            if isinstance(field, forms.DateField):
                field.widget, field.error_messages = _day_input(), dict(_DATE_ERRORS)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("seen") != self.stored:
            self.data = self.data.copy()  # so that the next time it is saved
            self.data[self.add_prefix("seen")] = self.stored
            self.add_error(None, gettext("您打开页面之后，别人改过这些设置。请核对后再次保存。"))
        return values

    @in_chinese()
    def changes(self) -> dict[str, str]:
        """What was changed, for the record: in the words of the page, but Chinese."""
        return {
            str(self.fields[name].label): f"{self._before(name)} → {self.cleaned_data[name]}"
            for name in self.changed_data
            if name != "seen"
        }

    def _before(self, name: str) -> Any:
        field, value = self.fields[name], self.initial.get(name, self.fields[name].initial)
        if isinstance(field, forms.ModelChoiceField):
            return field.queryset.filter(pk=value).first()
        return value


class DaysForm(_SettingsForm):
    """第二步: name and days."""

    class Meta:
        model = Campaign
        fields = ("name", "cycle_start_year", *DAYS, "correction_days")


class PolicyForm(_SettingsForm):
    """第三步: by which rubric a tier is assessed, and how."""

    takes_part = forms.BooleanField(label=_("参加本年度创建"), required=False)

    class Meta:
        model = TierPolicy
        fields = (
            "rubric",
            "reviewers",
            "endorsement_required",
            "endorsement_ranks",
            "endorsement_scores",
        )

    field_order = ["takes_part"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["takes_part"].initial = self.instance.pk is not None
        rubric = self.fields["rubric"]
        rubric.queryset = Rubric.objects.filter(tier=self.instance.tier).order_by("-version")
        rubric.empty_label, rubric.required = gettext("请选择"), False
        self.fields["reviewers"].error_messages |= {"required": gettext("请填写人数。")}

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("takes_part") and not values.get("rubric") and "rubric" not in self.errors:
            self.add_error("rubric", gettext("请选择标准。"))
        return values


class RulesForm(_SettingsForm):
    """第四步: the lines, and how results come about."""

    class Meta:
        model = Campaign
        fields = (
            "criterion_pass_percent",
            "pass_total",
            "target_percent",
            "basically_satisfied_counts",
            "several_reviewers",
            "discrepancy_percent",
            "remark_tolerance",
            "publicity_working_days",
            "publishes_points",
        )


class LifeForm(ConfirmationForm):
    """开放、结束、归档."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, gettext("须由本人确认。"), *args, **kwargs)


class ExtendForm(DetailForm):
    """延长期限, for everybody."""

    reason = text_field(_("理由"), 200)

    def __init__(self, campaign: Campaign, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in EXTENDABLE:
            self.fields[name] = forms.DateField(
                label=Campaign._meta.get_field(name).verbose_name,
                initial=getattr(campaign, name),
                required=getattr(campaign, name) is not None,
                widget=_day_input(),
                error_messages=_DATE_ERRORS,
            )
        self.order_fields([*EXTENDABLE, "reason"])
