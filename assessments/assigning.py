"""Assignment: who reviews which self-assessment (分派)."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from assessments import answering, permissions
from assessments.choices import State
from assessments.models import Review, SelfAssessment
from organizations.audit import record
from organizations.choices import NotificationKind
from organizations.models import User
from organizations.notifications import notify

#: States in which a reviewer can be given a self-assessment.
ASSIGNABLE_STATES = (State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW)


class NotAllowed(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


@transaction.atomic
def assign(assessment: SelfAssessment, reviewer: User, by: User) -> Review:
    """Give the self-assessment to a reviewer (twice is once).

    Raises NotAllowed on a conflict of interest (回避) of the reviewer or of the one who assigns,
    a wrong state, or too many reviewers.
    """
    locked = _lock_for_lead(assessment, by)
    if locked.state not in ASSIGNABLE_STATES:
        raise NotAllowed(f"“{locked.organization}”目前是“{locked.get_state_display()}”，不能分派。")
    if not permissions.may_be_assigned(reviewer, locked.organization):
        raise NotAllowed(f"{reviewer} 不能评审“{locked.organization}”：须回避，或不是评审员。")
    existing = locked.reviews.filter(reviewer=reviewer).first()
    if existing:
        return existing
    if locked.reviews.count() >= required_reviewers(locked):
        raise NotAllowed(f"“{locked.organization}”的评审员已经满额。")
    review = Review.objects.create(
        self_assessment=locked, reviewer=reviewer, revision=locked.revision, assigned_by=by
    )
    _record("ASSIGN", locked, by, reviewer)
    notify(
        [reviewer],
        kind=NotificationKind.TURN,
        text=f"“{locked.organization.name}”的申报已分派给您评审。",
        link=review.get_absolute_url(),
        by=by,
        topic=f"assigned {locked.campaign_id}",
        many="有 {count} 份申报新分派给您评审。",
        many_link=reverse("assessments:review_list"),
    )
    return review


@transaction.atomic
def unassign(assessment: SelfAssessment, reviewer: User, by: User) -> None:
    """Take the self-assessment from a reviewer who has not completed it, or who must stand back
    (回避); the scores go too. Raises NotAllowed.
    """
    locked = _lock_for_lead(assessment, by)
    review = locked.reviews.filter(reviewer=reviewer).first()
    if review is None:
        return
    free = not permissions.has_conflict(reviewer, locked.organization)
    if (review.is_complete and free) or locked.state not in ASSIGNABLE_STATES:
        raise NotAllowed(f"“{locked.organization}”的评审已经完成，不能取消分派。")
    review.delete()
    _record("UNASSIGN", locked, by, reviewer)


def lock(assessment: SelfAssessment) -> SelfAssessment:
    """The row, locked for this transaction and read anew."""
    return (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )


def _lock_for_lead(assessment: SelfAssessment, by: User) -> SelfAssessment:
    locked = lock(assessment)
    if not permissions.may_lead(by, locked):
        raise NotAllowed(f"您须回避“{locked.organization}”，不能分派。")
    return locked


def _record(action: str, assessment: SelfAssessment, by: User, reviewer: User) -> None:
    details = answering.capacity(by, assessment) | {"reviewer": reviewer.username}
    record(action=action, by=by, subject=assessment, details=details)


def required_reviewers(assessment: SelfAssessment) -> int:
    """How many reviewers the campaign wants for this tier (评审人数)."""
    return (
        assessment.campaign.policies.filter(tier=assessment.rubric.tier)
        .values_list("reviewers", flat=True)
        .get()
    )
