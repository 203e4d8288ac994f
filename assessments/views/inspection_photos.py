"""Photos of a 现场核查: shown, and taken away again."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from assessments import files, inspected, inspecting, thumbnails
from assessments.models import FindingPhoto


def _photo_or_404(request: HttpRequest, pk: int) -> FindingPhoto:
    return get_object_or_404(
        FindingPhoto.objects.filter(
            inspection__in=inspected.visible_to(request.user)
        ).select_related("stored_file", "inspection", "indicator__criterion"),
        pk=pk,
    )


@require_safe
def photo(request: HttpRequest, pk: int) -> FileResponse:
    """The picture itself; ?small for the thumbnail, without its place."""
    found = _photo_or_404(request, pk)
    stored = found.stored_file
    if stored.is_quarantined:
        raise Http404
    small = "small" in request.GET
    try:
        path = files.thumbnail_of(stored) if small else stored.file.name
        if not path:
            raise Http404
        content = default_storage.open(path, "rb")
    except (FileNotFoundError, files.StorageFull) as error:
        raise Http404 from error
    kind = thumbnails.MEDIA_TYPE if small else stored.media_type
    response = FileResponse(content, content_type=kind, filename=found.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; img-src 'self'"
    patch_cache_control(response, private=True, max_age=0, must_revalidate=True)
    return response


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    found = _photo_or_404(request, pk)
    try:
        inspecting.remove_photo(found, request.user)
    except inspecting.NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已删除照片“{name}”。").format(name=found.name))
    page = reverse(
        "assessments:inspection_criterion",
        args=[found.inspection_id, found.indicator.criterion.number],
    )
    return redirect(f"{page}#{found.indicator.code}")
