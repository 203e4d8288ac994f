"""What is typed, or comes from a file, when a version of the rubric is made or changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crispy_forms.layout import Div, Layout
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import rubric_editing
from assessments.choices import IndicatorKind
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.ratings import PlainTextField
from assessments.models import Indicator
from assessments.rubric_editing import FIELDS, Row, Section
from assessments.rubric_files import MAX_INDICATORS, Document
from organizations.chinese import in_chinese
from organizations.choices import ASSESSED_TIERS
from organizations.forms.filters import ListFilter

_ITEMS, _ITEM = 20, 40
#: What only an indicator of this kind has, and what it is without.
_OF_KIND: dict[str, dict[str, Any]] = {
    IndicatorKind.RATE: {"threshold_percent": None, "numerator_label": "", "denominator_label": ""},
    IndicatorKind.CHECKLIST: {"checklist_items": []},
}
#: What the second half of an indicator that is split has in common with the first.
_TAKEN_OVER = ("kind", "numerator_label", "denominator_label", "checklist_items")
_YES = {"是": True, "1": True, "否": False, "0": False, "": False}


class RubricFilter(ListFilter):
    """By tier and name."""

    q = forms.CharField(label=_("标准名称"), max_length=60, required=False)
    tier = forms.ChoiceField(
        label=_("层级"),
        required=False,
        choices=[("", _("全部层级")), *((tier.value, tier.label) for tier in ASSESSED_TIERS)],
    )


class TitleForm(DetailForm):
    """The name of a version, or of one 好."""

    title = text_field(_("名称"), 60, rows=1)


class CriterionForm(DetailForm):
    title = text_field(_("这一“好”的名称"), 30, rows=1)


class RubricFileForm(DetailForm):
    file = forms.FileField(
        label=_("标准文件"),
        help_text=_("从一个版本的页面导出、改好的 Excel 或 JSON 文件，最大 1 MB。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.json"}),
        error_messages={"required": _("请选择文件。"), "empty": _("文件是空的。")},
    )


class ItemsField(PlainTextField):
    """One item a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self) -> None:
        super().__init__(_ITEMS * _ITEM)
        self.label, self.help_text = FIELDS["checklist_items"], _("每项一行。")

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        items = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(items) > _ITEMS or any(len(item) > _ITEM for item in items):
            raise forms.ValidationError(
                gettext("最多 {number} 项，每项最多 {length} 字。").format(
                    number=_ITEMS, length=_ITEM
                )
            )
        if len(set(items)) < len(items):
            raise forms.ValidationError(gettext("有两项相同。"))
        return items


def _required(name: str, length: int, rows: int = 1) -> PlainTextField:
    return text_field(FIELDS[name], length, rows=rows)


def _optional(name: str, length: int) -> PlainTextField:
    return text_field(FIELDS[name], length, rows=1, required=False)


class IndicatorForm(DetailForm):
    """One indicator. Particulars of another kind than the chosen one are left out."""

    code = PlainTextField(8)
    name = _required("name", 40)
    kind = forms.ChoiceField(label=FIELDS["kind"], choices=IndicatorKind.choices)
    max_points = forms.DecimalField(
        label=FIELDS["max_points"],
        min_value=Decimal("0.1"),
        max_value=100,
        decimal_places=1,
        error_messages={"required": _("请填写满分。"), "invalid": _("请填写数字，例如 2.5。")},
    )
    clause = _required("clause", 500, rows=3)
    numerator_label = _optional("numerator_label", 30)
    denominator_label = _optional("denominator_label", 30)
    threshold_percent = forms.DecimalField(
        label=FIELDS["threshold_percent"],
        required=False,
        min_value=Decimal("0.01"),
        max_value=100,
        decimal_places=2,
        help_text=_("没有达标线的不填。"),
        error_messages={"invalid": _("请填写数字，例如 95。")},
    )
    checklist_items = ItemsField()
    evidence_hint = _optional("evidence_hint", 200)
    summed_code = _optional("summed_code", 8)
    mandatory = forms.BooleanField(label=FIELDS["mandatory"], required=False)
    conditional = forms.BooleanField(label=FIELDS["conditional"], required=False)
    evidence_required = forms.BooleanField(label=FIELDS["evidence_required"], required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget = forms.HiddenInput()
        self.fields["kind"].error_messages["required"] = gettext("请选择类型。")
        for name in ("mandatory", "conditional", "summed_code"):
            self.fields[name].help_text = Indicator._meta.get_field(name).help_text
        third = "col-md-4"
        self.helper.layout = Layout(
            "code",
            Div(
                Div("name", css_class="col-md-6"),
                Div("kind", css_class="col-md-3"),
                Div("max_points", css_class="col-md-3"),
                css_class="row",
            ),
            "clause",
            Div(
                Div("numerator_label", css_class=third),
                Div("denominator_label", css_class=third),
                Div("threshold_percent", css_class=third),
                css_class="row",
                data_of_kind="RATE",
            ),
            Div("checklist_items", data_of_kind="CHECKLIST"),
            Div(
                Div("evidence_hint", css_class="col-md-8"),
                Div("summed_code", css_class=third),
                css_class="row",
            ),
            Div(
                Div("mandatory", css_class=third),
                Div("conditional", css_class=third),
                Div("evidence_required", css_class=third),
                css_class="row",
            ),
            Div(
                Div("ORDER", css_class="col-md-3"),
                Div("DELETE", css_class="col-md-9 align-self-center"),
                css_class="row",
            ),
        )

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        kind = values.get("kind")
        for owner, blanks in _OF_KIND.items():
            if kind != owner:
                values |= blanks
                for name in blanks:
                    self.errors.pop(name, None)
        if kind == IndicatorKind.RATE:
            for name in ("numerator_label", "denominator_label"):
                if not values.get(name):
                    self.add_error(name, gettext("比率指标须写明分子和分母的名称。"))
        if kind == IndicatorKind.CHECKLIST and values.get("checklist_items") == []:
            self.add_error("checklist_items", gettext("逐项指标至少要有一项内容。"))
        return values

    @property
    def row(self) -> Row:
        """Valid: the indicator as a row."""
        values = {name: self.cleaned_data[name] for name in FIELDS}
        return {
            name: f"{value.normalize():f}" if isinstance(value, Decimal) else value
            for name, value in values.items()
        }


class _IndicatorFormSet(forms.BaseFormSet):
    """The indicators of one 好, in the order that is typed."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["ORDER"].label = gettext("顺序")
        form.fields["ORDER"].error_messages["invalid"] = gettext("请填写整数。")
        form.fields["DELETE"].label = gettext("删去这一条（保存后生效）")

    @property
    def rows(self) -> list[Row]:
        """Valid: what stays, in order."""
        return [form.row for form in self.ordered_forms]

    def with_another(self, after: int | None) -> list[dict[str, Any]]:
        """What was typed, valid or not, with one indicator more: an empty one at the end, or one
        that takes over the second half of the clause of that index."""
        typed = [
            {name: self.data.get(form.add_prefix(name), "") for name in form.fields}
            for form in self.forms
        ]
        source = typed[after] if after is not None and after < len(typed) else None
        # The order is typed, too, and may be anything.
        typed.sort(
            key=lambda one: int(one["ORDER"]) if one["ORDER"].isdecimal() else MAX_INDICATORS
        )
        for one in typed:
            del one["ORDER"]
        if source is None:
            return [*typed, {"kind": IndicatorKind.SCORE}]
        half = {name: source[name] for name in _TAKEN_OVER}
        source["clause"], half["clause"] = rubric_editing.split(source["clause"])
        typed.insert(typed.index(source) + 1, half)
        return typed


IndicatorFormSet = forms.formset_factory(
    IndicatorForm,
    formset=_IndicatorFormSet,
    extra=0,
    can_order=True,
    can_delete=True,
    max_num=MAX_INDICATORS,
    validate_max=True,
    absolute_max=MAX_INDICATORS,
)


def judged(document: Document) -> tuple[list[Section], list[str]]:
    """What a file would make, and what is wrong with it, each fault with its place."""
    faults: list[str] = []
    sections: dict[str, Section] = {}
    codes: set[str] = set()
    title = TitleForm({"title": document.title})
    if not title.is_valid():
        faults.append(gettext("标准的名称（第一行）须填写，最多 60 字。"))
    for line in document.lines:
        number = line.number.strip()
        if number not in {"1", "2", "3", "4", "5", "6"}:
            faults.append(
                gettext("{place}：序号应为 1 至 6，现为“{number}”。").format(
                    place=line.place("code"), number=number[:20]
                )
            )
            continue
        heading = CriterionForm({"title": line.section_title})
        section = sections.setdefault(number, Section(int(number), line.section_title.strip(), []))
        if not heading.is_valid() or section.title != line.section_title.strip():
            faults.append(
                gettext("{place}：第 {number} 好的名称没有填写、太长或前后不一致。").format(
                    place=line.place("code"), number=number
                )
            )
        code = line.values["code"].strip()
        if not rubric_editing.code_pattern(document.tier, section.number).fullmatch(code):
            faults.append(
                gettext("{place}：编号“{code}”与层级或序号不符。").format(
                    place=line.place("code"), code=code[:20]
                )
            )
        if code in codes:
            faults.append(
                gettext("{place}：编号 {code} 重复。").format(place=line.place("code"), code=code)
            )
        codes.add(code)
        form, wrong = _form_of(line.values)
        faults += [
            gettext("{place}：{field}只能填“是”或“否”。").format(
                place=line.place(name), field=FIELDS[name]
            )
            for name in wrong
        ]
        if form.is_valid():
            section.rows.append(form.row)
        faults += [
            gettext("{place}：{field}——{problem}").format(
                place=line.place(name), field=FIELDS.get(name, ""), problem=error
            )
            for name, errors in form.errors.items()
            for error in errors
        ]
    return sorted(sections.values(), key=lambda one: one.number), faults


def _form_of(values: dict[str, str]) -> tuple[IndicatorForm, list[str]]:
    """A form with what a file says, and the marks that are neither yes nor no."""
    with in_chinese():  # as files have them
        labels = {str(kind.label): kind.value for kind in IndicatorKind}
    data: dict[str, Any] = {name: value.strip() for name, value in values.items()}
    data["kind"] = labels.get(data["kind"], data["kind"])
    marks = ("mandatory", "conditional", "evidence_required")
    wrong = [name for name in marks if data[name] not in _YES]
    for name in marks:
        data[name] = _YES.get(data[name], False)
    return IndicatorForm(data), wrong
