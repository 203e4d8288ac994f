"""What somebody of the city made of a flag (雷同核实)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from assessments import answering, deadlines, permissions
from assessments.choices import SimilarityFinding
from assessments.models import Similarity
from organizations.audit import record
from organizations.choices import Role
from organizations.models import User

_CITY_ROLES = (Role.REVIEWER, Role.LEAD_REVIEWER, Role.ADMIN)


class NotPossible(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


def stamp(pair: Similarity) -> str:
    """What the page showed of the finding, to be carried by the form that replaces it."""
    return f"{pair.finding}|{pair.judged_at.isoformat() if pair.judged_at else ''}"


def anew(pair: Similarity) -> Similarity:
    """The flag as it is now; as it was where it is gone."""
    return Similarity.objects.with_sides().filter(pk=pair.pk).first() or pair


@transaction.atomic
def judge(pair: Similarity, *, finding: str, remark: str, seen: str, by: User) -> Similarity:
    """Put on record what became of a flag (雷同核实), so that nobody looks at it twice. `seen` is
    the `stamp` of what the page showed.

    Raises NotPossible where the flag is gone, somebody else was faster, or the user may not.
    """
    locked = (
        Similarity.objects.select_for_update(of=("self",)).with_sides().filter(pk=pair.pk).first()
    )
    if locked is None:
        raise NotPossible(gettext("这条提示已经不在了：申报工会重新提交了材料。"))
    if not permissions.may_judge_similarity(by, locked):
        raise NotPossible(gettext("您不能核实这条提示（须回避，或已取消分派）。"))
    if stamp(locked) != seen:
        raise NotPossible(
            gettext("您打开页面之后，{user}已经作出核实。请看过之后再提交。").format(
                user=locked.judged_by
            )
        )
    before = locked.finding
    locked.finding, locked.remark = SimilarityFinding(finding), remark
    locked.judged_by, locked.judged_at = by, deadlines.now()
    locked.save(update_fields=["finding", "remark", "judged_by", "judged_at"])
    record(
        action=f"SIMILARITY_{locked.finding}",
        by=by,
        subject=locked,
        details=answering.capacity(by, locked.left_assessment, _CITY_ROLES)
        | {
            "city": True,
            "kind": locked.kind,
            "assessments": [locked.left_assessment_id, locked.right_assessment_id],
            "codes": [locked.left.codes, locked.right.codes],
            "exact": [locked.left.exact, locked.right.exact],
            "degree": locked.degree,
            "before": before,
            "reason": remark,
        },
    )
    return locked
