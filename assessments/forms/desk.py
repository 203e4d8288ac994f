"""What narrows the superior's desk, and the text of an urging."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import Q, QuerySet

from assessments.forms.ratings import PlainTextField
from assessments.oversight import SORTS, Lag, Stage
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization, User
from organizations.models.organization import within

PAGE_SIZES = (20, 50, 100)


class DeskFilter(forms.Form):
    """By name or code, tier, county, superior, state, and who is behind. A value that makes no
    sense finds nothing; a `sort` or `size` that makes none is left out of account."""

    q = forms.CharField(label="名称或代码", required=False, max_length=60)
    tier = forms.ChoiceField(label="层级", required=False)
    county = forms.ChoiceField(label="县（市、区）", required=False)
    township = forms.ChoiceField(label="乡镇（街道）", required=False)
    state = forms.CharField(required=False, widget=forms.HiddenInput)
    lag = forms.ChoiceField(label="催办", required=False, choices=[("", "不限进度"), *Lag.choices])
    size = forms.ChoiceField(
        label="每页",
        required=False,
        choices=[(str(size), f"每页 {size} 个") for size in PAGE_SIZES],
    )
    sort = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, user: User) -> None:
        values = data.copy()
        values.setdefault("size", "50")
        super().__init__(values)
        places = list(
            Organization.objects.visible_to(user)
            .active()
            .filter(tier__in=[Tier.COUNTY, Tier.INDUSTRY, Tier.TOWNSHIP])
            .order_by("code")
            .only("code", "name", "path", "tier")
        )
        self.paths = {place.code: place.path or "" for place in places}
        chosen = self.paths.get(data.get("county", ""), "")
        self.fields["tier"].choices = [
            ("", "全部层级"),
            *((tier.value, tier.label) for tier in ASSESSED_TIERS),
        ]
        self.fields["county"].choices = [
            ("", "全部县（市、区）"),
            *((one.code, one.name) for one in places if one.tier != Tier.TOWNSHIP),
        ]
        self.fields["township"].choices = [
            ("", "全部乡镇（街道）"),
            *(
                (one.code, one.name)
                for one in places
                if one.tier == Tier.TOWNSHIP and (one.path or "").startswith(chosen)
            ),
        ]
        self.is_valid()

    def value(self, name: str) -> str:
        return self.cleaned_data.get(name, "")

    @property
    def ordering(self) -> str:
        return self.value("sort") if self.value("sort").removeprefix("-") in SORTS else ""

    @property
    def page_size(self) -> int:
        return int(self.value("size") or 50)

    def apply(self, rows: QuerySet[Organization]) -> QuerySet[Organization]:
        """Narrow rows by everything but the state, of which the tabs show the counts."""
        if text := self.value("q"):
            rows = rows.filter(Q(name__icontains=text) | Q(code__startswith=text))
        if tier := self.value("tier"):
            rows = rows.filter(tier=tier)
        for name in ("county", "township"):
            if path := self.paths.get(self.value(name)):
                rows = rows.filter(within(path))
        return rows

    def apply_state(self, rows: QuerySet[Organization]) -> QuerySet[Organization]:
        stage = self.value("state")
        return rows.filter(stage=stage) if stage in Stage.values else rows


class UrgeForm(forms.Form):
    """What the unions that are behind are told."""

    text = PlainTextField(200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = "催报内容"
        self.fields["text"].widget = forms.Textarea(attrs={"rows": 3, "maxlength": 200})
        self.fields["text"].help_text = "最多 200 字。发给各工会的负责人和填报员。"
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_text(self) -> str:
        if not self.cleaned_data["text"]:
            raise forms.ValidationError("请填写催报内容。")
        return self.cleaned_data["text"]
