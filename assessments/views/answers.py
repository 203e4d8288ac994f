"""Filling in: the page of one criterion, and saving it, whole or one answer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from assessments import (
    answering,
    deadlines,
    evidence,
    incoming,
    kinds,
    library,
    permissions,
    previous,
    subordinates,
    worksheet,
)
from assessments.choices import State
from assessments.forms.sheets import AnswerSheet
from assessments.models import Indicator, SelfAssessment
from assessments.views import attachments
from assessments.views.access import readable_or_404, writable_or_404
from assessments.views.uploading import refused_while_arriving


@require_http_methods(["GET", "POST"])
def criterion(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One of the six: each clause of the policy above its fields. Read-only for whoever may
    not write now; saving stores what is right and keeps on the page what is not."""
    writes = request.method == "POST"
    assessment = writable_or_404(request, pk) if writes else readable_or_404(request, pk)
    sections = worksheet.load(assessment)
    section = _section(sections, number)
    locked_reason = answering.why_not_editable(assessment, request.user, deadlines.now())
    last_time = previous.last_time(assessment) if locked_reason is None else None
    writable = locked_reason is None
    sheet = _sheet(request, assessment, section.lines, writable=writable, last_time=last_time)
    if request.method == "POST":
        try:
            done = _save(request, assessment, section, sheet)
        except answering.NotEditable as error:
            locked_reason = gettext("没有保存：{error}您填写的内容还在下面，可以复制留存。").format(
                error=error
            )
            late = [upload for name in request.FILES for upload in request.FILES.getlist(name)]
            if permissions.may_keep_evidence(request.user, assessment.organization):
                locked_reason += "".join(evidence.keep_for_later(assessment, late, request.user))
        else:
            if done:
                return done
            sections = worksheet.load(assessment)
            sheet.refresh_lines(_section(sections, number).lines)
    return render(
        request,
        "assessments/self_assessments/criterion.html",
        _figures(assessment, sections, number)
        | {
            "sheet": sheet,
            "locked_reason": locked_reason,
            "may_ask_extension": _may_ask_extension(request, assessment),
            "page_view": "assessments:self_assessment_criterion",
            "page_pk": assessment.pk,
            "overview_url": assessment.get_absolute_url(),
            "numbers": range(1, 7),
            "next_number": number + 1 if number < 6 else None,
            "accepted": kinds.ACCEPTED,
            "accepted_extensions": kinds.ACCEPTED_ENDINGS,
            "quota": library.quota_of(assessment) if sheet.writable else None,
            "unfinished": list(incoming.unfinished(request.user, assessment))
            if sheet.writable
            else [],
        },
        status=409 if request.method == "POST" and locked_reason else 200,
    )


@require_POST
def answer(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """One answer, sent by the page while it is filled in. Comes back as the notes below the
    answer (saved, wrong, in conflict) with the figures of the page."""
    assessment = writable_or_404(request, pk)
    sections = worksheet.load(assessment)
    found = [line for s in sections for line in s.lines if line.indicator.code == code]
    if not found:
        raise Http404
    indicator = found[0].indicator
    locked_reason = answering.why_not_editable(assessment, request.user, deadlines.now())
    sheet = _sheet(request, assessment, found, writable=locked_reason is None)
    row = sheet.rows[0]
    outcome = "locked"
    if row.writable:
        try:
            _store(request, assessment, sheet)
            outcome = "wrong" if row.errors else "conflict" if row.conflict else "saved"
        except answering.NotEditable as error:
            locked_reason = str(error)
        sections = worksheet.load(assessment)
        sheet.refresh_lines(
            [line for s in sections for line in s.lines if line.indicator.pk == indicator.pk]
        )
    return render(
        request,
        "assessments/self_assessments/_answer_saved.html",
        _figures(assessment, sections, indicator.criterion.number)
        | {
            "sheet": sheet,
            "row": row,
            "field_errors": sheet.field_errors(row),
            "outcome": outcome,
            "locked_reason": locked_reason,
            "may_ask_extension": _may_ask_extension(request, assessment),
        },
        status=409 if outcome == "locked" else 200,
    )


def _section(sections: Sequence[worksheet.Section], number: int) -> worksheet.Section:
    for section in sections:
        if section.criterion.number == number:
            return section
    raise Http404


def _sheet(
    request: HttpRequest,
    assessment: SelfAssessment,
    lines: Sequence[worksheet.Line],
    *,
    writable: bool,
    last_time: previous.LastTime | None = None,
) -> AnswerSheet:
    remarks = worksheet.open_remarks(assessment)
    return AnswerSheet(
        lines,
        {line.indicator.pk: answering.entry_of(line.answer) for line in lines},
        data=request.POST if request.method == "POST" else None,
        writable=writable,
        writable_indicators=set(remarks) if assessment.state == State.RETURNED else None,
        remarks=remarks,
        last_time=last_time,
        below=subordinates.sums_below(assessment, [line.indicator for line in lines]),
    )


def _figures(
    assessment: SelfAssessment, sections: list[worksheet.Section], number: int
) -> dict[str, Any]:
    """What the foot of the page says: points here and in all, and what is missing where."""
    result = worksheet.result_of(sections, assessment.campaign)
    others = [criterion for criterion in result.criteria if criterion.number != number]
    return {
        "assessment": assessment,
        "section": _section(sections, number),
        "result": next(c for c in result.criteria if c.number == number),
        "total": result.total,
        "others_points": sum(criterion.points for criterion in others),
        "others_maximum": sum(criterion.maximum for criterion in others),
        "sections": sections,
        "missing_count": sum(len(section.missing) for section in sections),
    }


def _may_ask_extension(request: HttpRequest, assessment: SelfAssessment) -> bool:
    """Whether more time is what would help: the union may still write, but it is too late."""
    return (
        assessment.is_editable_state
        and permissions.may_start(request.user, assessment.organization)
        and not deadlines.is_in_time(assessment, deadlines.now())
    )


def _store(request: HttpRequest, assessment: SelfAssessment, sheet: AnswerSheet) -> None:
    """Store the answers that were sent, confirm what was taken over, and settle the rows.

    Raises answering.NotEditable.
    """
    saved = answering.save(assessment, sheet.changes, request.user)
    for row in sheet.rows:
        if row.writable and row.indicator.code == request.POST.get("confirm"):
            answering.confirm(assessment, row.indicator, request.user)
    number = sheet.rows[0].indicator.criterion.number
    fresh = worksheet.load(assessment, number)[0]
    sheet.settle(
        {line.indicator.pk: answering.entry_of(line.answer) for line in fresh.lines},
        saved.conflicts,
    )


def _save(
    request: HttpRequest,
    assessment: SelfAssessment,
    section: worksheet.Section,
    sheet: AnswerSheet,
) -> HttpResponse | None:
    """Store answers and files; a redirect when all went well, None to show the page again.

    Raises answering.NotEditable.
    """
    writable = {row.indicator.code: row.indicator for row in sheet.rows if row.writable}
    _store(request, assessment, sheet)
    for indicator in writable.values():
        sheet.add_file_errors(indicator, _files(request, assessment, indicator))
    attachments.arrange(request, assessment, writable)
    anchor = _take_over(request, assessment, writable, sheet)
    if sheet.faulty_rows:
        return None
    if not anchor:
        messages.success(request, gettext("已保存。"))
    if request.POST.get("theirs") in writable:
        anchor = f"#{request.POST['theirs']}"
    number = section.criterion.number
    if "next" in request.POST and number == 6:
        return redirect(assessment)
    page = redirect(
        "assessments:self_assessment_criterion",
        assessment.pk,
        number + 1 if "next" in request.POST else number,
    )
    page["Location"] += anchor
    return page


def _take_over(
    request: HttpRequest,
    assessment: SelfAssessment,
    indicators: dict[str, Indicator],
    sheet: AnswerSheet,
) -> str:
    """`take_over` is a code, or “all” for the page. Gives the part of the address that leads
    back to what was filled."""
    wanted = request.POST.get("take_over")
    chosen = [i for code, i in indicators.items() if wanted in (code, "all")]
    if not chosen or sheet.last_time is None:
        return ""
    filled, refused = evidence.take_over(assessment, chosen, sheet.last_time, request.user)
    for message in refused:
        messages.error(request, message)
    messages.success(
        request,
        gettext("已保存，并沿用 {year} 年的内容和材料填好 {count} 项，请逐项核对。").format(
            year=sheet.last_time.year, count=len(filled)
        )
        if filled
        else gettext("已保存。没有可以沿用的内容。"),
    )
    return f"#{chosen[0].code}"


def _files(request: HttpRequest, assessment: SelfAssessment, indicator: Indicator) -> list[str]:
    """Attach the files sent for the indicator; a message for each that was refused."""
    name = f"{indicator.code}-files"
    refused = refused_while_arriving(request, name)
    uploads = request.FILES.getlist(name)
    if uploads:
        refused += evidence.attach(assessment, indicator, uploads, request.user)
    return refused
