"""评审分差, 仲裁, and 评审统计."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from assessments import arbitration, calibration, permissions, verdicts, worksheet
from assessments.choices import State
from assessments.forms.arbitration import ArbitrationForm
from assessments.models import Review, SelfAssessment
from assessments.templatetags.portal import numeral, points
from assessments.views.access import assessment_or_404, chosen_campaign
from assessments.views.lists import LeadListView, union_columns
from organizations.choices import Role
from organizations.permissions import has_city_role
from organizations.views.lists import Column


def _reviewers(assessment: SelfAssessment) -> str:
    totals = ((review.reviewer, points(review.total)) for review in assessment.reviews.all())
    return gettext("、").join(
        gettext("{reviewer}（{score}）").format(reviewer=reviewer, score=total)
        for reviewer, total in totals
    )


class DiscrepancyList(LeadListView):
    """Submissions whose reviewers are too far apart, for the lead to settle."""

    template_name = "assessments/arbitration/list.html"
    context_object_name = "assessments"
    title = _("评审分差")
    columns = (
        *union_columns(),
        Column("reviewers", _("评审员（评审总分）"), _reviewers, width=30),
        Column(
            "apart",
            _("分差过大的项"),
            lambda one: gettext("、").join(
                gettext("第{number}好").format(number=numeral(n)) for n in one.discrepant
            ),
        ),
    )
    states = (State.REVIEWED,)

    def get_queryset(self) -> QuerySet[SelfAssessment]:
        return (
            super()
            .get_queryset()
            .exclude(discrepant="")
            .prefetch_related(Prefetch("reviews", Review.objects.select_related("reviewer")))
        )


@require_http_methods(["GET", "POST"])
def arbitrate(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One criterion of one submission: what each reviewer gave and why, and what is to stand."""
    if not permissions.may_lead(request.user):
        raise Http404
    assessment = assessment_or_404(request, pk)
    if not permissions.may_lead(request.user, assessment) or assessment.state != State.REVIEWED:
        raise Http404
    sections = worksheet.load(assessment)
    section = next((one for one in sections if one.criterion.number == number), None)
    scores = verdicts.scores_of(review for review in assessment.reviews.all() if review.is_complete)
    lines = [line for one in sections for line in one.lines]
    verdict = verdicts.verdict_of(assessment, lines, scores)
    if section is None or number not in verdict.discrepant:
        messages.info(request, gettext("这一项没有分差要仲裁，或已经仲裁过。"))
        return redirect("assessments:discrepancy_list")
    if assessment.had_by_reader:
        messages.error(request, gettext("您评审过这份申报，不能仲裁，请由其他组长或管理员仲裁。"))
        return redirect("assessments:discrepancy_list")
    rows = arbitration.rows(assessment, section, verdict, scores)
    form = ArbitrationForm(rows, request.POST if request.method == "POST" else None)
    problem, seen = "", arbitration.stamp(verdict, number)
    if request.method == "POST" and form.is_valid():
        try:
            arbitration.arbitrate(
                assessment,
                number,
                reason=form.cleaned_data["reason"],
                settings=form.settings(),
                seen=request.POST.get("seen", ""),
                by=request.user,
            )
        except arbitration.NotAllowed as error:
            problem = str(error)
        else:
            messages.success(
                request,
                gettext("“{organization}”第 {number} 好已仲裁。").format(
                    organization=assessment.organization, number=number
                ),
            )
            return redirect("assessments:discrepancy_list")
    return render(
        request,
        "assessments/arbitration/criterion.html",
        {
            "assessment": assessment,
            "section": section,
            "together": next(one for one in verdict.result.criteria if one.number == number),
            "rows": [(row, list(form.fields_of(row)), form.controls_of(row)) for row in rows],
            "form": form,
            "seen": seen,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """评审统计: of everybody for the lead, one's own for a reviewer."""
    campaign, campaigns = chosen_campaign(request)
    may_lead = permissions.may_see_calibration(request.user)
    if campaign is None or not (may_lead or has_city_role(request.user, {Role.REVIEWER})):
        raise Http404
    return render(
        request,
        "assessments/arbitration/calibration.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "may_lead": may_lead,
            "calibrations": calibration.of_campaign(campaign, None if may_lead else request.user),
        },
    )
