"""推进会材料: how far the campaign has come, on the screen and as a Word document."""

from __future__ import annotations

import io

from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from assessments import deadlines, permissions, progress
from assessments.exports import progress_report
from assessments.exports.word import MEDIA_TYPE
from assessments.forms.filters import counties_of
from assessments.forms.progress import ReportForm
from assessments.models import Campaign
from assessments.views.access import chosen_campaign
from organizations import audit
from organizations.choices import Act, Tier
from organizations.models import Organization


def _city(request: HttpRequest) -> Organization:
    if not permissions.may_report_progress(request.user):
        raise Http404
    return next(
        one.organization for one in request.user.roles if one.organization.tier == Tier.CITY
    )


def _gather(
    request: HttpRequest, city: Organization, campaign: Campaign, campaigns: list[Campaign]
) -> progress.Progress:
    places = counties_of(request.user)
    return progress.of(campaign, city, request.user, campaigns=campaigns, places=places)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The figures of ?year=, and for whom and when the document is."""
    city = _city(request)
    campaign, campaigns = chosen_campaign(request)
    context = {"campaign": campaign, "campaigns": campaigns, "form": ReportForm(request.GET)}
    if campaign:
        found = _gather(request, city, campaign, campaigns)
        context["progress"] = found
    return render(request, "assessments/supervision/progress.html", context)


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """The document; that it was taken stands on record."""
    city = _city(request)
    campaign, campaigns = chosen_campaign(request)
    form = ReportForm(request.GET)
    if campaign is None or not form.is_valid():
        page = reverse("assessments:progress_report")
        return redirect(f"{page}?{request.GET.urlencode()}")
    found, content = _gather(request, city, campaign, campaigns), io.BytesIO()
    title, held_on = form.cleaned_data["title"], form.cleaned_data["held_on"]
    progress_report.write(found, title, held_on, city.name, content)
    content.seek(0)
    with transaction.atomic():
        audit.record(
            action=Act.PROGRESS_REPORTED,
            by=request.user,
            details={"year": campaign.year, "name": title, "on": held_on.isoformat()},
        )
    today = deadlines.local_day(deadlines.now())
    return FileResponse(
        content,
        as_attachment=True,
        filename=f"推进会材料{today:%Y%m%d}.docx",
        content_type=MEDIA_TYPE,
    )
