"""现场核查: the draw, the schedule, what is written on site, closing it."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import QuerySet
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, inspecting
from assessments.assignment_runs import SEEDS
from assessments.choices import FindingVerdict, InspectionState
from assessments.drawing import Quota
from assessments.forms.filters import AssessmentFilter
from assessments.forms.ratings import PlainTextField, SetRatingForm
from assessments.forms.sheets import Row, controls
from assessments.inspecting import Entry
from assessments.models import Indicator, Inspection, InspectionFinding
from assessments.worksheet import Line
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization, User

#: No visit is planned further ahead.
_FAR = dt.timedelta(days=730)
_QUOTA = re.compile(r"^(\d{1,4})\s*([%％]?)$")


class _Form(forms.Form):
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


def _text(
    label: str, length: int, *, required: bool = False, help_text: str = ""
) -> PlainTextField:
    text = PlainTextField(length)
    text.label, text.required, text.help_text = label, required, help_text
    text.widget = forms.Textarea(attrs={"rows": 3, "maxlength": length})
    return text


def day_field(label: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": _("请选择日期。"),
            "invalid": _("请填写日期，例如 2026-05-31。"),
        },
        **kwargs,
    )


class DrawForm(_Form):
    """How many of each tier in each county, and the seed."""

    seed = forms.IntegerField(
        label=_("随机种子"),
        min_value=0,
        max_value=SEEDS - 1,
        help_text=_(
            "同一个种子、同样的申报，抽取结果一定相同，可供复核。也可以由在场的人当场报一个数。"
        ),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("随机种子是 0 至 999999 的整数。")
        ),
    )

    def __init__(self, data: Any) -> None:
        preset = {"seed": secrets.randbelow(SEEDS)}
        super().__init__(data if "seed" in data else None, initial=preset)
        for tier in ASSESSED_TIERS:
            self.fields[tier.value] = forms.CharField(
                label=gettext("{tier}：每个县（市、区）抽").format(tier=tier.label),
                required=False,
                max_length=6,
                help_text=gettext("例如 2 或 10%；不抽的留空。"),
            )
        self.order_fields([*(tier.value for tier in ASSESSED_TIERS), "seed"])

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        self.quotas: dict[str, Quota] = {}
        for tier in ASSESSED_TIERS:
            text = (values.get(tier.value) or "").strip()
            if not text:
                continue
            found = _QUOTA.match(text)
            number = int(found.group(1)) if found else 0
            if not found or not number or (found.group(2) and number > 100):
                self.add_error(tier.value, gettext("请填写份数或百分比，例如 2 或 10%。"))
                continue
            self.quotas[tier.value] = Quota(number, bool(found.group(2)))
        if not self.quotas and not self.errors:
            self.add_error(None, gettext("请至少填写一个层级的抽取数量。"))
        return values


class ReasonForm(_Form):
    """Named by hand, or cancelled: why."""

    reason = _text(_("原因"), 200, required=True)


class ScheduleForm(_Form):
    """Who goes, and when."""

    inspectors = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label=_("核查人员"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("请至少选择一人。"),
            "invalid_choice": _("所选的人里有人须回避，或已不是评审员，请换人。"),
            "invalid_pk_value": _("所选的人里有人须回避，或已不是评审员，请换人。"),
        },
    )
    planned_on = day_field(_("计划日期"))
    announced = forms.BooleanField(
        label=_("通知被核查的工会（不勾选则不预先通知）"), required=False
    )

    seen = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["inspectors"].queryset = people

    def rest_on(self, stamp: str) -> None:
        """Shown again, it rests on the plan as it is now: what `inspecting.plan_stamp` gives."""
        self.data = self.data.copy()
        self.data["seen"] = stamp

    def clean_seen(self) -> str | None:
        return self.cleaned_data["seen"] or None

    def clean_planned_on(self) -> dt.date:
        day, today = self.cleaned_data["planned_on"], deadlines.local_day(deadlines.now())
        if day < today and day != self.initial.get("planned_on"):
            raise forms.ValidationError(gettext("计划日期不能早于今天。"))
        if day > today + _FAR:
            raise forms.ValidationError(gettext("日期太远，请核对。"))
        return day


class CloseForm(_Form):
    """办结."""

    visited_on = day_field(_("核查日期"))
    minutes = _text(_("核查记录"), 5000, help_text=_("到了哪些地方，看了哪些资料，和谁谈了话。"))
    statement = _text(_("被核查单位意见"), 2000)


class FindingsForm(forms.Form):
    """One criterion on site: for each indicator a verdict, what was seen, and – where the score is
    to be another – the score, the items or the counts as they were found. `<code>-seen` is the
    stamp of what the page showed."""

    def __init__(
        self,
        indicators: Sequence[Indicator],
        stored: Mapping[int, InspectionFinding],
        data: Any = None,
    ) -> None:
        super().__init__(data)
        self.indicators, self.stored = indicators, stored
        self.ratings = {one.pk: SetRatingForm(one, data=data) for one in indicators}
        for one in indicators:
            finding = stored.get(one.pk)
            self.fields[f"{one.code}-verdict"] = forms.ChoiceField(
                label=gettext("核查结论"),
                required=False,
                choices=[("", gettext("未核查")), *FindingVerdict.choices],
                initial=finding.verdict if finding else "",
            )
            self.fields[f"{one.code}-text"] = _text(gettext("核查情况"), 1000)
            self.fields[f"{one.code}-text"].initial = finding.text if finding else ""

    def fields_of(self, indicator: Indicator) -> Iterator[BoundField]:
        for name in ("verdict", "text"):
            yield self[f"{indicator.code}-{name}"]

    def controls_of(self, line: Line) -> Row:
        """The fields of what is proposed, for `_rating_fields.html`."""
        finding = self.stored.get(line.indicator.pk)
        return controls(line, self.ratings[line.indicator.pk], finding and finding.rating)

    def seen(self, indicator: Indicator) -> str:
        """The stamp that goes with the page: as sent, so that a refused page stays in conflict
        with what it did not see."""
        if self.is_bound:
            return self.data.get(f"{indicator.code}-seen", "")
        return inspecting.stamp(self.stored.get(indicator.pk))

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        for one in self.indicators:
            rating = self.ratings[one.pk]
            if rating.is_valid() and rating.rating and not values.get(f"{one.code}-text"):
                self.add_error(f"{one.code}-text", gettext("建议调整得分的，请写明核查情况。"))
        return values

    def is_valid(self) -> bool:
        return super().is_valid() and all(one.is_valid() for one in self.ratings.values())

    def entries(self) -> list[Entry]:
        """What is right on the page, row by row; a wrong row is left out."""
        found = []
        for one in self.indicators:
            names = [f"{one.code}-{name}" for name in ("verdict", "text")]
            rating = self.ratings[one.pk]
            if any(name in self.errors for name in names) or not rating.is_valid():
                continue
            verdict, text = (self.cleaned_data.get(name) for name in names)
            found.append(Entry(one, verdict or "", text or "", rating.rating, self.seen(one)))
        return found


class InspectionFilter(AssessmentFilter):
    """By union, tier, county (市直单位 are one of their own), state, and who goes there."""

    DIRECT = "direct"

    inspector = forms.ChoiceField(label=_("核查人员"), required=False)

    def __init__(self, data: Any, counties: list[Organization], people: QuerySet[User]) -> None:
        super().__init__(data, counties, list(InspectionState.choices))
        self.fields["county"].choices += [(self.DIRECT, _("市直单位"))]
        self.fields["inspector"].choices = [
            ("", gettext("全部核查人员")),
            *((str(one.pk), str(one)) for one in people),
        ]

    def narrow(self, rows: QuerySet[Inspection]) -> QuerySet[Inspection]:
        rows = self.apply(rows, organization="self_assessment__organization__", state="state")
        if self.value("county") == self.DIRECT:
            rows = rows.filter(
                self_assessment__organization__tier=Tier.GRASSROOTS,
                self_assessment__organization__parent__tier=Tier.CITY,
            )
        if inspector := self.value("inspector"):
            rows = rows.filter(inspectors=int(inspector))
        return rows
