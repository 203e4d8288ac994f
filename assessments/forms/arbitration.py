"""仲裁 of one criterion: for each indicator whose score stands, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.forms import BoundField

from assessments import arbitration
from assessments.arbitration import Row, Setting
from assessments.choices import IndicatorKind
from assessments.forms.ratings import PlainTextField, ScoreField


class ArbitrationForm(forms.Form):
    """Three fields an indicator: `<code>-choice`, `<code>-score` where it is judged, and
    `<code>-reason`; `reason` is for the whole criterion."""

    def __init__(self, rows: Sequence[Row], data: Any = None) -> None:
        super().__init__(data)
        self.rows = rows
        for row in rows:
            self._add(row)
        self.fields["reason"] = _text("仲裁理由", 500, "写明依据，例如核实了哪些材料。")
        self.helper = FormHelper()
        self.helper.form_tag = False

    def _add(self, row: Row) -> None:
        code = row.indicator.code
        choices = [(arbitration.AS_IT_IS, f"不另定（按合成后的得分：{_shown(row.merged)}）")]
        choices += [
            (str(one.review.pk), f"采用{one.review.reviewer}的评分（{_shown(one.result)}）")
            for one in row.opinions
        ]
        judged = row.indicator.kind == IndicatorKind.SCORE
        if judged:
            choices.append((arbitration.OWN, "另定得分"))
        self.fields[f"{code}-choice"] = forms.ChoiceField(
            label="仲裁", choices=choices, required=False
        )
        if judged:
            score = ScoreField(row.indicator.max_points)
            score.label = "另定得分"
            self.fields[f"{code}-score"] = score
        self.fields[f"{code}-reason"] = _text("这一项的理由", 200, "不填则按下面的仲裁理由。")

    def fields_of(self, row: Row) -> Iterator[BoundField]:
        for name in ("choice", "score", "reason"):
            key = f"{row.indicator.code}-{name}"
            if key in self.fields:
                yield self[key]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for row in self.rows:
            code = row.indicator.code
            wants_score = values.get(f"{code}-choice") == arbitration.OWN
            if wants_score and values.get(f"{code}-score", 0) is None:
                self.add_error(f"{code}-score", "请填写得分。")
        if not values.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "请写明仲裁理由。")
        return values

    def settings(self) -> list[Setting]:
        """What the lead sets, of a valid form."""
        found = []
        for row in self.rows:
            code, values = row.indicator.code, self.cleaned_data
            rating = arbitration.chosen(row, values[f"{code}-choice"], values.get(f"{code}-score"))
            if rating is not None:
                reason = values[f"{code}-reason"] or values["reason"]
                found.append(Setting(row.indicator, rating, reason))
        return found


def _shown(result: Any) -> str:
    if not result.is_applicable:
        return "不适用"
    return f"{result.points.normalize():f} 分" if result.points is not None else "未评"


def _text(label: str, length: int, help_text: str) -> PlainTextField:
    text = PlainTextField(length)
    text.label, text.help_text = label, help_text
    text.widget = forms.Textarea(attrs={"rows": 2, "maxlength": length})
    return text
