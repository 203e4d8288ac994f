"""总览: one picture of a campaign for whoever answers for a subtree, the leader first of all."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from assessments import permissions, picture
from assessments.forms.filters import PictureFilter, counties_of
from assessments.views.access import chosen_campaign
from organizations.choices import Tier
from organizations.models import Organization
from organizations.views.lists import query


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The picture of ?year=, ?county= (a place of the user's) and ?tier=."""
    tops = permissions.overseen_by(request.user)
    if not tops:
        raise Http404
    campaign, campaigns = chosen_campaign(request)
    city = next((one for one in tops if one.tier == Tier.CITY), None)
    places = counties_of(request.user) if city else tops
    filter_ = PictureFilter(request.GET, places, whole=city is not None)
    top, tier = filter_.place or city or tops[0], filter_.value("tier")
    context: dict[str, Any] = {
        "campaign": campaign,
        "campaigns": campaigns,
        "filter": filter_,
        "top": top,
        "query": query(request),
    }
    if campaign:
        drawn = picture.draw(campaign, top, tier, campaigns=campaigns, places=places)
        unions = reverse("assessments:oversight")
        context |= {
            "picture": drawn,
            "whole": f"{unions}?year={campaign.year}",
            "list": f"{unions}?year={campaign.year}{_scope(top)}",
            "of_year": f"{unions}?{_scope(top)}&year=".replace("?&", "?"),
            "last_year": campaign.year - 1,
            "tier": f"&tier={tier}" if tier else "",
        }
    return render(request, "assessments/dashboard/index.html", context)


def _scope(top: Organization) -> str:
    """What narrows the list of unions to a place."""
    if top.tier == Tier.CITY:
        return ""
    return f"&{'township' if top.tier == Tier.TOWNSHIP else 'county'}={top.code}"
