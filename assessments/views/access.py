"""Fetching is the permission check: a view never holds a row that its user may not see."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from assessments import comparison, permissions
from assessments.choices import InspectionState
from assessments.models import Campaign, Inspection, Review, SelfAssessment


def assessment_or_404(request: HttpRequest, pk: int) -> SelfAssessment:
    """The self-assessment with what its pages show, if the user may see its progress."""
    return get_object_or_404(_with_reviews(request), pk=pk)


def _with_reviews(request: HttpRequest) -> QuerySet[SelfAssessment]:
    """As `inspected`, the key of the latest closed inspection (现场核查), if there is one; as
    `had_by_reader`, whether the reader has ever had it to review (see `may_arbitrate`)."""
    closed = Inspection.objects.filter(
        self_assessment=OuterRef("pk"), state=InspectionState.DONE
    ).order_by("-closed_at")
    return (
        SelfAssessment.objects.visible_to(request.user)
        .with_context()
        .annotate(
            inspected=Subquery(closed.values("pk")[:1]),
            had_by_reader=Exists(
                Review.ever.filter(self_assessment=OuterRef("pk"), reviewer=request.user.pk)
            ),
        )
        .prefetch_related(Prefetch("reviews", Review.objects.select_related("reviewer")))
    )


def readable_or_404(request: HttpRequest, pk: int) -> SelfAssessment:
    """The self-assessment, if the user may read its answers too. It comes with little: this is
    the page that ten thousand people open in the same week."""
    assessment = get_object_or_404(
        SelfAssessment.objects.visible_to(request.user).with_deadline(), pk=pk
    )
    if not permissions.may_read_content(request.user, assessment):
        raise Http404
    return assessment


def writable_or_404(request: HttpRequest, pk: int) -> SelfAssessment:
    """The self-assessment for whoever writes it, or did until just now (代填): what they typed is
    answered on the page, whether it can still be stored or not."""
    assessment = get_object_or_404(
        SelfAssessment.objects.visible_to(request.user).with_deadline(), pk=pk
    )
    user = request.user
    if not (
        permissions.may_fill_in(user, assessment)
        or permissions.was_filling_by_proxy(user, assessment)
    ):
        raise Http404
    return assessment


def review_or_404(request: HttpRequest, pk: int) -> Review:
    """One of the user's own reviews, as long as the user may review that union."""
    own = Review.objects.visible_to(request.user).filter(pk=pk)
    rows = comparison.with_endorsed(_with_reviews(request))
    assessment = get_object_or_404(rows, reviews__in=own)
    if not permissions.may_review(request.user, assessment):
        raise Http404
    review = next(review for review in assessment.reviews.all() if review.pk == pk)
    review.self_assessment = assessment
    return review


def chosen_campaign(request: HttpRequest) -> tuple[Campaign | None, list[Campaign]]:
    """The campaign of ?year=, or the newest that has opened (None before the first one); and
    all that have opened, to choose from."""
    campaigns = list(Campaign.objects.opened())
    year = request.GET.get("year", "")
    newest = campaigns[0] if campaigns else None
    chosen = next((campaign for campaign in campaigns if str(campaign.year) == year), newest)
    return chosen, campaigns


def number_or_zero(text: str | None) -> int:
    """A key from a form; what is no number finds nothing."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def withdrawn(request: HttpRequest, what: str, back: str) -> HttpResponse:
    """Said in the place of something that the reader could read before; nothing of it is shown."""
    context = {"what": what, "back": back}
    return render(request, "assessments/withdrawn.html", context, status=410)
