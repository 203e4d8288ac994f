"""Titles: giving them, looking at them again, finding one by its number."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines
from assessments.choices import RecheckOutcome
from assessments.forms.decisions import ConfirmationForm, DetailForm, text_field
from assessments.forms.filters import UnionFilter
from assessments.models.recognition import RecognitionQuerySet
from organizations.models import Organization


class RecognitionFilter(UnionFilter):
    """As everywhere, and by what has become of the title."""

    standing = forms.ChoiceField(
        label=_("命名状态"),
        required=False,
        choices=[
            ("", _("全部命名")),
            ("valid", _("有效")),
            ("due", _("本年未复查")),
            ("question", _("拟撤销")),
            ("revoked", _("已撤销")),
        ],
    )


class HonoursFilter(UnionFilter):
    """As everywhere, and by the year of the title: of the titles that are there to choose from."""

    of_year = forms.ChoiceField(label=_("年度"), required=False)

    def __init__(self, data: Any, counties: list[Organization], rows: RecognitionQuerySet) -> None:
        super().__init__(data, counties)
        self.rows = rows
        years = rows.order_by("-campaign__year").values_list("campaign__year", flat=True)
        self.fields["of_year"].choices = [
            ("", gettext("全部年度")),
            *((str(year), gettext("{year} 年").format(year=year)) for year in years.distinct()),
        ]

    def narrowed(self) -> RecognitionQuerySet:
        rows = self.apply(self.rows, organization="organization__")
        year = self.value("of_year")
        return rows.filter(campaign__year=year) if year else rows


class AwardForm(ConfirmationForm):
    """命名 of all at once, by the person's own password."""

    awarded_on = forms.DateField(
        label=_("命名日期"),
        help_text=_("印在证书上，不早于最后一份评定的日期。"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("请选择命名日期。"),
            "invalid": _("请按 2026-05-31 的样子填写日期。"),
        },
    )
    field_order = ["awarded_on", "password"]

    def __init__(self, request: HttpRequest, earliest: dt.date, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, gettext("命名须由本人确认。"), *args, **kwargs)
        self.earliest = earliest
        self.fields["awarded_on"].initial = deadlines.local_day(deadlines.now())

    def clean_awarded_on(self) -> dt.date:
        day = self.cleaned_data["awarded_on"]
        if day > deadlines.local_day(deadlines.now()):
            raise forms.ValidationError(gettext("命名日期不能晚于今天。"))
        if day < self.earliest:
            raise forms.ValidationError(
                gettext("命名日期不能早于评定日期 {day:%Y-%m-%d}。").format(day=self.earliest)
            )
        return day


class RecheckForm(DetailForm):
    """复查."""

    outcome = forms.ChoiceField(
        label=_("复查结果"),
        choices=RecheckOutcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择复查结果。")},
    )
    remarks = text_field(_("复查情况"), 1000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remarks"].help_text = gettext(
            "复查了什么、发现了什么。撤销命名的，这里写撤销的理由；"
            "须经另一位组长或管理员确认后才生效。"
        )


class NumberForm(DetailForm):
    """The number of a certificate."""

    number = forms.CharField(
        label=_("证书编号"),
        max_length=40,
        help_text=_("印在证书上，例如 平工六好〔2026〕G0001号；只填 2026G0001 也可以。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": _("请填写证书编号。"),
            "max_length": _("证书编号没有这么长，请核对。"),
        },
    )
