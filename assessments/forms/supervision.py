"""督查: the plan, what a team writes down, how it is put right, and narrowing the lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, kinds
from assessments.choices import FindingSeverity, FindingState, RoundState, VisitState
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.filters import UnionFilter
from assessments.forms.inspections import day_field
from assessments.models import (
    Criterion,
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    SupervisionVisit,
)
from assessments.supervision import planning
from assessments.supervision.planning import Plan
from assessments.supervision.visiting import MAX_FILES, Finding
from organizations.forms.filters import ListFilter
from organizations.models import Organization, User

#: Days that a union is given, unless the team says otherwise (project default).
_USUAL_DAYS = 15


class _FilesInput(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: MultiValueDict, name: str) -> list[Any]:
        return files.getlist(name)


class FilesField(forms.FileField):
    """Any number of files; which kinds are taken, `files.store` says by their content."""

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            widget=_FilesInput(attrs={"accept": kinds.ACCEPTED_ENDINGS}),
            help_text=format_lazy(
                _("可以选几个，最多 {most} 个；在手机上可以直接拍照。"), most=MAX_FILES
            ),
            max_length=255,
            error_messages={
                "empty": _("有空文件，请重新选择。"),
                "max_length": _("文件名太长，请改短再传。"),
            },
        )

    def clean(self, data: list[Any], initial: Any = None) -> list[Any]:
        return [super(FilesField, self).clean(one, initial) for one in data]


class RoundForm(DetailForm):
    """督查方案."""

    title = text_field(_("督查名称"), 60, rows=1)
    starts_on = day_field(_("开始日期"))
    ends_on = day_field(_("结束日期"))
    purpose = text_field(_("目的和内容"), 2000, rows=5)

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        start, end = values.get("starts_on"), values.get("ends_on")
        if start and end and end < start:
            self.add_error("ends_on", gettext("结束日期不能早于开始日期。"))
        return values

    @property
    def plan(self) -> Plan:
        return Plan(**self.cleaned_data)


class TeamForm(DetailForm):
    """编组."""

    name = text_field(_("小组名称"), 30, rows=1)
    leader = forms.ModelChoiceField(
        User.objects.none(),
        label=_("组长"),
        empty_label=_("请选择"),
        error_messages={"required": _("请选择组长。"), "invalid_choice": _("请重新选择组长。")},
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label=_("组员"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("组织单位和它直接下级工会的人员。组长不用再选。"),
        error_messages=dict.fromkeys(
            ("invalid_choice", "invalid_pk_value"), _("所选的人里有人已不能参加，请重新选择。")
        ),
    )

    def __init__(self, organizer: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("leader", "members"):
            self.fields[name].queryset = planning.people(organizer)


class PlacesForm(DetailForm):
    """When the chosen unions are to be visited."""

    planned_on = day_field(_("计划走访日期（可不填）"), required=False)


class FindingForm(DetailForm):
    """One finding, on site. `files` are photos and papers."""

    text = text_field(_("发现的问题"), 1000, rows=4)
    criterion = forms.ModelChoiceField(
        Criterion.objects.none(),
        label=_("涉及哪个“好”"),
        required=False,
        empty_label=_("不对应哪一个"),
    )
    severity = forms.ChoiceField(
        label=_("程度"),
        choices=FindingSeverity.choices,
        initial=FindingSeverity.MINOR,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择程度。")},
    )
    rectify_by = day_field(_("整改期限"), help_text=_("含当日。"))
    files = FilesField(_("照片和材料"))

    def __init__(self, visit: SupervisionVisit, *args: Any, **kwargs: Any) -> None:
        today = deadlines.local_day(deadlines.now())
        usual = {"rectify_by": today + dt.timedelta(days=_USUAL_DAYS)}
        super().__init__(*args, initial=usual | kwargs.pop("initial", {}), **kwargs)
        self.fields["criterion"].queryset = Criterion.objects.filter(
            rubric__tier=visit.organization.tier, rubric__policies__campaign=visit.round.campaign_id
        )

    def clean_rectify_by(self) -> dt.date:
        day = self.cleaned_data["rectify_by"]
        if day < deadlines.local_day(deadlines.now()):
            raise forms.ValidationError(gettext("整改期限不能早于今天。"))
        return day

    @property
    def content(self) -> Finding:
        values = self.cleaned_data
        names = ("text", "criterion", "severity", "rectify_by")
        return Finding(**{name: values[name] for name in names})


class FeedBackForm(DetailForm):
    """反馈: when the team was there, and what it found on the whole."""

    visited_on = day_field(_("走访日期"))
    summary = text_field(_("总体情况"), 2000, rows=4)


class RectificationForm(DetailForm):
    """整改情况, of the union."""

    text = text_field(_("整改情况"), 2000, rows=5)
    files = FilesField(_("证明材料"))


class CheckForm(DetailForm):
    """验收: accepted, or returned with a new day."""

    remark = text_field(_("验收意见"), 500, required=False)
    rectify_by = day_field(_("新的整改期限（退回时填）"), required=False)

    def __init__(self, data: Any, *, returned: bool) -> None:
        super().__init__(data)
        self.returned = returned
        if returned:
            self.fields["remark"].required = True
            self.fields["rectify_by"].required = True


class RoundFilter(ListFilter):
    """By name, and by how far it has come."""

    q = forms.CharField(label=_("督查名称"), required=False, max_length=60)
    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("全部状态")), *RoundState.choices]
    )

    def narrow(self, rows: QuerySet[SupervisionRound]) -> QuerySet[SupervisionRound]:
        rows = rows.filter(title__icontains=self.value("q"))
        return rows.filter(state=state) if (state := self.value("state")) else rows


class VisitFilter(UnionFilter):
    """As everywhere, and by team and by how far it has come."""

    team = forms.ChoiceField(label=_("小组"), required=False)
    state = forms.ChoiceField(
        label=_("走访情况"), required=False, choices=[("", _("全部情况")), *VisitState.choices]
    )

    def __init__(
        self, data: Any, counties: list[Organization], teams: Iterable[SupervisionTeam]
    ) -> None:
        super().__init__(data, counties)
        self.fields["team"].choices = [
            ("", gettext("全部小组")),
            *((str(t.pk), t.name) for t in teams),
        ]

    def narrow(self, rows: QuerySet[SupervisionVisit]) -> QuerySet[SupervisionVisit]:
        rows = self.apply(rows, organization="organization__")
        chosen = {"team": self.value("team"), "state": self.value("state")}
        return rows.filter(**{name: value for name, value in chosen.items() if value})


class FindingFilter(UnionFilter):
    """As everywhere, and by round, by what waits, and by weight."""

    round = forms.ChoiceField(label=_("督查"), required=False)
    state = forms.ChoiceField(
        label=_("整改情况"),
        required=False,
        choices=[
            ("", _("全部情况")),
            ("OVERDUE", _("逾期未整改")),
            ("UNANSWERED", _("等待工会整改")),
            *FindingState.choices,
        ],
    )
    severity = forms.ChoiceField(
        label=_("程度"), required=False, choices=[("", _("不限程度")), *FindingSeverity.choices]
    )
    criterion = forms.ChoiceField(
        label=_("涉及哪个“好”"),
        required=False,
        choices=[
            ("", _("不限哪个“好”")),
            *((str(n), format_lazy(_("第{n}个“好”"), n=n)) for n in range(1, 7)),
        ],
    )

    def __init__(
        self, data: Any, counties: list[Organization], rounds: Iterable[SupervisionRound]
    ) -> None:
        super().__init__(data, counties)
        self.fields["round"].choices = [
            ("", gettext("全部督查")),
            *((str(r.pk), r.title) for r in rounds),
        ]

    def narrow(self, rows: QuerySet[SupervisionFinding]) -> QuerySet[SupervisionFinding]:
        rows = self.apply(rows, organization="visit__organization__")
        match self.value("state"):
            case "OVERDUE":
                rows = rows.overdue(deadlines.local_day(deadlines.now()))
            case "UNANSWERED":
                rows = rows.unanswered()
            case "":
                pass
            case state:
                rows = rows.filter(state=state)
        chosen = {
            "visit__round": self.value("round"),
            "severity": self.value("severity"),
            "criterion__number": self.value("criterion"),
        }
        return rows.filter(**{name: value for name, value in chosen.items() if value})
