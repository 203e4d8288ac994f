"""Narrowing lists. A filter that makes no sense is left out of account, never an error page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from assessments.choices import State
from organizations.choices import ASSESSED_TIERS
from organizations.models import Organization, User
from organizations.models.organization import within

NOT_STARTED = "NONE"


class AssessmentFilter(forms.Form):
    """By name or code, tier, county and state."""

    q = forms.CharField(label="名称或代码", required=False, max_length=60)
    tier = forms.ChoiceField(label="层级", required=False)
    county = forms.ChoiceField(label="县（市、区）", required=False)
    state = forms.ChoiceField(label="状态", required=False)

    def __init__(
        self,
        data: Any,
        counties: list[Organization],
        states: list[tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(data)
        self.paths = {organization.code: organization.path for organization in counties}
        self.fields["tier"].choices = [("", "全部层级")] + [
            (tier.value, tier.label) for tier in ASSESSED_TIERS
        ]
        self.fields["county"].choices = [("", "全部县（市、区）")] + [
            (organization.code, organization.name) for organization in counties
        ]
        self.fields["state"].choices = [
            ("", "全部状态"),
            *(states or [(NOT_STARTED, "未开始"), *State.choices]),
        ]
        self.is_valid()

    def value(self, name: str) -> str:
        """What was chosen; empty where that makes no sense."""
        return getattr(self, "cleaned_data", {}).get(name, "")

    def apply(self, rows: QuerySet, *, organization: str, state: str) -> QuerySet:
        """Narrow rows; `organization` is the lookup prefix to the organization ("" for rows that
        are organizations), `state` the lookup of the state."""
        if text := self.value("q"):
            rows = rows.filter(
                Q(**{f"{organization}name__icontains": text})
                | Q(**{f"{organization}code__startswith": text})
            )
        if tier := self.value("tier"):
            rows = rows.filter(**{f"{organization}tier": tier})
        if path := self.paths.get(self.value("county")):
            rows = rows.filter(within(path, f"{organization}path"))
        if chosen := self.value("state"):
            lookup = {f"{state}__isnull": True} if chosen == NOT_STARTED else {state: chosen}
            rows = rows.filter(**lookup)
        return rows


def counties_of(user: User) -> list[Organization]:
    """What the county filter offers: counties and industries that the user may see."""
    return list(
        Organization.objects.visible_to(user)
        .filter(tier__in=["COUNTY", "INDUSTRY"])
        .order_by("code")
        .only("code", "name", "path")
    )
