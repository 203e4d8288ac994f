"""The lead's page of who reviews what."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from assessments import assigning
from assessments.models import Review, SelfAssessment
from assessments.views.lists import LeadListView
from organizations.choices import Role, Tier
from organizations.models import User


class AssignmentList(LeadListView):
    """分派: choose submissions, choose a reviewer. Conflicts of interest are refused by name."""

    template_name = "assessments/decisions/assignments.html"
    context_object_name = "assessments"
    states = assigning.ASSIGNABLE_STATES
    http_method_names = ["get", "post", "head"]

    def get_queryset(self) -> QuerySet[SelfAssessment]:
        return (
            super()
            .get_queryset()
            .prefetch_related(Prefetch("reviews", Review.objects.select_related("reviewer")))
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"reviewers": _reviewers(self.campaign)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        reviewer = get_object_or_404(_reviewers(None), pk=_key(request.POST.get("reviewer")))
        chosen = [_key(key) for key in request.POST.getlist("assessment")][:200]
        found = SelfAssessment.objects.visible_to(request.user).filter(pk__in=chosen)
        change = assigning.unassign if "unassign" in request.POST else assigning.assign
        done = 0
        for assessment in found:
            try:
                change(assessment, reviewer, request.user)
                done += 1
            except assigning.NotAllowed as error:
                messages.error(request, str(error))
        if done:
            word = "取消分派" if "unassign" in request.POST else "分派给"
            messages.success(request, f"已{word} {reviewer}：{done} 份。")
        elif not chosen:
            messages.error(request, "请先勾选申报。")
        query = request.GET.urlencode()
        return redirect(reverse("assessments:assignment_list") + (f"?{query}" if query else ""))


def _key(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _reviewers(campaign) -> QuerySet[User]:
    """The city's reviewers with how much of the campaign lies with each."""
    return (
        User.objects.filter(
            is_active=True,
            memberships__role__in=[Role.REVIEWER, Role.LEAD_REVIEWER],
            memberships__organization__tier=Tier.CITY,
        )
        .annotate(
            open_reviews=Count(
                "reviews",
                filter=Q(reviews__completed_at=None, reviews__self_assessment__campaign=campaign),
                distinct=True,
            )
        )
        .order_by("full_name", "pk")
    )
