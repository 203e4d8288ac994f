"""What narrows the superior's desk, and the text of an urging."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.forms.filters import UnionFilter
from assessments.forms.ratings import PlainTextField
from assessments.models import Campaign
from assessments.oversight import Lag, Stage
from assessments.rollups import BANDS, CITY_DIRECT, DIRECT, Reached, decided, rated, unions
from organizations.choices import Tier
from organizations.models import Organization, User
from organizations.models.organization import within

_CODE = r"^(C[1-6]|[A-Z]\d\.\d\d)$"


class DeskFilter(UnionFilter):
    """As everywhere, and by township, how far each has come, and who is behind."""

    township = forms.ChoiceField(label=_("乡镇（街道）"), required=False)
    state = forms.ChoiceField(
        label=_("状态"),
        required=False,
        choices=[("", _("全部状态")), *Stage.choices],
        widget=forms.HiddenInput,
    )
    reached = forms.ChoiceField(
        label=_("统计口径"), required=False, choices=[("", _("不限统计口径")), *Reached.choices]
    )
    scored = forms.RegexField(_CODE, label=_("评定了"), required=False, widget=forms.HiddenInput)
    missed = forms.RegexField(_CODE, label=_("未达到"), required=False, widget=forms.HiddenInput)
    rated = forms.RegexField(_CODE, label=_("填报了"), required=False, widget=forms.HiddenInput)
    band = forms.ChoiceField(
        label=_("评定总分"),
        required=False,
        choices=[
            ("", _("不限")),
            *((name, format_lazy(_("{points} 分起"), points=name)) for name in BANDS),
        ],
        widget=forms.HiddenInput,
    )
    lag = forms.ChoiceField(
        label=_("催办"), required=False, choices=[("", _("不限进度")), *Lag.choices]
    )

    def __init__(self, data: Any, user: User) -> None:
        places = list(
            Organization.objects.visible_to(user)
            .active()
            .filter(tier__in=[Tier.COUNTY, Tier.INDUSTRY, Tier.TOWNSHIP])
            .order_by("code")
            .only("code", "name", "path", "tier")
        )
        townships = [one for one in places if one.tier == Tier.TOWNSHIP]
        super().__init__(data, [one for one in places if one.tier != Tier.TOWNSHIP])
        if any(one.organization.tier == Tier.CITY for one in user.roles):
            self.fields["county"].choices += [(DIRECT, CITY_DIRECT)]
        chosen = self.paths.get(data.get("county", ""), "")
        self.paths |= {one.code: one.path or "" for one in townships}
        self.fields["township"].choices = [
            ("", gettext("全部乡镇（街道）")),
            *((one.code, one.name) for one in townships if (one.path or "").startswith(chosen)),
        ]

    def apply(
        self, rows: QuerySet[Organization], *, organization: str = ""
    ) -> QuerySet[Organization]:
        """Narrow rows by everything but the state, of which the tabs show the counts."""
        rows = super().apply(rows, organization=organization)
        if self.value("county") == DIRECT:
            direct = {f"{organization}tier": Tier.GRASSROOTS}
            rows = rows.filter(**{f"{organization}parent__tier": Tier.CITY}, **direct)
        path = self.paths.get(self.value("township"))
        return rows.filter(within(path, f"{organization}path")) if path else rows

    @property
    def is_of_figure(self) -> bool:
        """Whether the list is that behind a figure of the roll-up (总览)."""
        return any(self.value(name) for name in ("reached", "scored", "missed", "rated", "band"))

    def apply_figure(
        self, rows: QuerySet[Organization], campaign: Campaign
    ) -> QuerySet[Organization]:
        """Those that a figure of the roll-up counts at the chosen place: as they stood when they
        handed in."""
        place = self.paths.get(self.value("township") or self.value("county"), "")
        reached = self.value("reached") or Reached.REGISTERED
        found = unions(campaign, reached, place, direct=self.value("county") == DIRECT)
        decision = {name: self.value(name) for name in ("scored", "missed", "band")}
        if any(decision.values()):
            found = found.filter(entry__in=decided(campaign, **decision))
        if code := self.value("rated"):
            found = found.filter(entry__in=rated(campaign, code))
        rows = rows.filter(pk__in=found.order_by().values("pk"))
        return self.by_name_and_tier(rows)

    def apply_state(self, rows: QuerySet[Organization]) -> QuerySet[Organization]:
        stage = self.value("state")
        return rows.filter(stage=stage) if stage else rows


class UrgeForm(forms.Form):
    """What the unions that are behind are told."""

    text = PlainTextField(200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = gettext("催报内容")
        self.fields["text"].widget = forms.Textarea(attrs={"rows": 3, "maxlength": 200})
        self.fields["text"].help_text = gettext("最多 200 字。发给各工会的负责人和填报员。")
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_text(self) -> str:
        if not self.cleaned_data["text"]:
            raise forms.ValidationError(gettext("请填写催报内容。"))
        return self.cleaned_data["text"]
