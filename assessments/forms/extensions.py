"""Asking for more time, and the answer."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.extensions import NotPossible
from assessments.forms.ratings import PlainTextField


class _ExtensionForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def refuse(self, error: NotPossible) -> None:
        """Show at its field what the domain has refused."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


def _day(label: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": _("请选择日期。"),
            "invalid": _("请填写日期，例如 2026-01-31。"),
        },
        **kwargs,
    )


def _text(label: str, help_text: str = "") -> PlainTextField:
    text = PlainTextField(200)
    text.label, text.help_text = label, help_text
    text.widget = forms.Textarea(attrs={"rows": 3})
    return text


class AskForm(_ExtensionForm):
    until = _day(_("希望延期至"), help_text=_("含当日，至 24 时。"))
    reason = _text(_("理由"), _("例如：填报员生病住院，尚有两项没有填完。"))

    def clean_reason(self) -> str:
        reason = self.cleaned_data["reason"]
        if not reason:
            raise forms.ValidationError(gettext("请写明理由。"))
        return reason


class AnswerForm(_ExtensionForm):
    until = _day(_("延期至"), required=False, help_text=_("同意时填写。"))
    reply = _text(_("答复"), _("不同意时必填。"))
