"""What follows a transition, in its transaction: each effect returns what goes on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from assessments import (
    assigning,
    deadlines,
    decisions,
    endorsing,
    publicity,
    reviewing,
    revisions,
    similarity,
    standings,
    verdicts,
    verification,
    worksheet,
)
from assessments.choices import AdjustmentSource
from assessments.models import (
    Indicator,
    Return,
    ReturnRemark,
    ReviewCriterion,
    RevisionEvidence,
    SealedScan,
    Standing,
)
from assessments.scoring import storable
from assessments.workflow.context import Context, Problem, TransitionRefused


def freeze_revision(context: Context) -> dict[str, Any]:
    """Freeze what was handed in, numbered, with the place in the tree and the self-score."""
    assessment = context.assessment
    result = worksheet.result_of(context.sections, assessment.campaign)
    assessment.revision += 1
    assessment.submitted_at = context.at
    assessment.self_total = storable(result.total)
    assessment.place = assessment.organization.path
    assessment.correction_due = None
    assessment.sign_requested_at = assessment.sign_requested_by = None
    revision = revisions.freeze(assessment, context.sections, result)
    revision.submitted_by, revision.submitted_at = context.by, context.at
    revision.signatory = context.details.get("signatory", "")
    revision.digest = verification.digest_of(revision)
    revision.save()
    RevisionEvidence.objects.bulk_create(
        RevisionEvidence(revision=revision, indicator=line.indicator, evidence=evidence)
        for line in context.lines
        for evidence in line.evidence
    )
    on_record = {"revision": assessment.revision, "self_total": str(assessment.self_total)}
    if revision.filled_by_proxy:
        on_record["proxy"] = revision.filled_by_proxy
    scan = context.details.get("scan")
    if scan is not None:
        SealedScan.objects.create(revision=revision, evidence=scan, uploaded_by=context.by)
        on_record |= {"signatory": revision.signatory, "file": scan.name}
    return on_record


def look_for_similar(context: Context) -> None:
    """Once it stands: what others have handed in alike (雷同), or no more."""
    similarity.refresh_later(context.assessment)


def write_endorsement(context: Context) -> dict[str, Any]:
    """The superior's draft becomes its endorsement; an earlier one stays on record."""
    assessment, details = context.assessment, context.details
    assessment.endorsements.standing().update(superseded_at=context.at)
    draft = endorsing.write_draft(assessment, context.by)
    draft.opinion, draft.rank = details["opinion"], details.get("rank")
    draft.author, draft.at = context.by, context.at
    on_record: dict[str, Any] = {"opinion": draft.opinion}
    scores = {score.indicator_id: score for score in draft.scores.all()}
    if scores and endorsing.policy_of(assessment).endorsement_scores:
        draft.total = storable(endorsing.result_of(assessment, context.lines, scores).total)
        draft.findings = endorsing.findings_of(assessment, context.lines, scores)
        on_record["total"] = str(draft.total)
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError:  # two at once: the database keeps the ranks apart
        raise TransitionRefused(Problem(gettext("这个名次刚刚给了另一个工会，请另选。"))) from None
    return on_record | ({"rank": draft.rank} if draft.rank else {})


def withdraw_endorsement(context: Context) -> dict[str, Any]:
    context.assessment.endorsements.standing().update(withdrawn_at=context.at)
    return {}


def note_missing_endorsement(context: Context) -> dict[str, Any]:
    """Everybody may know that the city went on without the superior."""
    return {"note": "上级逾期未初审"} if endorsing.awaits_superior(context.assessment) else {}


def write_return(context: Context) -> dict[str, Any]:
    """`remarks` maps indicators to what is wanting there. The union has until `due_on`, or else
    `correction_days`, and never less than it had before."""
    assessment = context.assessment
    days = dt.timedelta(days=assessment.campaign.correction_days)
    due = context.details.get("due_on") or deadlines.local_day(context.at) + days
    assessment.correction_due = max(due, deadlines.due_on(assessment))
    sent_back = Return.objects.create(
        self_assessment=assessment,
        revision=assessment.revision,
        author=context.by,
        reason=context.details.get("reason", ""),
        due_on=assessment.correction_due,
    )
    remarks: Mapping[Indicator, str] = context.details["remarks"]
    ReturnRemark.objects.bulk_create(
        ReturnRemark(of_return=sent_back, indicator=indicator, text=text)
        for indicator, text in remarks.items()
    )
    _open_reviews_again(context)
    return {
        "reason": sent_back.reason,
        "due_on": sent_back.due_on.isoformat(),
        "indicators": [indicator.code for indicator in remarks],
    }


def take_back_corrections(context: Context) -> dict[str, Any]:
    """What counts is what was handed in: the half-done corrections go, and stay on record."""
    assessment = context.assessment
    revision = assessment.revisions.get(number=assessment.revision)
    revisions.restore(assessment, revision, context.by, context.at)
    assessment.correction_due = None
    return {"reason": context.details["reason"], "revision": revision.number}


def point_reviews_at_revision(context: Context) -> dict[str, Any]:
    """What has changed since the reviewers scored must be scored anew."""
    assessment = context.assessment
    changed = reviewing.clear_outdated(assessment)
    assessment.reviews.update(revision=assessment.revision)
    return {"revision": assessment.revision, "changed": changed}


def complete_own_review(context: Context) -> dict[str, Any]:
    review = context.own_review
    assert review is not None  # the guard has seen it, and the row is locked
    review.completed_at, review.opinion = context.at, context.details.get("opinion", "")
    review.revision = context.assessment.revision
    result = verdicts.result_of(context.assessment, review, context.lines)
    review.total = storable(result.total)
    review.save(update_fields=["completed_at", "opinion", "revision", "total"])
    review.criteria.all().delete()
    ReviewCriterion.objects.bulk_create(
        ReviewCriterion(
            review=review,
            number=criterion.number,
            points=storable(criterion.points),
            maximum=storable(criterion.maximum),
        )
        for criterion in result.criteria
    )
    return {"revision": review.revision}


def note_standing(context: Context) -> dict[str, Any]:
    """Once all are in: what they come to, and where they are too far apart, for the lead."""
    if others_are_scoring(context):
        return {}
    discrepant = context.verdict.discrepant
    standings.write(context.assessment, context.verdict)
    context.assessment.discrepant = verdicts.as_digits(discrepant)
    return {"discrepant": list(discrepant)} if discrepant else {}


def reopen_reviews(context: Context) -> dict[str, Any]:
    _open_reviews_again(context)
    return {"reason": context.details["reason"]}


def _open_reviews_again(context: Context) -> None:
    """What was settled between the reviewers, or set at the decision, is theirs to score anew; what
    a check on site found stays."""
    assessment = context.assessment
    assessment.reviews.update(completed_at=None)
    assessment.arbitrations.filter(lapsed_at=None).update(lapsed_at=context.at)
    assessment.adjustments.filter(
        lapsed_at=None, source__in=(AdjustmentSource.ARBITRATION, AdjustmentSource.DECISION)
    ).update(lapsed_at=context.at)
    assessment.discrepant = ""
    Standing.objects.filter(self_assessment=assessment).delete()


def write_decision(context: Context) -> dict[str, Any]:
    return write_decisions([context])[0]


def write_decisions(contexts: Sequence[Context]) -> list[dict[str, Any]]:
    """Of many at a time, decided by one person at one moment: for each what goes on record."""
    made = decisions.write(
        [
            decisions.Ruling(
                context.assessment,
                context.verdict,
                context.details.get("opinion", ""),
                context.details.get("pending"),
            )
            for context in contexts
        ],
        by=contexts[0].by,
        at=contexts[0].at,
    )
    return [
        ({"override_reason": decision.override_reason} if decision.is_overridden else {})
        | {
            "outcome": decision.outcome,
            "number": decision.number,
            "total": str(decision.total),
            "met": [one.number for one in context.verdict.result.criteria if one.met],
        }
        for context, decision in zip(contexts, made, strict=True)
    ]


def supersede_decision(context: Context) -> dict[str, Any]:
    reason = context.details["reason"]
    context.assessment.decisions.filter(superseded_at=None).update(
        superseded_at=context.at, superseded_reason=reason
    )
    return {"reason": reason}


def others_are_scoring(context: Context) -> bool:
    """Whether fewer reviewers have finished than the campaign asks for."""
    completed = context.assessment.reviews.filter(completed_at__isnull=False).count()
    open_ = context.assessment.reviews.filter(completed_at=None).count()
    return open_ > 0 or completed < assigning.required_reviewers(context.assessment)


def list_publicly(context: Context) -> dict[str, Any]:
    return list_publicly_many([context])[0]


def list_publicly_many(contexts: Sequence[Context]) -> list[dict[str, Any]]:
    """On the list of the period that was opened for them, or of one that is opened now."""
    first = contexts[0]
    period = first.details.get("period") or publicity.open_period(
        first.assessment.campaign, first.by, first.at
    )
    publicity.enter(period, [context.assessment for context in contexts])
    return [{"period": period.number, "until": period.closes_on.isoformat()}] * len(contexts)


def take_off_list(context: Context) -> dict[str, Any]:
    publicity.take_off(context.assessment, context.at)
    return {"reason": context.details["reason"]}


def settle_appeals(context: Context) -> None:
    """All that is open against the result: one of them is enough to have it reviewed anew."""
    publicity.settle(context.assessment, context.details["reason"], context.by, context.at)


def become_final(contexts: Sequence[Context]) -> list[dict[str, Any]]:
    return [{} for _ in contexts]
