"""A self-assessment that was sent back (退回修改): the union answers each remark, and opens what
else its corrections touch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext

from assessments import answering, deadlines, versions
from assessments.answering import NotEditable
from assessments.choices import State
from assessments.models import Indicator, Return, ReturnRemark, Revision, SelfAssessment
from organizations.audit import record
from organizations.models import User


def latest_return(assessment: SelfAssessment) -> Return | None:
    """What the union is asked to mend; None unless it is being mended."""
    return assessment.returns.first() if assessment.state == State.RETURNED else None


def unanswered(assessment: SelfAssessment) -> list[ReturnRemark]:
    """The remarks that the union has not answered yet."""
    latest = latest_return(assessment)
    if latest is None:
        return []
    return list(
        latest.remarks.filter(opened_by_union=False, reply="").select_related(
            "indicator__criterion"
        )
    )


@dataclass(frozen=True)
class Correction:
    """What was wanting at an indicator when it was last sent back, what the union answered, and
    what it changed since."""

    remark: ReturnRemark
    differences: list[versions.Difference]


def corrections(
    assessment: SelfAssessment, indicators: Collection[Indicator]
) -> dict[str, Correction]:
    """By code, for those of the indicators that the last return asked about or opened, in what has
    been handed in since. One query; none before the second submission."""
    if not indicators or assessment.revision < 2 or assessment.is_editable_state:
        return {}
    latest = Return.objects.filter(
        self_assessment=assessment, revision__lt=assessment.revision
    ).order_by("-at", "-pk")
    contents = Revision.objects.filter(self_assessment=assessment)
    remarks = (
        ReturnRemark.objects.filter(
            of_return=Subquery(latest.values("pk")[:1]), indicator__in=indicators
        )
        .select_related("indicator", "replied_by")
        .annotate(
            before=Subquery(
                contents.filter(number=OuterRef("of_return__revision")).values("content")
            ),
            after=Subquery(contents.filter(number=assessment.revision).values("content")),
        )
    )
    return {
        remark.indicator.code: Correction(
            remark,
            versions.differences(
                remark.indicator.rule,
                remark.before.get(remark.indicator.code, {}),
                remark.after.get(remark.indicator.code, {}),
            ),
        )
        for remark in remarks
    }


@transaction.atomic
def reply(assessment: SelfAssessment, replies: Mapping[int, str], by: User) -> int:
    """Store the answers to the remarks, by the remark's key; how many were changed.

    Raises NotEditable.
    """
    latest = _locked_return(assessment, by)
    now = deadlines.now()
    changed = []
    for remark in latest.remarks.filter(opened_by_union=False):
        text = replies.get(remark.pk)
        if text is not None and text != remark.reply:
            remark.reply, remark.replied_by, remark.replied_at = text, by, now
            changed.append(remark)
    ReturnRemark.objects.bulk_update(changed, ["reply", "replied_by", "replied_at"])
    return len(changed)


@transaction.atomic
def open_too(assessment: SelfAssessment, indicator: Indicator, reason: str, by: User) -> None:
    """Open one more indicator, because a correction elsewhere touches it (twice is once); the
    superior and the city see which, and why.

    Raises NotEditable.
    """
    latest = _locked_return(assessment, by)
    _, created = latest.remarks.get_or_create(
        indicator=indicator, defaults={"text": reason, "opened_by_union": True}
    )
    if created:
        record(
            action="OPEN_TOO",
            by=by,
            subject=assessment,
            details=answering.capacity(by, assessment)
            | {"indicator": indicator.code, "reason": reason},
        )


def _locked_return(assessment: SelfAssessment, by: User) -> Return:
    latest = latest_return(answering.lock(assessment, by))
    if latest is None:
        raise NotEditable(gettext("该申报没有被退回，不需要答复。"))
    return latest
