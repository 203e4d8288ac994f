"""A reviewer's queue (评审任务): its order, what comes next, and how long it will take."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, Value, When

from assessments import deadlines
from assessments.assigning import ASSIGNABLE_STATES
from assessments.models import Campaign, Review
from organizations.models import User

#: A reviewer's pace is that of the reviews completed within these days.
RECENT_DAYS = 30
_OPEN = Q(completed_at=None, self_assessment__state__in=ASSIGNABLE_STATES)


def in_order(reviews: QuerySet[Review]) -> QuerySet[Review]:
    """The open ones first, then as they were handed in."""
    later = Case(When(_OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
    return reviews.annotate(later=later).order_by("later", "self_assessment__submitted_at", "pk")


def next_open(review: Review, user: User) -> Review | None:
    """The open review that follows in the user's queue; after the last one comes the first that
    was left open. None when nothing else is open."""
    assessment = review.self_assessment
    queue = in_order(
        Review.objects.visible_to(user).filter(
            _OPEN, self_assessment__campaign=assessment.campaign_id
        )
    ).exclude(pk=review.pk)
    after = Q(self_assessment__submitted_at__gt=assessment.submitted_at) | Q(
        self_assessment__submitted_at=assessment.submitted_at, pk__gt=review.pk
    )
    return queue.filter(after).first() or queue.first()


@dataclass(frozen=True)
class Pace:
    """How far a reviewer is: open reviews, those completed today, and the seconds that the open
    ones will take at the pace of late (None while there is nothing to go by)."""

    waiting: int
    done_today: int
    seconds_left: int | None


def pace(user: User, campaign: Campaign | None, at: dt.datetime) -> Pace:
    """One query. The time is `Review.active_seconds`: the mean of recent reviews for each open
    one, less what has been spent on the open ones already."""
    start = deadlines.end_of_day(deadlines.local_day(at) - dt.timedelta(days=1))
    recent = Q(completed_at__gt=at - dt.timedelta(days=RECENT_DAYS), active_seconds__gt=0)
    found = (
        Review.objects.visible_to(user)
        .filter(self_assessment__campaign=campaign)
        .aggregate(
            waiting=Count("pk", filter=_OPEN),
            done_today=Count("pk", filter=Q(completed_at__gt=start)),
            timed=Count("pk", filter=recent),
            seconds=Sum("active_seconds", filter=recent),
            spent=Sum("active_seconds", filter=_OPEN),
        )
    )
    left = None
    if found["timed"]:
        whole = found["seconds"] * found["waiting"] // found["timed"]
        left = max(0, whole - (found["spent"] or 0))
    return Pace(found["waiting"], found["done_today"], left)
