"""The few fields that go with an action of the workflow."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest

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

    def __init__(
        self, action: Action, *args: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """`request` is whose password is asked for, where the action needs one."""
        super().__init__(*args, **kwargs)
        self.action, self.request = action, request
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
            self.fields["password"] = forms.CharField(
                label="您的登录密码",
                help_text="签批须由负责人本人确认。",
                strip=False,
                max_length=200,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
                error_messages={"required": "请输入您的登录密码。"},
            )
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, field in self.fields.items():
            if isinstance(field, PlainTextField) and field.required and not cleaned.get(name):
                self.add_error(name, f"请填写{field.label}。")
        if "password" in self.fields and not self.errors and not self._is_own_password():
            self.add_error("password", "密码不正确，没有提交。连续输错会暂时不能再试。")
        return cleaned

    def _is_own_password(self) -> bool:
        """Asked of the same backends as a sign-in, so that guessing is slowed down here too."""
        if self.request is None:
            return False
        username = self.request.user.get_username()
        password = self.cleaned_data["password"]
        found = authenticate(self.request, username=username, password=password)
        return found is not None and found.pk == self.request.user.pk

    @property
    def details(self) -> dict[str, Any]:
        """What `workflow.perform` takes."""
        confirmation = {"confirmed", "password"}
        return {n: value for n, value in self.cleaned_data.items() if n not in confirmation}


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
