"""The few fields that go with an action of the workflow."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from assessments.choices import Action
from assessments.forms.ratings import PlainTextField


class ActionForm(forms.Form):
    """A confirmation with the text that the action asks for, if any."""

    #: Field, label, whether required, help, by action. An action that is not named has none.
    _FIELDS = {
        Action.ENDORSE: ("opinion", "推荐意见", True, "例如：经初审，材料属实，同意推荐。"),
        Action.COMPLETE_REVIEW: ("opinion", "评审意见", False, "可不填。随评分一并保存。"),
        Action.DECIDE: ("opinion", "评定意见", False, "可不填。随评定结果一并保存。"),
        Action.REOPEN_REVIEW: ("reason", "退回评审员的理由", True, ""),
        Action.REOPEN_DECISION: ("reason", "撤销评定的理由", True, "原评定保留在记录中。"),
        Action.ACCEPT_APPEAL: ("reason", "异议成立的理由", True, "申报将回到评审中。"),
    }

    def __init__(self, action: Action, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action = action
        if action in self._FIELDS:
            name, label, required, help_text = self._FIELDS[action]
            text = PlainTextField(1000)
            text.label, text.required, text.help_text = label, required, help_text
            text.widget = forms.Textarea(attrs={"rows": 4})
            self.fields[name] = text
        if action == Action.SUBMIT:
            self.fields["confirmed"] = forms.BooleanField(
                label="本工会对申报内容和佐证材料的真实性负责，同意签批提交。",
                error_messages={"required": "请勾选确认后再提交。"},
            )
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, field in self.fields.items():
            if isinstance(field, PlainTextField) and field.required and not cleaned.get(name):
                self.add_error(name, f"请填写{field.label}。")
        return cleaned

    @property
    def details(self) -> dict[str, Any]:
        """What `workflow.perform` takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "confirmed"}


class ReturnForm(forms.Form):
    """What is wanting, indicator by indicator, and a word on the whole."""

    reason = PlainTextField(1000)

    def __init__(self, indicators: list[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "总的说明（可不填）"
        self.fields["reason"].widget = forms.Textarea(attrs={"rows": 2})
        self.indicators = {indicator.code: indicator for indicator in indicators}
        for code in self.indicators:
            self.fields[code] = PlainTextField(500)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not self.remarks:
            raise forms.ValidationError("请至少在一个指标上写明修改要求。")
        return cleaned

    @property
    def remarks(self) -> dict[Any, str]:
        """What is wanting by indicator; indicators without a word are left out."""
        return {
            indicator: self.cleaned_data[code]
            for code, indicator in self.indicators.items()
            if self.cleaned_data.get(code)
        }
