"""What is said of a file, and narrowing the library."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.models import Evidence
from assessments.models.evidence import KINDS
from organizations.forms.filters import ListFilter


class EvidenceForm(forms.ModelForm):
    """Name, description, and the day or period that the file proves."""

    class Meta:
        model = Evidence
        fields = ["name", "description", "valid_from", "valid_until"]
        help_texts = {
            "description": _("例如：2026年第三次职代会决议。"),
            "valid_from": _(
                "材料证明的日期或期间的开始，例如会议日期、证书发证日期。不是上传日期。"
            ),
            "valid_until": _("期间的结束，例如证书到期日。只有一个日期的，不用填。"),
        }
        widgets = {
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "valid_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        error_messages = {"name": {"required": _("请填写文件名。")}}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        start, end = data.get("valid_from"), data.get("valid_until")
        if end and not start and "valid_from" not in self.errors:
            self.add_error("valid_from", gettext("填写了结束日期，请同时填写开始日期。"))
        elif start and end and start > end:
            self.add_error("valid_until", gettext("不能早于开始日期。"))
        return data

    def _post_clean(self) -> None:
        """The form checks; `library.describe` writes, on the row as it is then."""


class LibraryFilter(ListFilter):
    """By words, kind, and use."""

    q = forms.CharField(label=_("文件名或说明"), required=False, max_length=60)
    kind = forms.ChoiceField(
        label=_("种类"),
        required=False,
        choices=[
            ("", _("全部种类")),
            ("image", _("图片")),
            ("pdf", "PDF"),
            ("office", _("文档、表格")),
        ],
    )
    use = forms.ChoiceField(label=_("使用情况"), required=False)

    def __init__(self, data: Any, years: list[int]) -> None:
        super().__init__(data)
        self.fields["use"].choices = [
            ("", gettext("全部")),
            ("none", gettext("还没有用到")),
            *((str(year), gettext("{year} 年用过").format(year=year)) for year in years),
        ]

    def apply(self, rows: QuerySet[Evidence]) -> QuerySet[Evidence]:
        if text := self.value("q"):
            rows = rows.filter(Q(name__icontains=text) | Q(description__icontains=text))
        if kind := self.value("kind"):
            types = [media_type for media_type, (_, group) in KINDS.items() if group == kind]
            rows = rows.filter(stored_file__media_type__in=types)
        if (use := self.value("use")) == "none":
            rows = rows.filter(attachments=None)
        elif use:
            rows = rows.filter(
                pk__in=Evidence.objects.filter(
                    attachments__answer__self_assessment__campaign__year=int(use)
                ).values("pk")
            )
        return rows
