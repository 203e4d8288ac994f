"""The letter of a decision, and the list for the meeting, as PDF."""

from __future__ import annotations

import io
from itertools import groupby

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from assessments import letters, printing
from assessments.exports import decisions as exported
from assessments.views.decisions import batch_or_404, lines_of
from organizations.choices import Tier


@require_safe
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """评定结果通知书, for the union, those above it, and the city; a superseded one is marked."""
    decision = get_object_or_404(letters.readable_by(request.user), pk=pk)
    found = letters.write(decision)
    return as_pdf(
        request, lambda: exported.letter(found), found.file_name, decision.self_assessment
    )


@require_safe
def batch_letters(request: HttpRequest, pk: int) -> HttpResponse:
    """All letters of a list that was applied, in one document."""
    batch = batch_or_404(request, pk)
    decisions = letters.readable_by(request.user).filter(batch=batch).order_by("number")
    found = letters.write_all(decisions)
    if not found:
        messages.info(request, gettext("名单还没有作出评定，没有通知书。"))
        return redirect(batch)
    return as_pdf(request, lambda: exported.letters(found), f"{batch} 评定结果通知书", batch)


@require_safe
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    """评定会材料: the list by tier, for the meeting."""
    batch = batch_or_404(request, pk)
    lines = lines_of(request, batch)
    parts = [
        exported.TierPart(Tier(tier).label, list(some))
        for tier, some in groupby(lines, key=lambda one: one.self_assessment.rubric.tier)
    ]
    return as_pdf(request, lambda: exported.meeting(batch, parts), f"{batch} 评定会材料", batch)


def as_pdf(request: HttpRequest, draw, name: str, back) -> HttpResponse:
    try:
        content = draw()
    except printing.PrintingUnavailable as error:
        messages.error(request, str(error))
        return redirect(back)
    return FileResponse(io.BytesIO(content), filename=f"{name}.pdf", content_type="application/pdf")
