"""Writing exemplary cases (先进经验), editing them, and narrowing their lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines
from assessments.cases import Content
from assessments.choices import CaseState
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.filters import UnionFilter
from assessments.forms.formatted import FormattedTextField
from assessments.models import Campaign, CasePhoto, Criterion, ExemplaryCase, Rubric
from organizations.models import Organization

_CRITERIA = [
    ("", _("全部“六好”")),
    ("1", _("第一好")),
    ("2", _("第二好")),
    ("3", _("第三好")),
    ("4", _("第四好")),
    ("5", _("第五好")),
    ("6", _("第六好")),
]
#: How many years back a case may be of.
_YEARS = 3


class GalleryFilter(UnionFilter):
    """As everywhere, and by criterion and year: of the cases that are there to choose from."""

    criterion = forms.ChoiceField(label=_("六好"), required=False, choices=_CRITERIA)
    of_year = forms.ChoiceField(label=_("年度"), required=False)

    def __init__(
        self, data: Any, counties: list[Organization], rows: QuerySet[ExemplaryCase]
    ) -> None:
        super().__init__(data, counties)
        self.rows = rows
        years = rows.order_by("-year").values_list("year", flat=True).distinct()
        self.fields["of_year"].choices = [
            ("", gettext("全部年度")),
            *((str(year), gettext("{year} 年").format(year=year)) for year in years),
        ]

    def narrowed(self) -> QuerySet[ExemplaryCase]:
        rows = self.apply(self.rows, organization="organization__")
        if number := self.value("criterion"):
            rows = rows.filter(criterion__number=number)
        if year := self.value("of_year"):
            rows = rows.filter(year=year)
        return rows


class CaseFilter(GalleryFilter):
    """As in the gallery, and by state."""

    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("全部状态")), *CaseState.choices]
    )

    def narrowed(self) -> QuerySet[ExemplaryCase]:
        rows = super().narrowed()
        state = self.value("state")
        return rows.filter(state=state) if state else rows


def _photos(label: str, case: ExemplaryCase) -> forms.ModelMultipleChoiceField:
    """Boxes to tick, one a photo; which is which stands beside the form by number."""
    photos = case.photos.all() if case.pk else CasePhoto.objects.none()
    field = forms.ModelMultipleChoiceField(
        photos, label=label, required=False, widget=forms.CheckboxSelectMultiple
    )
    numbers = {photo.pk: number for number, photo in enumerate(photos, start=1)}
    field.label_from_instance = lambda photo: gettext("照片 {number}").format(
        number=numbers[photo.pk]
    )
    return field


def _rubric_of(organization: Organization) -> Rubric:
    """The newest that a campaign has opened with: a later version may still be rewritten."""
    rubrics = Rubric.objects.filter(tier=organization.tier)
    opened = rubrics.filter(policies__campaign__in=Campaign.objects.opened())
    return opened.order_by("-version").first() or rubrics.earliest("version")


class CaseForm(DetailForm):
    """What a union hands in."""

    title = text_field(_("标题"), 120, rows=1)
    body = FormattedTextField(_("正文"), _("请压缩到要点。"))
    criterion = forms.ModelChoiceField(
        Criterion.objects.none(),
        label=_("对应“六好”中的哪一好"),
        empty_label=_("请选择"),
        error_messages={
            "required": _("请选择对应的“好”。"),
            "invalid_choice": _("请从列表中选择。"),
        },
    )
    year = forms.TypedChoiceField(
        label=_("年度"), coerce=int, error_messages={"invalid_choice": _("请从列表中选择年度。")}
    )

    def __init__(self, case: ExemplaryCase, *args: Any, **kwargs: Any) -> None:
        initial = {"title": case.title, "body": case.body, "criterion": case.criterion_id}
        super().__init__(*args, **kwargs, initial=initial | {"year": case.year})
        rubric = case.criterion.rubric if case.criterion_id else _rubric_of(case.organization)
        self.fields["criterion"].queryset = Criterion.objects.filter(rubric=rubric)
        today = deadlines.local_day(deadlines.now())
        years = {today.year - back for back in range(_YEARS)} | {case.year or today.year}
        self.fields["year"].choices = [
            (year, gettext("{year} 年").format(year=year)) for year in sorted(years, reverse=True)
        ]
        if case.pk and case.photos.exists():
            self.fields["remove"] = _photos(gettext("删除照片"), case)

    @property
    def content(self) -> Content:
        names = ("title", "body", "criterion", "year")
        return Content(**{name: self.cleaned_data[name] for name in names})


class EditionForm(DetailForm):
    """What the city makes of it."""

    title = text_field(_("标题"), 120, rows=1)
    body = FormattedTextField(_("正文"), _("请压缩到要点。"))

    def __init__(self, case: ExemplaryCase, *args: Any, **kwargs: Any) -> None:
        photos = list(case.photos.all())
        initial = {
            "title": case.public_title,
            "body": case.public_html,
            "hidden": [one.pk for one in photos if not one.is_shown],
        }
        super().__init__(*args, **kwargs, initial=initial)
        if photos:
            self.fields["hidden"] = _photos(gettext("不公开的照片"), case)


class ReasonForm(DetailForm):
    """Why a case goes back, is not taken, or comes down."""

    remarks = text_field(_("原因或修改意见"), 1000)
