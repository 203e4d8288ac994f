"""What is typed for one indicator, by the union or by a reviewer: fields, checks, messages."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines
from assessments.choices import IndicatorKind
from assessments.entries import Entry
from assessments.models import Indicator
from assessments.reviewing import ACCEPT, REFUSE
from assessments.scoring import Rating, counts_problem, is_answered, score_problem

#: What the database's integer column holds.
LARGEST_COUNT = 2_147_483_647
#: The value of the box “none of these”: an empty list that somebody has looked at.
NONE_PRESENT = "-"


def plain_number(text: str) -> str:
    """Digits as people type them: full-width ones, blanks and thousands separators go."""
    return unicodedata.normalize("NFKC", text).replace(" ", "").replace(",", "")


def plain_text(text: str) -> str:
    """Text without control characters, with one kind of line end. Word's own line and page
    breaks are line ends too."""
    text = re.sub(r"\r\n|[\r\v\f\u2028\u2029]", "\n", text).replace("\ufeff", "")
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    ).strip()


class ScoreField(forms.CharField):
    """A judged score. The error names what is wrong with it."""

    def __init__(self, maximum: Decimal) -> None:
        super().__init__(required=False, max_length=20)
        self.maximum = maximum

    def clean(self, value: Any) -> Decimal | None:
        text = plain_number(super().clean(value))
        if not text:
            return None
        try:
            score = Decimal(text)
        except InvalidOperation:
            raise forms.ValidationError(gettext("请填写数字，例如 2 或 2.5。")) from None
        problem = score_problem(score, self.maximum)
        if problem:
            raise forms.ValidationError(problem)
        return score


class CountField(forms.CharField):
    """A whole number from 0 up."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=20)

    def clean(self, value: Any) -> int | None:
        text = plain_number(super().clean(value))
        if not text:
            return None
        if text.startswith("-") and text[1:].isdecimal():
            raise forms.ValidationError(gettext("不能为负数。"))
        if not text.isdecimal():
            raise forms.ValidationError(gettext("请填写整数，例如 120。"))
        if int(text) > LARGEST_COUNT:
            raise forms.ValidationError(gettext("数字过大，请核对。"))
        return int(text)


class DayField(forms.CharField):
    """A day as people write it: 2025-12-31, 2025.12.31, 2025年12月31日; none after today. Gives
    the ISO text, which is what an entry holds."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=30)

    def clean(self, value: Any) -> str:
        text = plain_number(super().clean(value))
        if not text:
            return ""
        found = re.fullmatch(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?", text)
        try:
            day = dt.date(*map(int, found.groups())) if found else None
        except ValueError:
            day = None
        if day is None:
            raise forms.ValidationError(gettext("请填写日期，例如 2025-12-31。"))
        if day > deadlines.local_day(deadlines.now()):
            raise forms.ValidationError(gettext("截至日期不能晚于今天。"))
        return day.isoformat()


class PlainTextField(forms.CharField):
    """Text of people: pasted formatting and control characters are dropped."""

    def __init__(self, max_length: int) -> None:
        super().__init__(required=False, strip=False)
        self.longest = max_length

    def clean(self, value: Any) -> str:
        text = plain_text(value or "")
        if len(text) > self.longest:
            raise forms.ValidationError(
                gettext("最多 {longest} 字，现为 {count} 字，请删减。").format(
                    longest=self.longest, count=len(text)
                )
            )
        return text


class RatingForm(forms.Form):
    """The entry for one indicator; `text_fields` names the texts that go with the rating, with
    their greatest length. A draft may be half done: nothing is required."""

    text_fields: dict[str, int] = {}
    #: Texts that go with the two counts of a RATE.
    rate_fields: dict[str, Callable[[], forms.Field]] = {}

    def __init__(self, indicator: Indicator, *, prefix: str = "", **kwargs: Any) -> None:
        super().__init__(prefix=prefix or indicator.code, **kwargs)
        self.rule = indicator.rule
        self.indicator = indicator
        if self.rule.kind == IndicatorKind.CHECKLIST:
            choices = [(item, item) for item in (*self.rule.checklist_items, NONE_PRESENT)]
            self.fields["checked"] = forms.MultipleChoiceField(choices=choices, required=False)
        if self.rule.kind == IndicatorKind.RATE:
            self.fields["numerator"] = CountField()
            self.fields["denominator"] = CountField()
            for name, make in self.rate_fields.items():
                self.fields[name] = make()
        if not self.rule.is_computed:
            self.fields["score"] = ScoreField(self.rule.max_points)
        if self.rule.conditional:
            self.fields["not_applicable"] = forms.BooleanField(required=False)
        for name, length in self.text_fields.items():
            self.fields[name] = PlainTextField(length)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        items = cleaned.get("checked") or []
        if NONE_PRESENT in items and len(items) > 1:
            self.add_error("checked", gettext("选了“以上都没有”，就不能再选其他项。"))
        numerator, denominator = cleaned.get("numerator"), cleaned.get("denominator")
        if denominator == 0 and numerator is None:
            numerator = 0
        if numerator is not None and denominator is not None:
            for name, message in counts_problem(self.rule, numerator, denominator).items():
                self.add_error(name, message)
        return cleaned

    @property
    def entry(self) -> Entry:
        """What was typed, once it is valid."""
        cleaned = self.cleaned_data
        items = cleaned.get("checked")
        return Entry(
            Rating(
                score=cleaned.get("score"),
                checked_items=tuple(item for item in items if item != NONE_PRESENT)
                if items
                else None,
                numerator=cleaned.get("numerator"),
                denominator=cleaned.get("denominator"),
                not_applicable=cleaned.get("not_applicable", False),
            ),
            {name: cleaned.get(name, "") for name in (*self.text_fields, *self.rate_fields)},
        )

    @property
    def typed(self) -> dict[str, Any]:
        """What the browser sent, as it stands, to be shown again."""
        return {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }


class AnswerForm(RatingForm):
    text_fields = {"account": 5000, "not_applicable_reason": 200}
    rate_fields = {"as_of": DayField, "definition": lambda: PlainTextField(200)}

    def __init__(self, indicator: Indicator, **kwargs: Any) -> None:
        super().__init__(indicator, **kwargs)
        if not self.rule.conditional:
            del self.fields["not_applicable_reason"]


class ReviewScoreForm(RatingForm):
    """A reviewer's entry. `claim` answers the union's “not applicable”: nothing is chosen to
    begin with."""

    text_fields = {"remark": 1000}

    def __init__(self, indicator: Indicator, **kwargs: Any) -> None:
        super().__init__(indicator, **kwargs)
        if self.rule.conditional:
            del self.fields["not_applicable"]
            choices = [(ACCEPT, gettext("认可")), (REFUSE, gettext("不认可"))]
            self.fields["claim"] = forms.ChoiceField(choices=choices, required=False)

    @property
    def entry(self) -> Entry:
        typed, claim = super().entry, self.cleaned_data.get("claim", "")
        return Entry(
            replace(typed.rating, not_applicable=claim == ACCEPT),
            {**typed.texts, "claim": REFUSE if claim == REFUSE else ""},
        )


class SetRatingForm(RatingForm):
    """A score of the city's own in place of the reviewers' (仲裁, 现场核查, 调整得分), by the kind of
    the indicator: judged, items, or counts. It is whole or, unless `needed`, not there at all.
    Nobody declares “not applicable” here."""

    def __init__(self, indicator: Indicator, *, needed: bool = False, **kwargs: Any) -> None:
        super().__init__(indicator, **kwargs)
        self.fields.pop("not_applicable", None)
        self.needed = needed

    @property
    def rating(self) -> Rating | None:
        """What was typed, of a valid form; None if nothing was."""
        rating = self.entry.rating
        return None if rating == Rating() else rating

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.cleaned_data = cleaned
        whole = is_answered(self.rule, self.entry.rating)
        if not self.errors and not whole and (self.needed or self.rating):
            for name, message in _MISSING.items():
                if name in self.fields and not cleaned.get(name) and cleaned.get(name) != 0:
                    self.add_error(name, message)
        return cleaned


#: What is asked for where something is missing, by field.
_MISSING = {
    "checked": _("请逐项勾选，都没有的勾选“以上都没有”。"),
    "numerator": _("请填写核实的数字。"),
    "denominator": _("请填写核实的数字。"),
    "score": _("请填写得分。"),
}
