"""Text with simple formatting, written in an editor or without one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from assessments import rich_text

_LONGEST = 50_000


class FormattedTextField(forms.CharField):
    """Comes out sanitised; what leaves nothing to read is missing."""

    def __init__(self, label: str, advice: str = _("请删减。")) -> None:
        super().__init__(
            label=label,
            max_length=_LONGEST,
            widget=forms.Textarea(attrs={"rows": 12, "data-rich-text": ""}),
            error_messages={
                "required": format_lazy(_("请填写{label}。"), label=label),
                "max_length": format_lazy(
                    _(
                        "{label}太长：最多 %(limit_value)d 个字符（含格式），现为 %(show_value)d 个。{advice}"
                    ),
                    label=label,
                    advice=advice,
                ),
            },
        )

    def clean(self, value: Any) -> str:
        html = rich_text.sanitised(super().clean(value))
        if rich_text.is_blank(html):
            raise forms.ValidationError(self.error_messages["required"])
        return html
