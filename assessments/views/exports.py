"""The Excel summary, and the page that offers it."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from assessments import deadlines, permissions, rollups
from assessments.exports import summary
from assessments.models import Campaign
from assessments.views.access import chosen_campaign


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """汇总: the 90 % target by tier and county, and the workbook to download."""
    if not permissions.may_export(request.user):
        raise Http404
    campaign, campaigns = chosen_campaign(request)
    counties = rollups.by_county(campaign) if campaign else []
    target = campaign.target_percent if campaign else None
    return render(
        request,
        "assessments/exports/overview.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "tiers": [
                (tier.label, figures, figures.still_needed(target))
                for tier, figures in rollups.by_tier(counties).items()
            ]
            if campaign
            else [],
            "counties": [
                (county, county.together, county.together.still_needed(target))
                for county in counties
            ],
        },
    )


@require_safe
def workbook(request: HttpRequest, year: int) -> FileResponse:
    if not permissions.may_export(request.user):
        raise Http404
    campaign = get_object_or_404(Campaign.objects.opened(), year=year)
    today = deadlines.local_day(deadlines.now())
    return FileResponse(
        summary.write(campaign, prepared_by=str(request.user), on=today),
        as_attachment=True,
        filename=f"{campaign.name}汇总表{today:%Y%m%d}.xlsx",
        content_type=summary.MEDIA_TYPE,
    )
