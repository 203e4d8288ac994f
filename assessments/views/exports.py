"""汇总: the figures by tier and county."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from assessments import permissions, rollups
from assessments.views.access import chosen_campaign
from organizations.models import Organization


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """汇总: the 90 % target by tier and county."""
    if not permissions.may_export(request.user):
        raise Http404
    campaign, campaigns = chosen_campaign(request)
    counties = rollups.by_county(campaign) if campaign else []
    target = campaign.target_percent if campaign else None
    address = f"{reverse('assessments:oversight')}?year={campaign.year}" if campaign else ""
    tops = Organization.objects.filter(parent__parent=None).exclude(parent=None)
    codes = dict(tops.values_list("path", "code"))
    return render(
        request,
        "assessments/exports/overview.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "tiers": [
                (tier.label, figures, figures.still_needed(target), f"{address}&tier={tier}")
                for tier, figures in rollups.by_tier(counties).items()
            ]
            if campaign
            else [],
            "counties": [
                (
                    county.name,
                    county.together,
                    county.together.still_needed(target),
                    f"{address}&county={codes.get(county.path, rollups.DIRECT)}",
                )
                for county in counties
            ],
        },
    )
