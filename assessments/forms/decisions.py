"""Lists of pending decisions: naming one, correcting a line, overriding it, making them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import Outcome
from assessments.forms.actions import check_own_password, own_password
from assessments.forms.filters import AssessmentFilter
from assessments.forms.ratings import PlainTextField, SetRatingForm
from assessments.forms.sheets import Row, controls
from assessments.models import Indicator
from assessments.worksheet import Line


class DecisionFilter(AssessmentFilter):
    """As everywhere, and by result and by what stands out."""

    outcome = forms.ChoiceField(
        label=_("结果"), required=False, choices=[("", _("全部结果")), *Outcome.choices]
    )
    flag = forms.ChoiceField(
        label=_("提示"),
        required=False,
        choices=[
            ("", _("不限提示")),
            ("discrepant", _("评审分差过大")),
            ("vetoed", _("一票否决")),
            ("proxy", _("代填")),
            ("listed", _("已列入名单")),
            ("unlisted", _("未列入名单")),
        ],
    )


class DetailForm(forms.Form):
    """Drawn by a template of its own form tag; a required text of blanks alone is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for name, field in self.fields.items():
            wanted = isinstance(field, PlainTextField) and field.required
            if wanted and not values.get(name) and name not in self.errors:
                self.add_error(name, gettext("请填写{field}。").format(field=field.label))
        return values


def text_field(label: str, length: int, *, rows: int = 3, required: bool = True) -> PlainTextField:
    text = PlainTextField(length)
    text.label, text.required = label, required
    if rows > 1:
        text.widget = forms.Textarea(attrs={"rows": rows, "maxlength": length})
    return text


class BatchForm(DetailForm):
    """拟定名单."""

    name = text_field(_("名单名称"), 60, rows=1)


class CorrectionForm(DetailForm):
    """A score, or the items or counts, in place of what the reviewers come to. First the indicator
    is chosen, then the fields of its kind are there (`rating`)."""

    indicator = forms.ChoiceField(
        label=_("指标"),
        error_messages={"required": _("请选择指标。"), "invalid_choice": _("请选择指标。")},
    )
    reason = text_field(_("理由"), 500)

    def __init__(self, lines: Sequence[Line], data: Any = None, *, chosen: str, **kw: Any) -> None:
        super().__init__(data, **kw)
        self.fields["indicator"].choices = [
            ("", gettext("请选择")),
            *((one.indicator.code, _named(one.indicator)) for one in lines),
        ]
        self.fields["indicator"].initial = chosen
        self.line = next((one for one in lines if one.indicator.code == chosen), None)
        self.rating = None
        if self.line:
            indicator = self.line.indicator
            self.rating = SetRatingForm(indicator, prefix=self.prefix, data=data, needed=True)

    @property
    def controls(self) -> Row | None:
        """The fields of the chosen indicator, for `_rating_fields.html`."""
        return controls(self.line, self.rating) if self.line else None

    def is_valid(self) -> bool:
        return super().is_valid() and self.rating is not None and self.rating.is_valid()


def _named(indicator: Indicator) -> str:
    return gettext("{code} {indicator}（满分 {points:f}）").format(
        code=indicator.code, indicator=indicator.name, points=indicator.max_points.normalize()
    )


class OverrideForm(DetailForm):
    """推翻, with a reason."""

    reason = text_field(_("推翻理由"), 1000)


class ConfirmationForm(DetailForm):
    """Confirmed by the person's own password."""

    def __init__(self, request: HttpRequest, help_text: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["password"] = own_password(help_text)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if not self.errors:
            check_own_password(self, self.request)
        return values


class ApplyForm(ConfirmationForm):
    """作出评定."""

    opinion = text_field(_("评定意见"), 1000, required=False)
    field_order = ["opinion", "password"]

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, gettext("作出评定须由本人确认。"), *args, **kwargs)
        self.fields["opinion"].help_text = gettext("可不填。写入名单里的每一份评定。")
