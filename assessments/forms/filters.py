"""Narrowing lists of unions that are assessed, and of what is about them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import State
from organizations.choices import ASSESSED_TIERS
from organizations.forms.filters import ListFilter, named
from organizations.models import Organization, User
from organizations.models.organization import within

NOT_STARTED = "NONE"


class UnionFilter(ListFilter):
    """By name, initials or code; tier; county."""

    q = forms.CharField(label=_("名称、拼音首字母或代码"), required=False, max_length=60)
    tier = forms.ChoiceField(label=_("层级"), required=False)
    county = forms.ChoiceField(label=_("县（市、区）"), required=False)

    def __init__(self, data: Any, counties: list[Organization]) -> None:
        super().__init__(data)
        self.paths = {organization.code: organization.path or "" for organization in counties}
        self.fields["tier"].choices = [("", gettext("全部层级"))] + [
            (tier.value, tier.label) for tier in ASSESSED_TIERS
        ]
        self.fields["county"].choices = [("", gettext("全部县（市、区）"))] + [
            (organization.code, organization.name) for organization in counties
        ]

    def by_name_and_tier(self, rows: QuerySet, organization: str = "") -> QuerySet:
        if text := self.value("q"):
            rows = rows.filter(named(text, organization))
        if tier := self.value("tier"):
            rows = rows.filter(**{f"{organization}tier": tier})
        return rows

    def apply(self, rows: QuerySet, *, organization: str = "") -> QuerySet:
        """Narrow rows; `organization` is the lookup prefix to the organization ("" for rows that
        are organizations)."""
        rows = self.by_name_and_tier(rows, organization)
        if path := self.paths.get(self.value("county")):
            rows = rows.filter(within(path, f"{organization}path"))
        return rows


class AssessmentFilter(UnionFilter):
    """As everywhere, and by state."""

    state = forms.ChoiceField(label=_("状态"), required=False)

    def __init__(
        self,
        data: Any,
        counties: list[Organization],
        states: list[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(data, counties)
        self.fields["state"].choices = [
            ("", gettext("全部状态")),
            *(states or [(NOT_STARTED, _("未开始")), *State.choices]),
        ]

    def apply(self, rows: QuerySet, *, organization: str = "", state: str = "state") -> QuerySet:
        """Narrow rows; `state` is the lookup of the state."""
        rows = super().apply(rows, organization=organization)
        if chosen := self.value("state"):
            lookup = {f"{state}__isnull": True} if chosen == NOT_STARTED else {state: chosen}
            rows = rows.filter(**lookup)
        return rows


class PictureFilter(ListFilter):
    """By place and tier. `whole` offers the city as a whole."""

    county = forms.ChoiceField(label=_("范围"), required=False)
    tier = forms.ChoiceField(
        label=_("层级"),
        required=False,
        choices=[("", _("全部层级")), *((tier.value, tier.label) for tier in ASSESSED_TIERS)],
    )

    def __init__(self, data: Any, places: list[Organization], *, whole: bool) -> None:
        super().__init__(data)
        self._places = {one.code: one for one in places}
        self.fields["county"].choices = [
            *([("", gettext("全市"))] if whole else []),
            *((one.code, one.name) for one in places),
        ]

    @property
    def place(self) -> Organization | None:
        return self._places.get(self.value("county"))


def all_counties() -> list[Organization]:
    """What the county filter offers on the pages for everybody."""
    counties = Organization.objects.filter(tier__in=["COUNTY", "INDUSTRY"])
    return list(counties.order_by("code").only("code", "name", "path", "tier"))


def county_name(counties: list[Organization], place: str) -> str:
    """Of the one in which the place is; empty where there is none."""
    return next((one.name for one in counties if place.startswith(one.path)), "")


def counties_of(user: User) -> list[Organization]:
    """What the county filter offers: counties and industries that the user may see."""
    return list(
        Organization.objects.visible_to(user)
        .filter(tier__in=["COUNTY", "INDUSTRY"])
        .order_by("code")
        .only("code", "name", "path", "tier")
    )
