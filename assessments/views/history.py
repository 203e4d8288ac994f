"""What was handed in, as it was then; what differs; and who changed which answer."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from assessments import (
    answering,
    correcting,
    deadlines,
    permissions,
    revisions,
    versions,
    worksheet,
)
from assessments.forms.actions import OpenTooForm, ReplyForm
from assessments.models import AnswerChange, Indicator, ReturnRemark, SealedScan, SelfAssessment
from assessments.views.access import assessment_or_404, number_or_zero
from organizations.views.lists import PAGE_SIZE


def _submitted_or_404(request: HttpRequest, pk: int) -> SelfAssessment:
    """The self-assessment, if the user may read what was handed in."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_read_revisions(request.user, assessment):
        raise Http404
    return assessment


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """The revisions, what was sent back and answered, and, for the union's own people, who
    changed which answer."""
    assessment = _submitted_or_404(request, pk)
    remarks = ReturnRemark.objects.select_related("indicator__criterion", "replied_by")
    context: dict[str, Any] = {
        "assessment": assessment,
        "revisions": assessment.revisions.order_by("-number").select_related("submitted_by"),
        "scans": SealedScan.objects.filter(revision__self_assessment=assessment).select_related(
            "revision", "evidence", "uploaded_by"
        )[:20],
        "returns": assessment.returns.prefetch_related(Prefetch("remarks", remarks)),
        "void_decisions": assessment.decisions.exclude(superseded_at=None).select_related(
            "campaign"
        ),
    }
    if permissions.may_see_changes(request.user, assessment):
        context |= _changes(request, assessment)
    return render(request, "assessments/history/history.html", context)


def _changes(request: HttpRequest, assessment: SelfAssessment) -> dict[str, Any]:
    indicators = _indicators(assessment)
    changes = AnswerChange.objects.filter(self_assessment=assessment).select_related("by")
    chosen = indicators.get(request.GET.get("indicator", ""))
    if chosen:
        changes = changes.filter(indicator=chosen)
    page = Paginator(changes, PAGE_SIZE).get_page(request.GET.get("page"))
    by_key = {indicator.pk: indicator for indicator in indicators.values()}
    return {
        "changes_shown": True,
        "indicators": indicators.values(),
        "chosen": chosen,
        "page_obj": page,
        "query": f"indicator={chosen.code}" if chosen else "",
        "rows": [
            (
                change,
                by_key[change.indicator_id],
                versions.differences(by_key[change.indicator_id].rule, change.before, change.after),
            )
            for change in page
        ],
    }


def _indicators(assessment: SelfAssessment) -> dict[str, Indicator]:
    return {
        indicator.code: indicator
        for _, indicators in worksheet.outline(assessment.rubric_id)
        for indicator in indicators
    }


@require_safe
def revision(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """第 n 次提交: everything as it was handed in."""
    assessment = _submitted_or_404(request, pk)
    found = get_object_or_404(assessment.revisions.select_related("submitted_by"), number=number)
    return render(
        request,
        "assessments/history/revision.html",
        {
            "assessment": assessment,
            "revision": found,
            "sections": revisions.read(found, assessment.rubric_id),
            "is_latest": number == assessment.revision,
        },
    )


@require_safe
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """两次提交对比: ?from= and ?to=, the last two where nothing is chosen."""
    assessment = _submitted_or_404(request, pk)
    found = {one.number: one for one in assessment.revisions.all()}
    if len(found) < 2:
        raise Http404
    after = found.get(number_or_zero(request.GET.get("to"))) or found[max(found)]
    before = found.get(number_or_zero(request.GET.get("from")))
    if before is None:
        before = found.get(after.number - 1) or found[min(found)]
    return render(
        request,
        "assessments/history/compare.html",
        {
            "assessment": assessment,
            "revisions": list(found.values()),
            "before": before,
            "after": after,
            "changed": revisions.compare(assessment.rubric_id, before.content, after.content),
        },
    )


@require_http_methods(["GET", "POST"])
def replies(request: HttpRequest, pk: int) -> HttpResponse:
    """答复修改要求: an answer to each remark, and what else has to be opened."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_fill_in(request.user, assessment):
        raise Http404
    latest = correcting.latest_return(assessment)
    if latest is None and request.method == "GET":
        messages.info(request, gettext("该申报没有待答复的修改要求。"))
        return redirect(assessment)
    locked_reason = answering.why_not_editable(assessment, request.user, deadlines.now())
    found = list(latest.remarks.select_related("indicator__criterion")) if latest else []
    asked = [remark for remark in found if not remark.opened_by_union]
    opened = {remark.indicator_id for remark in found}
    closed = [i for i in _indicators(assessment).values() if i.pk not in opened]
    opening = "open" in request.POST
    data = request.POST if request.method == "POST" else None
    form = ReplyForm(asked, None if opening else data)
    open_form = OpenTooForm(closed, data if opening else None)
    if request.method == "POST" and (open_form if opening else form).is_valid():
        try:
            _save(request, assessment, form, open_form if opening else None)
        except answering.NotEditable as error:
            locked_reason = gettext("没有保存：{error}您填写的内容还在下面，可以复制留存。").format(
                error=error
            )
        else:
            return redirect("assessments:self_assessment_replies", pk)
    return render(
        request,
        "assessments/history/replies.html",
        {
            "assessment": assessment,
            "latest_return": latest,
            "form": form,
            "open_form": open_form,
            "opened_too": [remark for remark in found if remark.opened_by_union],
            "locked_reason": locked_reason,
        },
        status=409 if request.method == "POST" and locked_reason else 200,
    )


def _save(
    request: HttpRequest,
    assessment: SelfAssessment,
    form: ReplyForm,
    open_form: OpenTooForm | None,
) -> None:
    """Raises NotEditable."""
    if open_form is None:
        correcting.reply(assessment, form.replies, request.user)
        left = len(correcting.unanswered(assessment))
        text = (
            gettext("还有 {left} 条没有答复。").format(left=left)
            if left
            else gettext("已全部答复，改好之后可以提交。")
        )
        messages.success(request, gettext("已保存。{text}").format(text=text))
        return
    indicator = open_form.indicators[open_form.cleaned_data["indicator"]]
    correcting.open_too(assessment, indicator, open_form.cleaned_data["why"], request.user)
    messages.success(
        request,
        gettext("{code} {name} 现在可以修改了。").format(code=indicator.code, name=indicator.name),
    )
