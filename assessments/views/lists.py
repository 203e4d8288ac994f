"""What the tables about a campaign have in common."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from assessments import permissions
from assessments.choices import State
from assessments.forms.filters import AssessmentFilter, counties_of
from assessments.models import Campaign, SelfAssessment
from assessments.views.access import chosen_campaign
from organizations.views.lists import Column, TableView


def union_columns(path: str = "organization") -> tuple[Column, ...]:
    """Name, code, tier and superior of the union that stands at the end of a path of attributes;
    "" where a row is the union itself. Read with its parent."""
    union = attrgetter(path) if path else lambda row: row
    lookup = f"{path.replace('.', '__')}__" if path else ""
    return (
        Column("name", _("工会"), lambda row: union(row).name, f"{lookup}name", width=40),
        Column("tier", _("层级"), lambda row: union(row).get_tier_display(), inside="name"),
        Column("code", _("代码"), lambda row: union(row).code, f"{lookup}code", extra=True),
        Column("parent", _("上级工会"), lambda row: str(union(row).parent or ""), width=30),
    )


class CampaignListView(TableView):
    """A table about the campaign of ?year=."""

    campaign: Campaign | None
    campaigns: list[Campaign]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"campaign": self.campaign, "campaigns": self.campaigns}


class LeadListView(CampaignListView):
    """A list of self-assessments for the lead; a stranger finds nothing here."""

    states: tuple[State, ...]
    filter_class: type[AssessmentFilter] = AssessmentFilter

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_lead(request.user):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[SelfAssessment]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = self.filter_class(
            self.request.GET,
            counties_of(self.request.user),
            [(state.value, state.label) for state in self.states],
        )
        rows = (
            SelfAssessment.objects.visible_to(self.request.user)
            .filter(campaign=self.campaign, state__in=self.states)
            .select_related("organization__parent", "rubric")
            .order_by("place")
        )
        return self.filter.apply(rows, organization="organization__", state="state")
