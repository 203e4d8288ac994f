"""现场核查 on paper: the list that was drawn, and the minutes of one visit."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.files.storage import default_storage

from assessments import files, printing, thumbnails
from assessments.models import (
    Criterion,
    FindingPhoto,
    Indicator,
    Inspection,
    InspectionDraw,
    InspectionFinding,
)

_STYLE = "assessments/print/decisions.css"


def lot(draw: InspectionDraw, inspections: Iterable[Inspection]) -> bytes:
    """Raises printing.PrintingUnavailable."""
    return printing.pdf(
        "assessments/print/lot.html", _STYLE, {"draw": draw, "inspections": list(inspections)}
    )


@dataclass(frozen=True)
class Row:
    """One indicator of the minutes; blank for handwriting where nothing was written yet."""

    indicator: Indicator
    finding: InspectionFinding | None
    pictures: list[str]


def minutes(
    inspection: Inspection, outline: Iterable[tuple[Criterion, Iterable[Indicator]]]
) -> bytes:
    """With small copies of the photos. Raises printing.PrintingUnavailable."""
    findings = {one.indicator_id: one for one in inspection.findings.select_related("indicator")}
    pictures: dict[int, list[str]] = {}
    for photo in inspection.photos.select_related("stored_file"):
        pictures.setdefault(photo.indicator_id, []).extend(_picture(photo))
    parts = [
        (criterion, [Row(one, findings.get(one.pk), pictures.get(one.pk, [])) for one in some])
        for criterion, some in outline
    ]
    return printing.pdf(
        "assessments/print/minutes.html",
        _STYLE,
        {
            "inspection": inspection,
            "inspectors": list(inspection.inspectors.all()),
            "parts": parts,
        },
    )


def _picture(photo: FindingPhoto) -> list[str]:
    """As data, since a printed document loads nothing; none where it cannot be had."""
    if photo.stored_file.is_quarantined:
        return []
    try:
        path = files.thumbnail_of(photo.stored_file)
        if not path:
            return []
        with default_storage.open(path, "rb") as content:
            encoded = base64.b64encode(content.read()).decode()
    except (FileNotFoundError, files.StorageFull):
        return []
    return [f"data:{thumbnails.MEDIA_TYPE};base64,{encoded}"]
