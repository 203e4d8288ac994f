"""Certificates (命名证书) as PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import segno

from assessments import printing
from assessments.models import Recognition


def certificates(found: Iterable[Recognition], link_of: Callable[[Recognition], str]) -> bytes:
    """Each on a page of its own; `link_of` says where its QR code leads. Raises
    printing.PrintingUnavailable."""
    pages = [
        (one, segno.make(link_of(one), error="m").png_data_uri(scale=4, border=1)) for one in found
    ]
    return printing.pdf(
        "assessments/print/certificates.html",
        "assessments/print/certificates.css",
        {"pages": pages},
    )
