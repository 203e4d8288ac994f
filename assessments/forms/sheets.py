"""A page of indicators as one form.

A page has up to fifteen indicators with five fields each. Its shell is a crispy form; its rows
go through one light template over plain data, and Django fields are built only to check what
was sent (measured: crispy fields cost fourteen times as much to render).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Layout
from django import forms
from django.template.loader import render_to_string
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from assessments.answering import Change
from assessments.comparison import Column, LastVerdict
from assessments.correcting import Correction
from assessments.entries import Entry
from assessments.forms.ratings import (
    NONE_PRESENT,
    AnswerForm,
    RatingForm,
    ReviewScoreForm,
)
from assessments.models import Indicator, ReturnRemark, ReviewScore
from assessments.previous import LastTime, PreviousAnswer
from assessments.scoring import Rating, all_needed_below
from assessments.subordinates import SubordinateSum
from assessments.worksheet import Line


class Errors(dict[str, list[str]]):
    """Messages by field. A field without one has none: a template that asks for it should not
    pay for a lookup that fails."""

    def __missing__(self, name: str) -> tuple[str, ...]:
        return ()


@dataclass
class Row:
    """One indicator on the page. `values` are shown as they are, typed or stored; `seen` is
    the fingerprint of the stored entry that they rest on."""

    line: Line
    values: dict[str, Any]
    seen: str
    writable: bool = True
    errors: Errors = field(default_factory=Errors)
    remark: ReturnRemark | None = None
    #: What somebody else stored while this page was open, if it conflicts, and its fingerprint.
    conflict: Any = None
    theirs: str = ""
    #: What the union handed in the last time, and what the unions below it come to.
    previous: PreviousAnswer | None = None
    below: SubordinateSum | None = None
    #: What others have handed in alike (`similarity.Flag`).
    flags: Sequence[Any] = ()
    #: On a reviewer's page: see `ReviewSheet.show`.
    columns: Sequence[Column] = ()
    gap: str = ""
    saved_at: dt.datetime | None = None
    last_verdict: LastVerdict | None = None
    correction: Correction | None = None

    @property
    def own_values(self) -> str:
        """What the union entered, as the fields hold it, for the script that puts it in."""
        return json.dumps(values_of(Entry(self.line.answer.rating)), ensure_ascii=False)

    @property
    def indicator(self) -> Indicator:
        return self.line.indicator

    @property
    def code(self) -> SafeString:
        """The code, escaped once: a row repeats it in every name."""
        return conditional_escape(self.line.indicator.code)

    @property
    def head(self) -> SafeString:
        """The clause with its marks. It is the same on every page, and rendered once per language
        as long as the indicator is kept in memory (`worksheet.outline`)."""
        indicator = self.line.indicator
        heads = indicator.__dict__.setdefault("_heads", {})
        language = get_language()
        if language not in heads:
            heads[language] = render_to_string(
                "assessments/_indicator_head.html", {"indicator": indicator}
            )
        return heads[language]

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

    @property
    def can_take_over(self) -> bool:
        """Whether the last time's answer, or its files, would fill anything in."""
        answer, before = self.line.answer, self.previous
        return (
            self.writable
            and before is not None
            and (
                answer.rating == Rating()
                or not answer.account
                or (bool(before.evidence) and not self.line.evidence)
            )
        )

    @property
    def gaps(self) -> tuple[int, int] | None:
        """Own counts less what the unions below come to."""
        return self.below.gaps(self.line.answer.rating) if self.below else None


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


def controls(line: Line, form: RatingForm, stored: Rating | None = None) -> Row:
    """One rating by itself, as typed or as stored, as `_rating_fields.html` shows it."""
    row = Row(line, values_of(Entry(stored or Rating())), seen="")
    if form.is_bound:
        row.values |= form.typed
        row.errors = Errors((name, list(errors)) for name, errors in form.errors.items())
    return row


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
        # Each row saves itself (htmx): what comes back takes the place of its notes.
        self.helper.attrs = {
            "enctype": "multipart/form-data",
            "novalidate": "",
            "hx-target": "find .notes",
            "hx-swap": "outerHTML",
            "hx-sync": "closest article:queue last",
        }
        rows = f"{{% for row in sheet.rows %}}{{% include '{self.row_template}' %}}{{% endfor %}}"
        # Enter in a field presses the first button of a form: let that be saving.
        first = format_html(
            '<button class="visually-hidden" type="submit" name="save" tabindex="-1" aria-hidden="true">{}</button>',
            gettext("保存"),
        )
        self.helper.layout = Layout(
            HTML(first if writable else ""),
            HTML(rows),
            HTML(f"{{% include '{self.buttons_template}' %}}"),
        )

    def _read(self, data: Any) -> None:
        """Check what was sent; rows that were not on the page sent stay as stored. A conflict
        stays until somebody chooses: `mine` is “code:fingerprint of theirs”, `theirs` a code;
        they are values of the buttons that stand in the conflicting row."""
        for row in self.rows:
            seen = data.get(f"{row.indicator.code}-seen")
            if seen is None:
                continue
            form = self.form_class(row.indicator, data=data)
            self.entry_forms[row.indicator.pk] = form
            row.values, row.seen = values_of(Entry()) | form.typed, seen
            if not form.is_valid():
                row.errors = Errors((name, list(errors)) for name, errors in form.errors.items())
        mine, _, theirs = data.get("mine", "").partition(":")
        for row in self.rows:
            key, code = row.indicator.pk, row.indicator.code
            if code == mine:
                row.seen = theirs
            elif code == data.get("theirs"):
                self.entry_forms.pop(key, None)
                row.errors = Errors()

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
        what was typed beside what somebody else stored."""
        for row in self.rows:
            key = row.indicator.pk
            if key in conflicts:
                row.conflict, row.theirs = conflicts[key], stored[key].fingerprint
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

    def field_errors(self, row: Row) -> list[tuple[str, list[str] | tuple[str, ...]]]:
        """Every field of the row that can be wrong, with its messages, also while it has none."""
        form = self.entry_forms.get(row.indicator.pk)
        names = set(form.fields if form else ()) - {"not_applicable"}
        if not row.line.answer.not_applicable:
            names.discard("claim")  # a reviewer's answer to a claim that nobody has made
        return [(name, row.errors[name]) for name in sorted(names)]

    @property
    def faulty_rows(self) -> list[Row]:
        return [row for row in self.rows if row.errors or row.conflict is not None]


class AnswerSheet(Sheet):
    """The union's page. Each row saves itself while it is filled in, and all of them by the
    button."""

    form_class = AnswerForm
    row_template = "assessments/self_assessments/_answer_row.html"
    buttons_template = "assessments/self_assessments/_answer_buttons.html"

    def __init__(
        self,
        lines: Sequence[Line],
        stored: Mapping[int, Entry],
        *,
        last_time: LastTime | None = None,
        below: Mapping[str, SubordinateSum] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(lines, stored, **kwargs)
        self.last_time = last_time
        for row in self.rows:
            code = row.indicator.code
            row.below = (below or {}).get(code)
            row.previous = last_time.answers.get(code) if last_time else None

    @property
    def can_take_over(self) -> bool:
        return any(row.can_take_over for row in self.rows)

    @property
    def carried_over(self) -> list[Row]:
        """The rows that wait to be confirmed."""
        return [row for row in self.rows if row.line.answer.carried_over]


class ReviewSheet(Sheet):
    """A reviewer's page: like the union's, each row saves itself, and all of them by the button.
    Nobody else writes a review: a conflict is with one's own other window."""

    form_class = ReviewScoreForm
    row_template = "assessments/reviews/_score_row.html"
    buttons_template = "assessments/reviews/_score_buttons.html"

    def show(
        self,
        columns: Mapping[Indicator, list[Column]],
        gaps: Mapping[int, str],
        saved: Mapping[int, ReviewScore],
        last_time: Mapping[str, LastVerdict] = MappingProxyType({}),
    ) -> None:
        """What stands around the fields: the scores side by side, what is missing and when it was
        saved (by indicator key), and what was decided the last time (by code)."""
        for row in self.rows:
            key = row.indicator.pk
            row.columns = columns.get(row.indicator, [])
            row.gap = gaps.get(key, "")
            row.saved_at = saved[key].saved_at if key in saved else None
            row.last_verdict = last_time.get(row.indicator.code)
