"""The lead's page of what is ready to be decided."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from assessments.choices import DECIDED_STATES, State
from assessments.models import Decision, SelfAssessment
from assessments.views.lists import LeadListView


class DecisionList(LeadListView):
    """评定: what has been reviewed, and what has been decided."""

    template_name = "assessments/decisions/list.html"
    context_object_name = "assessments"
    states = (State.REVIEWED, *DECIDED_STATES)

    def get_queryset(self) -> QuerySet[SelfAssessment]:
        standing = Decision.objects.filter(superseded_at=None).prefetch_related("criteria")
        return (
            super()
            .get_queryset()
            .prefetch_related(Prefetch("decisions", standing, to_attr="standing"))
        )
