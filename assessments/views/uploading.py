"""Uploads from a page's script, piece by piece: what `static/js/uploads.js` talks to.

Answers are JSON with a `message` in Chinese where something is wrong. Without a session the
answer is 401 and not the page to sign in: the script waits, and goes on after the sign-in.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from assessments import answering, files, incoming, permissions
from assessments.incoming import Target
from assessments.models import Indicator, PartialUpload
from assessments.views.access import readable_or_404
from organizations.models import Organization

_MOST_DIGITS = 15  # JavaScript counts exactly as far
_BLOCK = 64 * 1024


def refused_while_arriving(request: HttpRequest, field: str) -> list[str]:
    """Messages for the files that the upload handlers dropped: too large, or the disk is full."""
    large = getattr(request, "oversize_files", {}).get(field, [])
    unstored = getattr(request, "unstored_files", {}).get(field, [])
    return [files.too_large_message(name) for name in large] + [
        gettext("“{name}”：{reason}").format(name=name, reason=files.FULL) for name in unstored
    ]


def _refusal(message: str, status: int, **more: Any) -> JsonResponse:
    return JsonResponse({"message": message} | more, status=status)


def _signed_out() -> JsonResponse:
    return _refusal(
        gettext("登录已过期，请重新登录，上传会接着进行。"), 401, login=reverse("login")
    )


@login_not_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Announce a file by name, size and time of change; 201 with its address and the offset to
    go on from."""
    if not request.user.is_authenticated:
        return _signed_out()
    target = _target(request)
    try:
        upload = incoming.begin(
            target=target,
            name=request.POST.get("name", ""),
            size=_number(request.POST.get("size")),
            modified=_number(request.POST.get("modified")),
            by=request.user,
        )
    except answering.NotEditable as error:
        return _refusal(str(error), 409)
    except files.EvidenceRefused as error:
        return _refusal(str(error), 422)
    return JsonResponse({"url": upload.get_absolute_url(), "offset": upload.offset}, status=201)


def _number(text: str | None) -> int:
    """A whole number from a script; nonsense counts as nothing."""
    return int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def _target(request: HttpRequest) -> Target:
    """Where the file is to go; 404 where the user may not write."""
    if "assessment" in request.POST:
        assessment = readable_or_404(request, _number(request.POST["assessment"]))
        if not permissions.may_fill_in(request.user, assessment):
            raise Http404
        indicator = get_object_or_404(
            Indicator,
            criterion__rubric=assessment.rubric_id,
            code=request.POST.get("indicator", ""),
        )
        return Target(assessment.organization, assessment, indicator)
    union = get_object_or_404(
        Organization.objects.visible_to(request.user),
        pk=_number(request.POST.get("organization")),
    )
    if not permissions.may_keep_evidence(request.user, union):
        raise Http404
    return Target(union)


@login_not_required
@require_http_methods(["HEAD", "PATCH", "DELETE"])
def upload(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """HEAD asks how far a file has come, PATCH adds a piece, DELETE cancels."""
    if not request.user.is_authenticated:
        return _signed_out()
    found = incoming.own(pk, request.user)
    if found is None:
        raise Http404
    if request.method == "DELETE":
        incoming.cancel(found)
        return HttpResponse(status=204)
    if request.method == "HEAD":
        return _offset(HttpResponse(), found)
    return _append(request, found)


def _offset(response: HttpResponse, upload: PartialUpload) -> HttpResponse:
    response["Upload-Offset"], response["Upload-Length"] = upload.offset, upload.size
    return response


def _append(request: HttpRequest, found: PartialUpload) -> HttpResponse:
    offset = _number(request.headers.get("Upload-Offset"))
    length = _number(request.headers.get("Content-Length"))
    if length > incoming.MAX_PIECE:
        return _refusal(gettext("一次传得太多。"), 413)
    piece = _read(request, length)
    try:
        found = incoming.append(found, offset, piece)
        if found.offset < found.size:
            return _offset(HttpResponse(status=204), found)
        done = incoming.finish(found, request.user)
    except incoming.OffsetMismatch as error:
        return _refusal(gettext("上传位置不一致。"), 409, offset=error.offset)
    except files.StorageFull as error:
        return _refusal(str(error), 507)
    except files.EvidenceRefused as error:
        return _refusal(str(error), 422)
    return JsonResponse(
        {"evidence": done.evidence.pk, "name": done.evidence.name, "notice": done.notice}
    )


def _read(request: HttpRequest, length: int) -> bytes:
    """What has come of the piece: all of it, or less when the connection broke."""
    blocks = []
    try:
        while length > 0 and (block := request.read(min(_BLOCK, length))):
            blocks.append(block)
            length -= len(block)
    except UnreadablePostError:
        pass
    return b"".join(blocks)
