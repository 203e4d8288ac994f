"""申报情况: a superior union's or the city's view of everything in its scope."""

from __future__ import annotations

from typing import Any

from django.db.models import F, FilteredRelation, Q, QuerySet

from assessments import deadlines
from assessments.forms.filters import AssessmentFilter, counties_of
from assessments.views.access import chosen_campaign
from assessments.views.lists import CampaignListView
from organizations.models import Organization


class OversightList(CampaignListView):
    """Every organization that should hand in, with the state of its self-assessment."""

    template_name = "assessments/oversight/list.html"
    context_object_name = "organizations"

    def get_queryset(self) -> QuerySet[Organization]:
        user = self.request.user
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = AssessmentFilter(self.request.GET, counties_of(user))
        if self.campaign is None:
            return Organization.objects.none()
        rows = (
            Organization.objects.visible_to(user)
            .active()
            .filter(tier__in=self.campaign.policies.values("tier"))
            .annotate(
                entry=FilteredRelation(
                    "self_assessments", condition=Q(self_assessments__campaign=self.campaign)
                ),
                entry_pk=F("entry__pk"),
                entry_state=F("entry__state"),
                entry_total=F("entry__self_total"),
                entry_submitted_at=F("entry__submitted_at"),
            )
            .select_related("parent")
            .order_by("path")
        )
        return self.filter.apply(rows, organization="", state="entry__state")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.campaign:
            now = deadlines.now()
            context["days_left"] = deadlines.days_left(self.campaign.submission_deadline, now)
        return context
