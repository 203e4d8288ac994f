"""Serving evidence: through the permission check, always as a download, never rendered here."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from assessments import permissions
from assessments.models import Evidence


@require_safe
@cache_control(private=True, max_age=0, must_revalidate=True)
def download(request: HttpRequest, pk: int) -> FileResponse:
    evidence = get_object_or_404(
        Evidence.objects.select_related("stored_file", "organization"), pk=pk
    )
    if not permissions.may_read_evidence(request.user, evidence):
        raise Http404
    stored = evidence.stored_file
    try:
        file = stored.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        file, as_attachment=True, filename=evidence.name, content_type=stored.media_type
    )
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response
