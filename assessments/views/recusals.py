"""回避 and 改派: standing back, the list of who does, and giving a submission to somebody else."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from assessments import assigning, permissions, recusals
from assessments.forms.assignments import NewRecusalForm, RecusalForm, ReplaceForm
from assessments.models import Recusal, Review, SelfAssessment
from assessments.views.access import review_or_404

#: Reviews with a conflict of interest that the page names.
_NAMED = 50


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


@require_http_methods(["GET", "POST"])
def recuse(request: HttpRequest, pk: int) -> HttpResponse:
    """申请回避: the reviewer stands back from what is assigned to them."""
    review = review_or_404(request, pk)
    assessment = review.self_assessment
    form = RecusalForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            recusals.declare(
                request.user, assessment.organization, form.cleaned_data["reason"], request.user
            )
        except assigning.NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                gettext("已回避“{organization}”，由评审组长另行分派。").format(
                    organization=assessment.organization
                ),
            )
            return redirect("assessments:review_list")
    return render(
        request,
        "assessments/assignments/recuse.html",
        {"review": review, "assessment": assessment, "form": form},
    )


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """确认沿用的评分: the reviewer vouches for what somebody else began."""
    review = review_or_404(request, pk)
    try:
        assigning.confirm_taken_over(review, request.user)
    except assigning.NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已确认沿用的评分，可以继续修改或完成评审。"))
    return redirect(review)


@require_http_methods(["GET", "POST"])
def replace(request: HttpRequest, pk: int) -> HttpResponse:
    """改派: the lead gives one submission to another reviewer."""
    if not permissions.may_lead(request.user):
        raise Http404
    visible = SelfAssessment.objects.visible_to(request.user)
    review = get_object_or_404(
        Review.objects.filter(self_assessment__in=visible).select_related(
            "reviewer", "self_assessment__organization"
        ),
        pk=pk,
    )
    others = assigning.reviewers().exclude(pk=review.reviewer_id)
    form = ReplaceForm(_sent(request), reviewers=others)
    if request.method == "POST" and form.is_valid():
        new = form.cleaned_data["reviewer"]
        try:
            assigning.reassign(
                review.self_assessment,
                review.reviewer,
                new,
                request.user,
                keep=form.cleaned_data["keep"],
                note=form.cleaned_data["note"],
            )
        except assigning.NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                gettext("已把“{organization}”改派给 {reviewer}。").format(
                    organization=review.self_assessment.organization, reviewer=new
                ),
            )
            return redirect("assessments:assignment_list")
    return render(
        request,
        "assessments/assignments/replace.html",
        {"review": review, "assessment": review.self_assessment, "form": form},
    )


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """回避名单: what is on record, and entering another."""
    if not permissions.may_keep_recusals(request.user):
        raise Http404
    form = NewRecusalForm(_sent(request), reviewers=assigning.reviewers())
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            _, withdrawn = recusals.declare(
                values["reviewer"], values["code"], values["reason"], request.user
            )
        except assigning.NotAllowed as error:
            form.add_error(None, str(error))
        else:
            told = (
                gettext("已登记回避，取消分派 {number} 份，请另行分派。")
                if withdrawn
                else gettext("已登记回避。")
            )
            messages.success(request, told.format(number=withdrawn))
            return redirect("assessments:recusal_list")
    found = Recusal.objects.select_related("reviewer", "organization", "declared_by")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    visible = SelfAssessment.objects.visible_to(request.user)
    late = recusals.conflicted(
        recusals.settled(Review.objects.filter(self_assessment__in=visible))
    ).select_related("reviewer", "self_assessment__organization")
    return render(
        request,
        "assessments/assignments/recusals.html",
        {
            "form": form,
            "page_obj": page,
            "paginator": page.paginator,
            "late": late[:_NAMED],
            "most": _NAMED,
        },
    )


@require_http_methods(["GET", "POST"])
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """解除回避, with a reason."""
    if not permissions.may_keep_recusals(request.user):
        raise Http404
    # Nobody frees themselves.
    recusal = get_object_or_404(Recusal.objects.exclude(reviewer=request.user), pk=pk)
    form = RecusalForm(_sent(request))
    form.fields["reason"].label, form.fields["reason"].help_text = gettext("解除理由"), ""
    if request.method == "POST" and form.is_valid():
        try:
            recusals.lift(recusal, form.cleaned_data["reason"], request.user)
        except assigning.NotAllowed as error:
            messages.error(request, str(error))
        else:
            messages.success(request, gettext("已解除回避。"))
        return redirect("assessments:recusal_list")
    return render(request, "assessments/assignments/lift.html", {"recusal": recusal, "form": form})
