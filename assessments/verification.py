"""Whether a paper form (申报表) agrees with what was handed in: its code, and its digest."""

from __future__ import annotations

import hashlib
import json

from assessments.models import Revision
from organizations.one_time_codes import plain


def digest_of(revision: Revision) -> str:
    """SHA-256 of everything that the revision froze, as 64 hexadecimal digits."""
    frozen = {
        "self_assessment": revision.self_assessment_id,
        "number": revision.number,
        "place": revision.place,
        "content": revision.content,
        "facts": revision.facts,
        "filled_by_proxy": revision.filled_by_proxy,
        "signatory": revision.signatory,
        "self_total": f"{revision.self_total:.6f}",
        "submitted_at": revision.submitted_at.timestamp(),
    }
    text = json.dumps(frozen, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_unaltered(revision: Revision) -> bool:
    """Whether what is stored is still what was handed in."""
    return revision.digest == digest_of(revision)


def spaced(code: str) -> str:
    """A code in groups of four, as it is printed: K7QF-2MXW-9HTC-4DKP."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def find(typed: str) -> Revision | None:
    """The revision of a code, however it was typed."""
    code = plain(typed)
    if len(code) != Revision._meta.get_field("code").max_length:
        return None
    return (
        Revision.objects.filter(code=code)
        .select_related("self_assessment__campaign", "self_assessment__organization")
        .first()
    )
