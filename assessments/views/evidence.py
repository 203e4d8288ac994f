"""One file of evidence: looking at it, having it, saying what it is, deleting it.

Every byte is served through the permission check, and never as a document of the portal's own
origin: a download, or shown by the browser in a sandbox.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from assessments import files, library, permissions, thumbnails
from assessments.forms.evidence import EvidenceForm
from assessments.models import (
    CasePhoto,
    Evidence,
    NoticeFile,
    PlanVersion,
    StoredFile,
    SupervisionFile,
)

#: Nothing of the file runs in the portal's name: it has an origin of its own, loads nothing, and
#: only the portal's viewer may frame it. The sandbox is the response's, not the frame's, because
#: Chromium refuses its PDF viewer in a frame with a sandbox attribute; Safari's needs scripts.
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self'; frame-ancestors 'self'"
)


def _readable_or_404(request: HttpRequest, pk: int) -> Evidence:
    evidence = get_object_or_404(
        Evidence.objects.select_related("stored_file", "organization", "uploaded_by"), pk=pk
    )
    if not permissions.may_read_evidence(request.user, evidence):
        raise Http404
    return evidence


def _own_or_404(request: HttpRequest, pk: int) -> Evidence:
    evidence = _readable_or_404(request, pk)
    if not permissions.may_keep_evidence(request.user, evidence.organization):
        raise Http404
    return evidence


def file_response(
    kept: CasePhoto | Evidence | NoticeFile | PlanVersion | SupervisionFile, *, as_attachment: bool
) -> FileResponse:
    """The bytes, sandboxed; 404 for what may not be opened or is gone."""
    stored = kept.stored_file
    if stored.is_quarantined:
        raise Http404
    try:
        file = stored.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        file, as_attachment=as_attachment, filename=kept.name, content_type=stored.media_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _SANDBOX
    patch_cache_control(response, private=True, max_age=0, must_revalidate=True)
    return response


@require_safe
def download(request: HttpRequest, pk: int) -> FileResponse:
    return file_response(_readable_or_404(request, pk), as_attachment=True)


@require_safe
@xframe_options_sameorigin
def content(request: HttpRequest, pk: int) -> FileResponse:
    """The bytes of a picture or a PDF, for the viewer; other kinds are downloads only."""
    evidence = _readable_or_404(request, pk)
    if not (evidence.stored_file.is_image or evidence.stored_file.is_pdf):
        raise Http404
    return file_response(evidence, as_attachment=False)


@require_safe
def thumbnail(request: HttpRequest, pk: int) -> FileResponse:
    return thumbnail_response(_readable_or_404(request, pk).stored_file)


def thumbnail_response(stored: StoredFile) -> FileResponse:
    """The small copy of a picture; 404 for what has none, may not be opened, or is gone."""
    if stored.is_quarantined:
        raise Http404
    try:
        path = files.thumbnail_of(stored)
        if not path:
            raise Http404
        file = default_storage.open(path, "rb")
    except (FileNotFoundError, files.StorageFull) as error:
        raise Http404 from error
    response = FileResponse(file, content_type=thumbnails.MEDIA_TYPE)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _SANDBOX
    patch_cache_control(response, private=True, max_age=3600)
    return response


@require_safe
def view(request: HttpRequest, pk: int) -> HttpResponse:
    """The file on a page: a picture, a PDF in its frame, anything else to download."""
    evidence = _readable_or_404(request, pk)
    own = permissions.may_keep_evidence(request.user, evidence.organization)
    return render(
        request,
        "assessments/evidence/view.html",
        {
            "evidence": evidence,
            "may_change": own and library.why_fixed(evidence) is None,
            "is_own": own,
            "back": _back(request, evidence),
        },
    )


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    evidence = _own_or_404(request, pk)
    reason = library.why_fixed(evidence)
    form = EvidenceForm(request.POST or None, instance=evidence)
    if request.method == "POST" and form.is_valid() and reason is None:
        try:
            library.describe(evidence, **form.cleaned_data, by=request.user)
        except files.EvidenceRefused as error:
            reason = str(error)
        else:
            messages.success(request, gettext("已保存。"))
            return redirect(_back(request, evidence))
    return render(
        request,
        "assessments/evidence/edit.html",
        {"evidence": evidence, "form": form, "reason": reason, "back": _back(request, evidence)},
        status=409 if request.method == "POST" and reason else 200,
    )


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asked first: a file that is gone cannot be brought back."""
    evidence = _own_or_404(request, pk)
    reason = library.why_not_deletable(evidence)
    if request.method == "POST" and reason is None:
        try:
            library.delete(evidence, request.user)
        except files.EvidenceRefused as error:
            reason = str(error)
        else:
            messages.success(request, gettext("已删除“{name}”。").format(name=evidence.name))
            return redirect(_library_of(evidence))
    return render(
        request,
        "assessments/evidence/delete.html",
        {"evidence": evidence, "reason": reason, "back": _back(request, evidence)},
        status=409 if request.method == "POST" and reason else 200,
    )


def _library_of(evidence: Evidence) -> str:
    query = urlencode({"union": evidence.organization_id})
    return f"{reverse('assessments:library')}?{query}"


def _back(request: HttpRequest, evidence: Evidence) -> str:
    """Where the user came from, if that is a page of the portal; else the library, or the file."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=settings.HTTPS):
        return target
    if permissions.may_see_library(request.user, evidence.organization):
        return _library_of(evidence)
    return ""
