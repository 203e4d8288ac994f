"""Assignment: who reviews which self-assessment (分派). What a reviewer has scored is never lost:
a review that is taken away is withdrawn, and given back it counts again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext

from assessments import answering, deadlines, permissions
from assessments.choices import State, Withdrawal
from assessments.models import Review, ReviewScore, SelfAssessment, TierPolicy
from organizations.audit import record
from organizations.choices import NotificationKind, Role, Tier
from organizations.models import Membership, User
from organizations.notifications import notify

#: States in which a reviewer can be given a self-assessment.
ASSIGNABLE_STATES = (State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW)
#: So many rows are locked and written at a time.
BATCH = 500
_RATING = ("score", "checked_items", "numerator", "denominator", "not_applicable", "claim_refused")


class NotAllowed(Exception):
    """What was asked for cannot be done; the message says why, in Chinese."""


@transaction.atomic
def assign(assessment: SelfAssessment, reviewer: User, by: User) -> Review:
    """Give the self-assessment to a reviewer (twice is once). One who had it before finds the
    scores of then, to be completed anew.

    Raises NotAllowed on a conflict of interest (回避) of the reviewer or of the one who assigns,
    a wrong state, or too many reviewers.
    """
    locked = _lock_for_lead(assessment, by)
    if locked.state not in ASSIGNABLE_STATES:
        raise NotAllowed(
            gettext("“{organization}”目前是“{state}”，不能分派。").format(
                organization=locked.organization, state=locked.get_state_display()
            )
        )
    if not permissions.may_be_assigned(reviewer, locked.organization):
        raise NotAllowed(
            gettext("{reviewer} 不能评审“{organization}”：须回避，或不是评审员。").format(
                reviewer=reviewer, organization=locked.organization
            )
        )
    review = Review.ever.filter(self_assessment=locked, reviewer=reviewer).first()
    if review and review.withdrawn_at is None:
        return review
    if locked.reviews.count() >= required_reviewers(locked):
        raise NotAllowed(
            gettext("“{organization}”的评审员已经满额。").format(organization=locked.organization)
        )
    if review:
        give_back(Review.ever.filter(pk=review.pk), by)
        catch_up([review])
        review = Review.objects.get(pk=review.pk)
    else:
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
def unassign(assessment: SelfAssessment, reviewer: User, by: User, note: str = "") -> None:
    """Take the self-assessment from a reviewer who has not completed it, or who must stand back
    (回避); the scores stay on record, and count no more. Raises NotAllowed.
    """
    locked = _lock_for_lead(assessment, by)
    review = locked.reviews.filter(reviewer=reviewer).first()
    if review is None:
        return
    barred = permissions.has_conflict(reviewer, locked.organization)
    if locked.state not in ASSIGNABLE_STATES:
        state = locked.get_state_display()
        raise NotAllowed(
            gettext("“{organization}”目前是“{state}”，不能取消分派。").format(
                organization=locked.organization, state=state
            )
        )
    if review.is_complete and not barred:
        raise NotAllowed(
            gettext("{reviewer} 对“{organization}”的评审已经完成，不能取消分派。").format(
                reviewer=reviewer, organization=locked.organization
            )
        )
    why = Withdrawal.RECUSED if barred else Withdrawal.CHANGED
    if not barred and not permissions.may_be_assigned(reviewer, locked.organization):
        why = Withdrawal.LEFT
    withdraw(Review.objects.filter(pk=review.pk), why, by, note)
    _record("UNASSIGN", locked, by, reviewer, {"withdrawal": why})


@transaction.atomic
def reassign(
    assessment: SelfAssessment,
    old: User,
    new: User,
    by: User,
    *,
    keep: bool = False,
    note: str = "",
) -> Review:
    """Give the self-assessment to another reviewer in place of one (改派). The new one starts from
    nothing, or with `keep` from the scores of the old one, to be confirmed. Raises NotAllowed, and
    for scores of somebody who must stand back always.
    """
    if old == new:
        raise NotAllowed(gettext("请选择另一位评审员。"))
    held = Review.objects.filter(self_assessment=assessment, reviewer=old).first()
    if held is None:
        raise NotAllowed(
            gettext("{old} 已经不是这份申报的评审员。请刷新页面后再看。").format(old=old)
        )
    unassign(assessment, old, by, note)
    review = assign(assessment, new, by)
    if keep:
        held = Review.ever.get(pk=held.pk)
        if held.withdrawn_why == Withdrawal.RECUSED:
            raise NotAllowed(gettext("{old} 须回避这个工会，其评分不能沿用。").format(old=old))
        take_over({review.pk: held.pk})
    return review


def withdraw(reviews: QuerySet[Review], why: Withdrawal, by: User, note: str = "") -> int:
    """Mark live reviews as withdrawn; the caller holds the locks, has asked who may, and puts it
    on record."""
    return reviews.update(
        withdrawn_at=deadlines.now(), withdrawn_why=why, withdrawn_by=by, withdrawn_note=note
    )


def give_back(reviews: QuerySet[Review], by: User, **fields: object) -> int:
    """Withdrawn reviews count again, from now; to be completed anew. See `catch_up`."""
    return reviews.update(
        withdrawn_at=None,
        withdrawn_why="",
        withdrawn_note="",
        withdrawn_by=None,
        completed_at=None,
        assigned_at=deadlines.now(),
        assigned_by=by,
        **fields,
    )


def catch_up(reviews: Iterable[Review]) -> None:
    """Reviews that were away while the union handed in again: what has changed is to be scored
    anew. Each comes with its self-assessment."""
    for review in reviews:
        latest = review.self_assessment.revision
        if review.revision != latest:
            revisions = review.self_assessment.revisions.filter(
                number__in=(review.revision, latest)
            )
            contents = dict(revisions.values_list("number", "content"))
            clear_changed(review, contents, latest)
            Review.ever.filter(pk=review.pk).update(revision=latest)


def clear_changed(
    review: Review, contents: Mapping[int, Mapping[str, object]], latest: int
) -> Set[str]:
    """Empty the scores of what has changed from the revision that was scored to the latest one
    (remarks stay). `contents` are those of the revisions by number. Returns the codes."""
    now = contents[latest]
    before = contents.get(review.revision, now)
    codes = {code for code, content in now.items() if before.get(code) != content}
    review.scores.filter(indicator__code__in=codes).update(
        score=None,
        checked_items=None,
        numerator=None,
        denominator=None,
        not_applicable=False,
        claim_refused=False,
    )
    return codes


def take_over(origins: Mapping[int, int]) -> None:
    """沿用已评分数: reviews (keys) start with the scores of withdrawn ones (values). A review that
    has scores of its own is left as it is. Four queries for each batch of the caller's."""
    started = set(
        ReviewScore.objects.filter(review__in=origins).values_list("review", flat=True).distinct()
    )
    heirs = {origin: heir for heir, origin in origins.items() if heir not in started}
    old = list(Review.ever.filter(pk__in=heirs).select_related("self_assessment"))
    ReviewScore.objects.bulk_create(
        (
            ReviewScore(
                review_id=heirs[score.review_id],
                indicator_id=score.indicator_id,
                remark=score.remark,
                saved_at=score.saved_at,
                **{name: getattr(score, name) for name in _RATING},
            )
            for score in ReviewScore.objects.filter(review__in=old).order_by("pk")
        ),
        batch_size=1000,
    )
    new = {review.pk: review for review in Review.objects.filter(pk__in=heirs.values())}
    for origin in old:
        heir = new[heirs[origin.pk]]
        heir.taken_from, heir.confirmed_at, heir.revision = origin, None, origin.revision
        heir.self_assessment = origin.self_assessment
    Review.objects.bulk_update(new.values(), ["taken_from", "confirmed_at", "revision"])
    catch_up(new.values())


@transaction.atomic
def confirm_taken_over(review: Review, by: User) -> None:
    """The reviewer vouches for scores that somebody else began with. Raises NotAllowed."""
    locked = lock(review.self_assessment)
    current = locked.reviews.filter(pk=review.pk, reviewer=by).first()
    if current is None or not permissions.may_review(by, locked):
        raise NotAllowed(gettext("这份评审已经取消分派。"))
    if not current.awaits_confirmation:
        return
    Review.objects.filter(pk=review.pk).update(confirmed_at=deadlines.now())
    _record("CONFIRM_SCORES", locked, by, by)


def lock(assessment: SelfAssessment) -> SelfAssessment:
    """The row, locked for this transaction and read anew."""
    return (
        SelfAssessment.objects.select_for_update(of=("self",)).with_context().get(pk=assessment.pk)
    )


def locked(keys: Iterable[int]) -> QuerySet[SelfAssessment]:
    """A batch of rows with their unions, locked in the order of their keys."""
    rows = SelfAssessment.objects.select_for_update(of=("self",)).filter(pk__in=keys)
    return rows.select_related("organization").order_by("pk")


def _lock_for_lead(assessment: SelfAssessment, by: User) -> SelfAssessment:
    locked = lock(assessment)
    if not permissions.may_lead(by, locked):
        raise NotAllowed(
            gettext("您须回避“{organization}”，不能分派。").format(organization=locked.organization)
        )
    return locked


def _record(
    action: str,
    assessment: SelfAssessment,
    by: User,
    reviewer: User,
    more: Mapping[str, object] | None = None,
) -> None:
    details = answering.capacity(by, assessment) | {"reviewer": reviewer.username, **(more or {})}
    record(action=action, by=by, subject=assessment, details=details)


def required_reviewers(assessment: SelfAssessment) -> int:
    """How many reviewers the campaign wants for this tier (评审人数)."""
    return (
        assessment.campaign.policies.filter(tier=assessment.rubric.tier)
        .values_list("reviewers", flat=True)
        .get()
    )


def with_places(rows: QuerySet[SelfAssessment]) -> QuerySet[SelfAssessment]:
    """With `live`, how many reviewers each has, and `needed`, how many the campaign wants."""
    live = (
        Review.objects.filter(self_assessment=OuterRef("pk"))
        .order_by()
        .values("self_assessment")
        .annotate(number=Count("pk"))
        .values("number")
    )
    policy = TierPolicy.objects.filter(campaign=OuterRef("campaign"), tier=OuterRef("rubric__tier"))
    return rows.annotate(
        live=Coalesce(Subquery(live, output_field=IntegerField()), 0),
        needed=Coalesce(Subquery(policy.values("reviewers")[:1]), 1),
    )


def reviewers() -> QuerySet[User]:
    """Who can be given anything: the active reviewers and leads of the city, by name."""
    return User.objects.filter(_is_reviewer("pk"), is_active=True).order_by("full_name", "pk")


def left_behind(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Those whose reviewer has been disabled or reviews for the city no more."""
    return reviews.filter(Q(reviewer__is_active=False) | ~_is_reviewer("reviewer"))


def open_reviews(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """Those that wait for their reviewer."""
    return reviews.filter(completed_at=None, self_assessment__state__in=ASSIGNABLE_STATES)


def _is_reviewer(user: str) -> Exists:
    return Exists(
        Membership.objects.filter(
            user=OuterRef(user),
            role__in=[Role.REVIEWER, Role.LEAD_REVIEWER],
            organization__tier=Tier.CITY,
            organization__dissolved_on=None,
        )
    )
