"""Writing a stock phrase (常用语)."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.forms.ratings import PlainTextField, plain_number
from assessments.models import Indicator, StockPhrase


class PhraseForm(forms.Form):
    """With `may_share` it can be made a shared one."""

    code = forms.CharField(
        label=_("用于哪个指标"),
        required=False,
        max_length=8,
        help_text=_("填指标编号，例如 G1.01；不填则每个指标都可以用。"),
    )

    def __init__(self, *args: Any, may_share: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = PlainTextField(StockPhrase.LONGEST)
        text.label, text.help_text = (
            gettext("内容"),
            gettext("最多 {longest} 字。").format(longest=StockPhrase.LONGEST),
        )
        text.widget = forms.Textarea(attrs={"rows": 2})
        self.fields["text"] = text
        if may_share:
            self.fields["shared"] = forms.BooleanField(
                label=gettext("全体评审员共用"), required=False
            )
        self.order_fields(["text", "code", "shared"])
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_code(self) -> str:
        code = plain_number(self.cleaned_data["code"]).upper()
        if code and not Indicator.objects.filter(code=code).exists():
            raise forms.ValidationError(gettext("没有编号为“{code}”的指标。").format(code=code))
        return code
