"""Opening a 民主测评, and voting in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from assessments.choices import SurveyMode, Vote
from assessments.models.survey import MOST_ELIGIBLE


class SurveyForm(forms.Form):
    """How the members vote, how many they are, and until when."""

    mode = forms.ChoiceField(
        label=_("投票方式"),
        choices=SurveyMode.choices,
        widget=forms.RadioSelect,
        initial=SurveyMode.CODES,
        help_text=_(
            "投票码打印后剪开，由会员随意抽取，谁也不知道谁拿到哪一张。一部手机投一票较省事，但换手机可以重复投。"
        ),
    )
    eligible = forms.IntegerField(
        label=_("应参加人数"),
        min_value=1,
        max_value=MOST_ELIGIBLE,
        help_text=format_lazy(_("有权参加测评的会员人数，最多 {most} 人。"), most=MOST_ELIGIBLE),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    closes_on = forms.DateField(
        label=_("投票截止日期"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("截至当天 24 时。也可以提前结束。"),
    )

    def __init__(self, today: dt.date, due: dt.date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["closes_on"].widget.attrs |= {"min": today.isoformat(), "max": due.isoformat()}
        self.helper = FormHelper()
        self.helper.form_tag = False


class BallotForm(forms.Form):
    """One answer; with a code where the survey takes codes."""

    choice = forms.ChoiceField(
        label=_("您对本单位工会组织的工作是否满意？"),
        choices=Vote.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择一项。")},
    )
    code = forms.CharField(
        label=_("投票码"),
        max_length=30,
        help_text=_("纸条上的 8 位字母和数字，不分大小写。"),
        error_messages={"required": _("请填写纸条上的投票码。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    field_order = ["code", "choice"]

    def __init__(self, *args: Any, takes_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not takes_code:
            del self.fields["code"]
        self.helper = FormHelper()
        self.helper.form_tag = False
