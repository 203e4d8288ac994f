"""What the lead asks for when sharing submissions out, and a recusal with its reason."""

from __future__ import annotations

import secrets
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.assignment_runs import SEEDS
from assessments.forms.ratings import PlainTextField
from organizations.models import Organization, User


class PlanForm(forms.Form):
    """Whom to share out among, and from which seed; `replaces` is whose open reviews go to others,
    `keep` whether their scores go along. What is missing is preset: everybody, and a seed of
    chance's."""

    reviewers = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label=_("评审员"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("请至少选择一位评审员。"),
            "invalid_choice": _("所选的人里有人已不是评审员，请重新选择。"),
            "invalid_pk_value": _("所选的人里有人已不是评审员，请重新选择。"),
        },
    )
    seed = forms.IntegerField(
        label=_("随机种子"),
        min_value=0,
        max_value=SEEDS - 1,
        help_text=_("同一个种子、同样的申报和评审员，分派结果一定相同，可供复核。"),
        error_messages={
            "required": _("请填写随机种子。"),
            "invalid": _("随机种子是 0 至 999999 的整数。"),
            "min_value": _("随机种子是 0 至 999999 的整数。"),
            "max_value": _("随机种子是 0 至 999999 的整数。"),
        },
    )
    keep = forms.BooleanField(
        label=_("沿用已评分数（由新的评审员核对、确认）；须回避的人评的分不沿用"),
        required=False,
    )

    def __init__(self, data: Any, reviewers: Any, *, replaces: User | None = None) -> None:
        preset = {"reviewers": [one.pk for one in reviewers], "seed": secrets.randbelow(SEEDS)}
        bound = "seed" in data
        super().__init__(data if bound else None, initial=preset)
        self.fields["reviewers"].queryset = reviewers
        if replaces is None:
            del self.fields["keep"]
        self.preset = preset
        self.helper = FormHelper()
        self.helper.form_tag = False


class ReplaceForm(forms.Form):
    """改派 of one submission."""

    reviewer = forms.ModelChoiceField(
        User.objects.none(),
        label=_("改派给"),
        empty_label=_("请选择"),
        error_messages={"required": _("请选择评审员。"), "invalid_choice": _("请选择评审员。")},
    )
    keep = forms.BooleanField(label=_("沿用已评分数，由新的评审员核对、确认"), required=False)
    note = PlainTextField(200)

    def __init__(self, *args: Any, reviewers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewer"].queryset = reviewers
        self.fields["note"].label = gettext("说明")
        self.helper = FormHelper()
        self.helper.form_tag = False


class RecusalForm(forms.Form):
    """申请回避, by the reviewer."""

    reason = PlainTextField(200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reason"]
        field.label, field.help_text = gettext("回避理由"), gettext("例如：配偶在该单位任职。")
        field.widget = forms.Textarea(attrs={"rows": 3, "maxlength": 200})
        field.required = True  # says so on the page; `clean_reason` refuses
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_reason(self) -> str:
        reason = self.cleaned_data["reason"]
        if not reason:
            raise forms.ValidationError(gettext("请写明理由。"))
        return reason


class NewRecusalForm(RecusalForm):
    """登记回避, by the lead: of a reviewer, from a union and all that is below it."""

    reviewer = forms.ModelChoiceField(
        User.objects.none(),
        label=_("评审员"),
        empty_label=_("请选择"),
        error_messages={"required": _("请选择评审员。"), "invalid_choice": _("请选择评审员。")},
    )
    code = forms.CharField(
        label=_("回避的工会（组织代码）"),
        max_length=40,
        help_text=_("在“工会组织”里可以查到代码；下级工会一并回避。"),
        error_messages={"required": _("请填写组织代码。")},
    )
    field_order = ["reviewer", "code", "reason"]

    def __init__(self, *args: Any, reviewers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewer"].queryset = reviewers

    def clean_code(self) -> Organization:
        found = Organization.objects.active().filter(code=self.cleaned_data["code"].strip()).first()
        if found is None or found.parent_id is None:
            raise forms.ValidationError(gettext("没有这个代码的工会。"))
        return found
