"""A page of indicators as one form.

A page has up to fifteen indicators with five fields each. Its shell is a crispy form; its rows
go through one light template over plain data, and Django fields are built only to check what
was sent (measured: crispy fields cost fourteen times as much to render).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Layout
from django import forms

from assessments.answering import Change
from assessments.entries import Entry
from assessments.forms.ratings import (
    NONE_PRESENT,
    AnswerForm,
    RatingForm,
    ReviewScoreForm,
)
from assessments.models import Indicator, ReturnRemark
from assessments.scoring import all_needed_below
from assessments.worksheet import Line


@dataclass
class Row:
    """One indicator on the page. `values` are shown as they are, typed or stored; `seen` is
    the fingerprint of the stored entry that they rest on."""

    line: Line
    values: dict[str, Any]
    seen: str
    writable: bool = True
    errors: dict[str, list[str]] = field(default_factory=dict)
    remark: ReturnRemark | None = None
    #: What somebody else stored while this page was open, if it conflicts.
    conflict: Any = None

    @property
    def indicator(self) -> Indicator:
        return self.line.indicator

    @property
    def all_needed_below(self) -> int:
        """With a denominator below this, the threshold means everyone."""
        threshold = self.indicator.threshold_percent
        return all_needed_below(threshold) if threshold else 0

    @property
    def items(self) -> list[tuple[str, bool]]:
        chosen = self.values.get("checked") or []
        return [(item, item in chosen) for item in self.indicator.checklist_items]

    @property
    def none_present(self) -> bool:
        return NONE_PRESENT in (self.values.get("checked") or [])


def values_of(entry: Entry) -> dict[str, Any]:
    """A stored entry as the fields show it."""
    rating = entry.rating
    items = [] if rating.checked_items is None else list(rating.checked_items) or [NONE_PRESENT]
    return {
        "score": "" if rating.score is None else plain(rating.score),
        "checked": items,
        "numerator": "" if rating.numerator is None else rating.numerator,
        "denominator": "" if rating.denominator is None else rating.denominator,
        "not_applicable": rating.not_applicable,
        **entry.texts,
    }


def plain(points: Decimal) -> str:
    """Points without needless zeros: 3, 2.5."""
    return f"{points.normalize():f}"


class Sheet(forms.Form):
    """The lines of one criterion. Subclasses say which form checks a line and which template
    shows it. The page must pass it as `sheet`."""

    form_class: type[RatingForm]
    row_template: str
    buttons_template: str

    def __init__(
        self,
        lines: Sequence[Line],
        stored: Mapping[int, Entry],
        *,
        data: Any = None,
        writable: bool = True,
        writable_indicators: set[int] | None = None,
        remarks: Mapping[int, ReturnRemark] | None = None,
    ) -> None:
        super().__init__(data=data)
        self.writable = writable
        self.rows = [
            Row(
                line=line,
                values=values_of(stored[line.indicator.pk]),
                seen=stored[line.indicator.pk].fingerprint,
                writable=writable
                and (writable_indicators is None or line.indicator.pk in writable_indicators),
                remark=(remarks or {}).get(line.indicator.pk),
            )
            for line in lines
        ]
        self.entry_forms: dict[int, RatingForm] = {}
        if data is not None:
            self._read(data)
        self.helper = FormHelper()
        self.helper.form_id = "sheet"
        self.helper.form_class = "sheet"
        self.helper.disable_csrf = not writable
        self.helper.form_tag = writable
        self.helper.attrs = {"enctype": "multipart/form-data", "novalidate": ""}
        rows = f"{{% for row in sheet.rows %}}{{% include '{self.row_template}' %}}{{% endfor %}}"
        # Enter in a field presses the first button of a form: let that be saving.
        first = '<button class="visually-hidden" type="submit" name="save" tabindex="-1" aria-hidden="true">保存</button>'
        self.helper.layout = Layout(
            HTML(first if writable else ""),
            HTML(rows),
            HTML(f"{{% include '{self.buttons_template}' %}}"),
        )

    def _read(self, data: Any) -> None:
        """Check what was sent; rows that were not on the page sent stay as stored."""
        for row in self.rows:
            seen = data.get(f"{row.indicator.code}-seen")
            if seen is None:
                continue
            form = self.form_class(row.indicator, data=data)
            self.entry_forms[row.indicator.pk] = form
            row.values, row.seen = values_of(Entry()) | form.typed, seen
            if not form.is_valid():
                row.errors = {name: list(errors) for name, errors in form.errors.items()}

    @property
    def changes(self) -> list[Change]:
        """The valid entries that were sent."""
        return [
            Change(row.indicator, self.entry_forms[row.indicator.pk].entry, row.seen)
            for row in self.rows
            if row.indicator.pk in self.entry_forms and not row.errors
        ]

    def settle(self, stored: Mapping[int, Entry], conflicts: Mapping[int, Any]) -> None:
        """After saving: rows that were stored show what is stored now; conflicting ones keep
        what was typed beside what somebody else stored, and saving again is a choice."""
        for row in self.rows:
            key = row.indicator.pk
            if key in conflicts:
                row.conflict = conflicts[key]
                row.seen = stored[key].fingerprint
            elif not row.errors:
                row.values, row.seen = values_of(stored[key]), stored[key].fingerprint

    def refresh_lines(self, lines: Sequence[Line]) -> None:
        """Show the evidence and results as they are after saving."""
        by_indicator = {line.indicator.pk: line for line in lines}
        for row in self.rows:
            row.line = by_indicator[row.indicator.pk]

    def add_file_errors(self, indicator: Indicator, messages: list[str]) -> None:
        for row in self.rows:
            if row.indicator.pk == indicator.pk and messages:
                row.errors.setdefault("evidence", []).extend(messages)

    @property
    def faulty_rows(self) -> list[Row]:
        return [row for row in self.rows if row.errors or row.conflict is not None]


class AnswerSheet(Sheet):
    form_class = AnswerForm
    row_template = "assessments/self_assessments/_answer_row.html"
    buttons_template = "assessments/self_assessments/_answer_buttons.html"


class ReviewSheet(Sheet):
    form_class = ReviewScoreForm
    row_template = "assessments/reviews/_score_row.html"
    buttons_template = "assessments/reviews/_score_buttons.html"
