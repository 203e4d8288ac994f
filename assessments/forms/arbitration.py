"""仲裁 of one criterion: for each indicator whose score stands, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.forms import BoundField
from django.utils.translation import gettext

from assessments import arbitration
from assessments.arbitration import Row, Setting
from assessments.forms.ratings import PlainTextField, SetRatingForm
from assessments.forms.sheets import Row as ControlRow
from assessments.forms.sheets import controls


class ArbitrationForm(forms.Form):
    """For each indicator `<code>-choice`, `<code>-reason`, and the fields of a rating of the lead's
    own (`ratings`); `reason` is for the whole criterion."""

    def __init__(self, rows: Sequence[Row], data: Any = None) -> None:
        super().__init__(data)
        self.rows = rows
        self.ratings: dict[str, SetRatingForm] = {}
        for row in rows:
            self._add(row)
        self.fields["reason"] = _text(
            gettext("仲裁理由"), 500, gettext("写明依据，例如核实了哪些材料。")
        )
        self.helper = FormHelper()
        self.helper.form_tag = False

    def _add(self, row: Row) -> None:
        code = row.indicator.code
        choices = [
            (
                arbitration.AS_IT_IS,
                gettext("不另定（按合成后的得分：{score}）").format(score=_shown(row.merged)),
            )
        ]
        choices += [
            (
                str(one.review.pk),
                gettext("采用{reviewer}的评分（{score}）").format(
                    reviewer=one.review.reviewer, score=_shown(one.result)
                ),
            )
            for one in row.opinions
        ]
        choices.append((arbitration.OWN, gettext("另定得分")))
        self.fields[f"{code}-choice"] = forms.ChoiceField(
            label=gettext("仲裁"), choices=choices, required=False
        )
        sent = self.data.get(f"{code}-choice") if self.is_bound else None
        data = self.data if self.is_bound else None
        self.ratings[code] = SetRatingForm(row.indicator, data=data, needed=sent == arbitration.OWN)
        self.fields[f"{code}-reason"] = _text(
            gettext("这一项的理由"), 200, gettext("不填则按下面的仲裁理由。")
        )

    def fields_of(self, row: Row) -> Iterator[BoundField]:
        for name in ("choice", "reason"):
            yield self[f"{row.indicator.code}-{name}"]

    def controls_of(self, row: Row) -> ControlRow:
        """The fields of a rating of one's own, for `_rating_fields.html`."""
        return controls(row.line, self.ratings[row.indicator.code])

    def is_valid(self) -> bool:
        return super().is_valid() and all(one.is_valid() for one in self.ratings.values())

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for code, own in self.ratings.items():
            if values.get(f"{code}-choice") != arbitration.OWN and own.is_valid() and own.rating:
                message = gettext("填写了另定的得分，请选择“另定得分”，或者清空。")
                self.add_error(f"{code}-choice", message)
        if not values.get("reason") and "reason" not in self.errors:
            self.add_error("reason", gettext("请写明仲裁理由。"))
        return values

    def settings(self) -> list[Setting]:
        """What the lead sets, of a valid form."""
        found = []
        for row in self.rows:
            code, values = row.indicator.code, self.cleaned_data
            own = self.ratings[code].rating
            rating = arbitration.chosen(row, values[f"{code}-choice"], own)
            if rating is not None:
                reason = values[f"{code}-reason"] or values["reason"]
                found.append(Setting(row.indicator, rating, reason))
        return found


def _shown(result: Any) -> str:
    if not result.is_applicable:
        return gettext("不适用")
    return (
        gettext("{points:f} 分").format(points=result.points.normalize())
        if result.points is not None
        else gettext("未评")
    )


def _text(label: str, length: int, help_text: str) -> PlainTextField:
    text = PlainTextField(length)
    text.label, text.help_text = label, help_text
    text.widget = forms.Textarea(attrs={"rows": 2, "maxlength": length})
    return text
