"""雷同: the flags of one submission, of a campaign, and one flag with what became of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import permissions, similarity
from assessments.forms.filters import counties_of
from assessments.forms.similarity import FindingForm, SimilarityFilter
from assessments.models import Review, SelfAssessment, Similarity
from assessments.views.access import assessment_or_404, chosen_campaign, review_or_404
from assessments.views.lists import LeadListView
from organizations import audit
from organizations.views.lists import Column

#: Comparisons on one page: each shows two texts or two pictures.
_PAGE_SIZE = 10


class SimilarityList(LeadListView):
    """All flags of a campaign, for the lead: the latest first."""

    template_name = "assessments/similarity/list.html"
    context_object_name = "pairs"
    title = _("雷同")
    columns = (
        Column("kind", _("类别"), lambda pair: pair.get_kind_display(), "kind"),
        Column("right", _("工会"), lambda pair: pair.right_assessment.organization.name, width=40),
        Column(
            "left", _("另一工会"), lambda pair: pair.left_assessment.organization.name, width=40
        ),
        Column(
            "degree", _("相似度"), lambda pair: f"{pair.degree}%", "degree", numeric=True, width=10
        ),
        Column("found", _("发现时间"), lambda pair: pair.found_at, "found_at", width=20),
        Column(
            "finding",
            _("核实"),
            lambda pair: pair.get_finding_display() or gettext("待核实"),
            "finding",
        ),
    )

    def get_queryset(self) -> QuerySet[Similarity]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = SimilarityFilter(self.request.GET, counties_of(self.request.user))
        pairs = Similarity.objects.visible_to(self.request.user).filter(campaign=self.campaign)
        return self.filter.apply(pairs).with_sides().order_by("-pk")


@require_safe
def of_review(request: HttpRequest, pk: int) -> HttpResponse:
    """The flags of a submission that is the user's to review."""
    review = review_or_404(request, pk)
    return _of(request, review.self_assessment, review)


@require_safe
def of_assessment(request: HttpRequest, pk: int) -> HttpResponse:
    """The flags of a submission, for the lead and for the unions above."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_see_similarities(request.user, assessment):
        raise Http404
    return _of(request, assessment)


def _of(
    request: HttpRequest, assessment: SelfAssessment, review: Review | None = None
) -> HttpResponse:
    pairs = Similarity.objects.visible_to(request.user).of(assessment).with_sides()
    paginator = Paginator(pairs.order_by("finding", "-degree", "-pk"), _PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    return render(
        request,
        "assessments/similarity/of_assessment.html",
        {
            "assessment": assessment,
            "review": review,
            "page_obj": page,
            "paginator": paginator,
            "comparisons": similarity.compare(page, request.user, assessment),
            "unlisted": similarity.unlisted(assessment, request.user),
            "city_names_shown": permissions.may_see_names_of_city(request.user),
        },
    )


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One flag: both sides beside each other, and what was found of it."""
    own_reviews = Review.objects.filter(reviewer=request.user)
    pair = get_object_or_404(
        Similarity.objects.visible_to(request.user)
        .with_sides()
        .prefetch_related(
            *(Prefetch(f"{side}_assessment__reviews", own_reviews) for side in ("left", "right"))
        ),
        pk=pk,
    )
    may_judge = permissions.may_judge_similarity(request.user, pair)
    if request.method == "POST" and not may_judge:
        raise Http404
    form = FindingForm(
        request.POST if request.method == "POST" else None,
        initial={"finding": pair.finding, "remark": pair.remark},
    )
    refused = False
    if request.method == "POST" and form.is_valid():
        try:
            similarity.judge(
                pair, **form.cleaned_data, seen=request.POST.get("seen", ""), by=request.user
            )
        except similarity.NotPossible as error:
            form.add_error(None, str(error))
            pair, refused = similarity.anew(pair), True
        else:
            messages.success(request, gettext("核实结论已保存。"))
            return redirect(pair)
    comparison = similarity.compare([pair], request.user)[0]
    return render(
        request,
        "assessments/similarity/detail.html",
        {
            "pair": pair,
            "comparison": comparison,
            "form": form if may_judge else None,
            "seen": similarity.stamp(pair),
            "city_names_shown": permissions.may_see_names_of_city(request.user),
            "events": audit.events_of(pair).select_related("actor")[:20],
            "backs": _ways_back(request, pair),
        },
        status=409 if refused else 200,
    )


def _ways_back(request: HttpRequest, pair: Similarity) -> list[tuple[str, str]]:
    """(title, address) of the lists of flags from which one comes here."""
    ways = []
    if permissions.may_lead(request.user):
        ways.append((gettext("雷同"), reverse("assessments:similarity_list")))
    for assessment in (pair.left_assessment, pair.right_assessment):
        for review in assessment.reviews.all():
            if review.reviewer_id != request.user.pk:
                continue
            url = reverse("assessments:review_similar", args=[review.pk])
            ways.append(
                (
                    gettext("{organization} 的雷同提示").format(
                        organization=assessment.organization
                    ),
                    url,
                )
            )
    return ways
