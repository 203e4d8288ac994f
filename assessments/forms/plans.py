"""Writing an implementation plan, answering it, and narrowing the list of those that must file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import plans
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.filters import UnionFilter
from assessments.models import PlanVersion
from assessments.models.plan import PLAN_TIERS
from organizations.models import Organization

_LONGEST = 3000


class PlanFilter(UnionFilter):
    """As everywhere, and by state and by whether it is late."""

    state = forms.ChoiceField(
        label=_("状态"), required=False, choices=[("", _("全部状态")), *plans.STAGES]
    )
    late = forms.ChoiceField(
        label=_("逾期"),
        required=False,
        choices=[("", _("不限期限")), ("late", _("只看逾期")), ("in_time", _("只看未逾期"))],
    )

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.fields["tier"].choices = [
            ("", gettext("全部层级")),
            *((tier.value, tier.label) for tier in PLAN_TIERS),
        ]

    def apply_state(self, rows: QuerySet[Organization]) -> QuerySet[Organization]:
        if stage := self.value("state"):
            rows = rows.filter(stage=stage)
        if late := self.value("late"):
            rows = rows.filter(is_late=late == "late")
        return rows


class PlanForm(DetailForm):
    """By the outline, or a file in its place. A draft may have gaps; what is to be filed may not."""

    upload = forms.FileField(
        label=_("上传写好的方案"),
        required=False,
        allow_empty_file=True,
        max_length=255,
        help_text=format_lazy(
            _("{accepted}，不超过 20 MB。上传了文件，下面各部分可以不写。"), accepted=plans.ACCEPTED
        ),
        widget=forms.FileInput(attrs={"accept": plans.ACCEPTED_ENDINGS}),
        error_messages={"max_length": _("文件名太长，请改短后再传。")},
    )
    drop_file = forms.BooleanField(label=_("不用已上传的文件"), required=False)

    def __init__(
        self,
        outline: list[plans.Part],
        version: PlanVersion | None,
        *args: Any,
        filing: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.filing = filing
        self.has_file = version is not None and version.stored_file_id is not None
        written = [one["text"] for one in version.sections] if version else []
        self.parts = {f"part{number}": part for number, part in enumerate(outline)}
        for (name, part), text in zip(
            self.parts.items(), [*written, *[""] * len(outline)], strict=False
        ):
            field = text_field(part.heading, _LONGEST, rows=5, required=False)
            field.help_text, field.initial = part.hint, text
            self.fields[name] = field
        if not self.has_file:
            del self.fields["drop_file"]

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        keeps_file = self.has_file and not values.get("drop_file")
        if self.filing and not keeps_file and not values.get("upload"):
            for name, part in self.parts.items():
                if name not in self.errors and not values.get(name, "").strip():
                    self.add_error(
                        name,
                        gettext("报送前请填写“{heading}”，或者上传文件。").format(
                            heading=part.heading
                        ),
                    )
        return values

    @property
    def content(self) -> plans.Content:
        return plans.Content(
            texts=[self.cleaned_data[name] for name in self.parts],
            upload=self.cleaned_data["upload"],
            drop_file=self.cleaned_data.get("drop_file", False),
        )


class RemarksForm(DetailForm):
    """What is wanting in a plan that goes back."""

    remarks = text_field(_("退回意见"), 1000)
