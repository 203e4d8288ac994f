"""The paper form (申报表): to be printed, to be checked, and its sealed scan."""

from __future__ import annotations

import io

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from assessments import answering, paper, permissions, printing, proxies, verification
from assessments.exports import form as exported
from assessments.exports import word
from assessments.files import EvidenceRefused
from assessments.forms.paper import CodeForm, ScanForm
from assessments.models import SelfAssessment
from assessments.views.access import assessment_or_404, number_or_zero
from assessments.views.guessing import is_guessing, note_miss


def _paper(request: HttpRequest, assessment: SelfAssessment) -> tuple[paper.Paper, str]:
    """The form of ?revision=, or of what was handed in last; of the draft while there is one that
    the user may read. And where its QR code leads."""
    user, asked = request.user, request.GET.get("revision")
    number = number_or_zero(asked) if asked is not None else assessment.revision
    if asked is None and assessment.is_editable_state:
        if not permissions.may_read_content(user, assessment):
            raise Http404
        return paper.of_draft(assessment), ""
    if not permissions.may_read_revisions(user, assessment):
        raise Http404
    revision = get_object_or_404(assessment.revisions, number=number)
    link = request.build_absolute_uri(reverse("assessments:verify_code", args=[revision.code]))
    return paper.of_revision(revision, assessment), link


@require_safe
def form_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """打印申报表, shown by the browser."""
    assessment = assessment_or_404(request, pk)
    found, link = _paper(request, assessment)
    try:
        content = exported.pdf(found, link)
    except printing.PrintingUnavailable as error:
        messages.error(request, str(error))
        return redirect(assessment)
    return FileResponse(
        io.BytesIO(content), filename=f"{found.file_name}.pdf", content_type="application/pdf"
    )


@require_safe
def form_word(request: HttpRequest, pk: int) -> HttpResponse:
    """申报表 as a Word document."""
    found, link = _paper(request, assessment_or_404(request, pk))
    content = io.BytesIO()
    exported.as_word(found, link, content)
    content.seek(0)
    return FileResponse(
        content,
        as_attachment=True,
        filename=f"{found.file_name}.docx",
        content_type=word.MEDIA_TYPE,
    )


@require_http_methods(["GET", "POST"])
def scan(request: HttpRequest, pk: int) -> HttpResponse:
    """上传签字盖章扫描件, and those that are there."""
    assessment = assessment_or_404(request, pk)
    if not permissions.may_fill_in(request.user, assessment) or not assessment.revision:
        raise Http404
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ScanForm(*data)
    if request.method == "POST" and form.is_valid():
        try:
            proxies.add_scan(assessment, form.cleaned_data["scan"], request.user)
        except (EvidenceRefused, answering.NotEditable) as error:
            form.add_error("scan", str(error))
        else:
            messages.success(request, gettext("扫描件已上传。"))
            return redirect(assessment)
    return render(
        request,
        "assessments/paper/scan.html",
        {
            "assessment": assessment,
            "form": form,
            "writable": permissions.may_add_scan(request.user, assessment),
        },
        status=400 if form.errors else 200,
    )


@login_not_required
@never_cache
@require_safe
def verify(request: HttpRequest, code: str = "") -> HttpResponse:
    """核对申报表: whoever holds the paper sees what was handed in under its code, and nothing that
    does not stand on it."""
    typed = code or request.GET.get("code", "")
    form = CodeForm({"code": typed} if typed else None)
    context: dict[str, object] = {"form": form}
    status = 200
    if typed and is_guessing(request):
        form.add_error(None, gettext("查询太频繁，请一分钟后再试。"))
        status = 429
    elif typed and form.is_valid():
        revision = verification.find(form.cleaned_data["code"])
        if revision is None:
            note_miss(request)
            form.add_error("code", gettext("没有这个验证码。请核对纸质表页脚上的验证码。"))
            status = 404
        else:
            assessment = revision.self_assessment
            context |= {
                "revision": revision,
                "assessment": assessment,
                "unaltered": verification.is_unaltered(revision),
                "latest": revision.number == assessment.revision,
                "withdrawn": assessment.is_editable_state,
                "code": verification.spaced(revision.code),
                "criteria": revision.facts["criteria"],
                "files": sum(len(one["evidence"]) for one in revision.content.values()),
            }
    response = render(request, "assessments/paper/verify.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
