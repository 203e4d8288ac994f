"""Recusals (回避): a reviewer stands back, or is told to; what they were to review goes back to the
lead. Who must stand back by office is `permissions.has_conflict`'s business."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils.translation import gettext

from assessments import answering, assigning, audiences
from assessments.assigning import NotAllowed
from assessments.choices import State, Withdrawal
from assessments.models import Recusal, Review
from organizations.audit import record, record_many
from organizations.choices import Act, NotificationKind, Tier
from organizations.models import Membership, Organization, User
from organizations.models.organization import within
from organizations.notifications import notify

#: While the city has it or the union mends it, the review is withdrawn at once. Later the verdict
#: rests on it: the decision is stopped instead (`workflow.guards.reviewers_are_free`).
_WITHDRAWN_IN = (*assigning.ASSIGNABLE_STATES, State.RETURNED)
_SETTLED_IN = (State.UNDER_REVIEW, State.REVIEWED)
#: Sorts after every digit of a path.
_END = Value("a")


@transaction.atomic
def declare(
    reviewer: User, organization: Organization, reason: str, by: User
) -> tuple[Recusal, int]:
    """The reviewer sees nothing more of the union nor of what is below it; what they have open
    there is withdrawn: how many that were. The leads are told when the reviewer asked for it.
    Raises NotAllowed where it is on record already.
    """
    try:
        with transaction.atomic():
            recusal = Recusal.objects.create(
                reviewer=reviewer, organization=organization, reason=reason, declared_by=by
            )
    except IntegrityError:
        raise NotAllowed(
            gettext("{reviewer} 对“{organization}”的回避已经登记过。").format(
                reviewer=reviewer, organization=organization
            )
        ) from None
    withdrawn = _withdraw(reviewer, organization, by)
    details = {"organization": organization.name, "reason": reason, "withdrawn": withdrawn}
    record(action=Act.RECUSAL_DECLARED, by=by, subject=reviewer, details=details)
    if by == reviewer:
        below = within(organization.path, "self_assessment__organization__path")
        kept = settled(Review.objects.filter(below, reviewer=reviewer)).count()
        parts = [f"已取消分派 {withdrawn} 份，请另行分派"] if withdrawn else []
        parts += [f"已评完的 {kept} 份须退回评审员后改派"] if kept else []
        notify(
            audiences.leads(organization),
            kind=NotificationKind.TURN,
            text="，".join([f"{reviewer} 申请回避“{organization}”", *parts]) + "。",
            link=reverse(f"assessments:{'assignment' if withdrawn else 'recusal'}_list"),
            by=by,
        )
    return recusal, withdrawn


@transaction.atomic
def lift(recusal: Recusal, reason: str, by: User) -> None:
    """解除回避: the reviewer can be given the union again, and finds the scores of then."""
    found = Recusal.objects.select_for_update().filter(pk=recusal.pk).first()
    if found is None:
        raise NotAllowed(gettext("这项回避已经解除。"))
    details = {
        "organization": found.organization.name,
        "declared_reason": found.reason,
        "reason": reason,
    }
    record(action=Act.RECUSAL_LIFTED, by=by, subject=found.reviewer, details=details)
    found.delete()


def _withdraw(reviewer: User, organization: Organization, by: User) -> int:
    waiting = Review.objects.filter(
        within(organization.path, "self_assessment__organization__path"),
        reviewer=reviewer,
        self_assessment__state__in=_WITHDRAWN_IN,
    )
    keys = list(waiting.order_by("self_assessment").values_list("self_assessment", flat=True))
    for start in range(0, len(keys), assigning.BATCH):
        assessments = list(
            assigning.locked(keys[start : start + assigning.BATCH]).filter(state__in=_WITHDRAWN_IN)
        )
        held = Review.objects.filter(reviewer=reviewer, self_assessment__in=assessments)
        assigning.withdraw(held, Withdrawal.RECUSED, by)
        details = {"reviewer": reviewer.username, "withdrawal": Withdrawal.RECUSED}
        record_many(
            action="UNASSIGN",
            by=by,
            entries=((one, answering.capacity(by, one) | details) for one in assessments),
        )
    return len(keys)


def settled(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Completed, and what they come to awaits its decision: with `conflicted`, those that the lead
    has to have scored anew by somebody else."""
    return reviews.filter(completed_at__isnull=False, self_assessment__state__in=_SETTLED_IN)


def conflicted(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Those whose reviewer must stand back by now, because the union moved, a role was given or a
    recusal entered: the rule of `permissions.has_conflict`, in the database."""
    path = OuterRef("self_assessment__organization__path")
    recused = Recusal.objects.annotate(
        top=F("organization__path"), end=Concat(F("organization__path"), _END)
    ).filter(reviewer=OuterRef("reviewer"), top__lte=path, end__gt=path)
    own = (
        Membership.objects.filter(user=OuterRef("reviewer"), organization__dissolved_on=None)
        .exclude(organization__tier=Tier.CITY)
        .annotate(
            top=F("organization__path"),
            end=Concat(F("organization__path"), _END),
            other_end=Concat(path, _END),
        )
        .filter(Q(top__lte=path, end__gt=path) | Q(top__gte=path, top__lt=F("other_end")))
    )
    return reviews.filter(Exists(recused) | Exists(own))
