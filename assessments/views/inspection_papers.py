"""现场核查 as PDF."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from assessments import inspected, inspecting, permissions, worksheet
from assessments.exports import inspections as exported
from assessments.models import InspectionDraw
from assessments.views.inspections import inspection_or_404
from assessments.views.letters import as_pdf


@require_safe
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """抽查名单."""
    if not permissions.may_lead(request.user):
        raise Http404
    draw = get_object_or_404(InspectionDraw.objects.select_related("campaign", "by"), pk=pk)
    rows = inspected.visible_to(request.user).filter(draw=draw)
    rows = rows.select_related("self_assessment__organization__parent", "self_assessment__rubric")
    rows = rows.order_by("self_assessment__rubric__tier", "self_assessment__place")
    return as_pdf(request, lambda: exported.lot(draw, rows), f"抽查名单-{draw.seed}", draw)


@require_safe
def minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """现场核查记录, filled or for handwriting."""
    inspection = inspection_or_404(request, pk)
    if not inspecting.may_write(request.user, inspection):
        raise Http404
    outline = worksheet.outline(inspection.self_assessment.rubric_id)
    name = f"现场核查记录-{inspection.self_assessment.organization.name}"
    return as_pdf(request, lambda: exported.minutes(inspection, outline), name, inspection)
