"""推荐表彰: places, goals, changes by hand, and the package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import PackageKind
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.filters import UnionFilter
from assessments.models import Recommendation, RecommendationList
from assessments.rollups import CITY_DIRECT
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.models import Organization

_MOST_PLACES = 9999
#: The union's own 公示 takes no longer: it is a slip of the pen.
_MOST_DAYS = 90


def _number(label: str, field: type[forms.Field], **limits: Any) -> forms.Field:
    low, high = limits["min_value"], limits["max_value"]
    wrong = gettext("请填写 {low} 到 {high} 的数字。").format(low=low, high=high)
    made = field(
        label=label,
        required=False,
        error_messages={"invalid": wrong, "min_value": wrong, "max_value": wrong},
        **limits,
    )
    made.widget.attrs |= {"aria-label": label, "class": "form-control w-auto"}
    return made


def _percent(label: str) -> forms.Field:
    made = _number(
        label, forms.DecimalField, min_value=0, max_value=200, max_digits=5, decimal_places=2
    )
    made.error_messages |= dict.fromkeys(
        ("max_digits", "max_decimal_places", "max_whole_digits"),
        gettext("请填写百分数，最多两位小数。"),
    )
    return made


class RecommendationFilter(UnionFilter):
    """As everywhere, and by whether it is on the list."""

    listed = forms.ChoiceField(
        label=_("推荐"),
        required=False,
        choices=[("", _("全部")), ("yes", _("在名单上")), ("no", _("未列入"))],
    )


class QuotaForm(forms.Form):
    """Places of each tier in the whole city, and at most in each county; blank leaves a county free, and
    gives a tier none."""

    def __init__(self, counties: list[Organization], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counties = counties
        self.fields["least_goals"] = _percent(gettext("年度工作目标完成率至少（%）"))
        self.fields["least_goals"].required = True
        self.fields["least_goals"].error_messages["required"] = gettext(
            "请填写至少应完成的百分比。"
        )
        for county in (None, *counties):
            for tier in self._tiers(county):
                place = county.name if county else gettext("全市")
                self.fields[self._key(tier, county)] = _number(
                    gettext("{place}{tier}名额").format(place=place, tier=tier.label),
                    forms.IntegerField,
                    min_value=0,
                    max_value=_MOST_PLACES,
                )

    @staticmethod
    def _tiers(county: Organization | None) -> Iterable[Tier]:
        """Which tiers there are to count there."""
        if county is None:
            return ASSESSED_TIERS
        return (
            (Tier.TOWNSHIP, Tier.GRASSROOTS) if county.tier == Tier.COUNTY else (Tier.GRASSROOTS,)
        )

    @staticmethod
    def _key(tier: str, county: Organization | None) -> str:
        return f"{tier.lower()}-{county.pk if county else 'all'}"

    @staticmethod
    def initial_of(made: RecommendationList | None) -> dict[str, Any]:
        if made is None:
            return {"least_goals": 100}
        quotas = {
            QuotaForm._key(one.tier, one.county): one.places
            for one in made.quotas.select_related("county")
        }
        return quotas | {"least_goals": f"{made.least_goals.normalize():f}"}

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, Any]]]]:
        """Where, and for each tier its name and a field or None."""
        return [
            (
                gettext("全市") if county is None else self._name(county),
                [
                    (
                        tier.label,
                        self[self._key(tier, county)] if tier in self._tiers(county) else None,
                    )
                    for tier in ASSESSED_TIERS
                ],
            )
            for county in (None, *self.counties)
        ]

    @staticmethod
    def _name(county: Organization) -> str:
        return CITY_DIRECT if county.tier == Tier.CITY else county.name

    @property
    def places(self) -> dict[tuple[str, Organization | None], int]:
        """What `recommending.draw_up` takes."""
        return {
            (str(tier), county): places
            for county in (None, *self.counties)
            for tier in self._tiers(county)
            if (places := self.cleaned_data[self._key(tier, county)]) is not None
        }


class GoalsForm(forms.Form):
    """A percentage for each of some unions, and beside it what the page had shown; blank takes an entry
    back."""

    def __init__(
        self, unions: Mapping[int, Organization], data: Any, known: Mapping[int, Decimal | None]
    ) -> None:
        super().__init__(data)
        self.unions = unions
        for key, union in unions.items():
            self.fields[f"goal-{key}"] = _percent(
                gettext("{union}完成率（%）").format(union=union.name)
            )
            self.fields[f"goal-{key}"].initial = known.get(key)
            self.fields[f"seen-{key}"] = forms.DecimalField(required=False)

    @property
    def percents(self) -> dict[Organization, Decimal | None]:
        return {union: self.cleaned_data[f"goal-{key}"] for key, union in self.unions.items()}

    @property
    def seen(self) -> dict[int, Decimal | None]:
        return {key: self.cleaned_data[f"seen-{key}"] for key in self.unions}


class ReasonForm(DetailForm):
    """A change of the list by hand, or its opening again."""

    reason = text_field(_("理由"), 200, rows=1)


class PackageForm(forms.ModelForm):
    """What is typed of the package, and its files."""

    story = text_field(_("事迹材料"), 5000, rows=14, required=False)

    class Meta:
        model = Recommendation
        fields = ["story", "published_from", "published_until"]
        widgets = dict.fromkeys(
            ("published_from", "published_until"),
            forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = DetailForm().helper
        self.fields["story"].help_text = gettext("约 2000 字。可以先写一部分，以后再补。")
        for name in ("published_from", "published_until"):
            self.fields[name].error_messages["invalid"] = gettext(
                "请按 2026-05-31 的样子填写日期。"
            )
        for kind in PackageKind:
            self.fields[kind] = forms.FileField(
                label=kind.label,
                required=False,
                max_length=255,
                error_messages={
                    "empty": gettext("这是空文件，请重新选择。"),
                    "max_length": gettext("文件名太长，请改短再传。"),
                },
            )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("published_from"), values.get("published_until")
        if self.errors:
            return values
        if bool(first) != bool(last):
            self.add_error("published_until", gettext("公示的开始和结束日期要一起填写。"))
        elif first and first > last:
            self.add_error("published_until", gettext("不能早于开始日期。"))
        elif first and first.year < (year := self.instance.list.campaign.year):
            self.add_error(
                "published_from", gettext("不能早于 {year} 年 1 月 1 日。").format(year=year)
            )
        elif first and (last - first).days >= _MOST_DAYS:
            self.add_error(
                "published_until",
                gettext("公示最长 {days} 天，请核对日期。").format(days=_MOST_DAYS),
            )
        return values

    @property
    def uploads(self) -> dict[str, Any]:
        return {kind: file for kind in PackageKind if (file := self.cleaned_data.get(kind))}

    @property
    def typed(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields}
