"""材料库: the files of one's own union, where they are used, and using them."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from assessments import answering, deadlines, evidence, files, incoming, kinds, library, permissions
from assessments.forms.evidence import LibraryFilter
from assessments.models import Attachment, Campaign, Evidence, Indicator, SelfAssessment
from assessments.views.uploading import refused_while_arriving
from organizations.choices import ASSESSED_TIERS
from organizations.models import Organization

_PAGE = 50


def _own_unions(request: HttpRequest) -> list[Organization]:
    """The unions whose library the user may see."""
    found = {role.organization_id: role.organization for role in request.user.roles}
    return [
        union
        for union in found.values()
        if union.tier in ASSESSED_TIERS and permissions.may_see_library(request.user, union)
    ]


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The library of one union (?union=), a page of it. A POST adds files."""
    unions = _own_unions(request)
    wanted = request.GET.get("union", "")
    union = next((one for one in unions if str(one.pk) == wanted), None)
    if not wanted and unions:
        union = unions[0]
    if union is None:
        raise Http404
    writable = permissions.may_keep_evidence(request.user, union)
    if request.method == "POST":
        if not writable:
            raise Http404
        return _add(request, union)
    years = sorted(
        set(
            Campaign.objects.filter(self_assessments__organization=union).values_list(
                "year", flat=True
            )
        ),
        reverse=True,
    )
    narrowed = LibraryFilter(request.GET, years)
    page = Paginator(narrowed.apply(library.of(union)), _PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    return render(
        request,
        "assessments/evidence/library.html",
        {
            "union": union,
            "unions": unions,
            "filter": narrowed,
            "page_obj": page,
            "rows": [(one, _uses(one)) for one in page.object_list],
            "query": query.urlencode(),
            "quota": library.quota_of_library(union),
            "writable": writable,
            "unfinished": incoming.unfinished(request.user).filter(organization=union)
            if writable
            else [],
            "accepted": kinds.ACCEPTED,
            "accepted_extensions": kinds.ACCEPTED_ENDINGS,
        },
    )


def _uses(one: Evidence) -> list[tuple[int, list[str]]]:
    """Where a file is used: the year with the codes of its indicators."""
    years: dict[int, list[str]] = {}
    for attachment in one.attachments.all():
        answer = attachment.answer
        years.setdefault(answer.self_assessment.campaign.year, []).append(answer.indicator.code)
    return list(years.items())


def _add(request: HttpRequest, union: Organization) -> HttpResponse:
    refused = refused_while_arriving(request, "files")
    count = 0
    for upload in request.FILES.getlist("files"):
        try:
            library.add(union, upload, request.user)
            count += 1
        except files.EvidenceRefused as error:
            refused.append(str(error))
    for message in refused:
        messages.error(request, message)
    if count:
        messages.success(request, gettext("已存入 {count} 个文件。").format(count=count))
    return redirect(request.get_full_path())


@require_http_methods(["GET", "POST"])
def use(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a file of the library to indicators of the self-assessment that is being filled in."""
    one = get_object_or_404(
        Evidence.objects.select_related("organization", "stored_file", "uploaded_by"), pk=pk
    )
    if not permissions.may_keep_evidence(request.user, one.organization):
        raise Http404
    assessment, reason = _being_filled_in(request, one.organization)
    if request.method == "POST" and assessment and reason is None:
        return _link(request, assessment, one)
    criteria: dict[str, list[tuple[Indicator, bool]]] = {}
    if assessment and reason is None:
        used = set(
            Attachment.objects.filter(answer__self_assessment=assessment, evidence=one).values_list(
                "answer__indicator", flat=True
            )
        )
        allowed = answering.editable_indicators(assessment)
        for indicator in _indicators(assessment):
            if allowed is None or indicator.pk in allowed:
                criteria.setdefault(str(indicator.criterion), []).append(
                    (indicator, indicator.pk in used)
                )
    return render(
        request,
        "assessments/evidence/use.html",
        {"evidence": one, "assessment": assessment, "reason": reason, "criteria": criteria},
        status=409 if request.method == "POST" else 200,
    )


def _being_filled_in(
    request: HttpRequest, union: Organization
) -> tuple[SelfAssessment | None, str | None]:
    """The union's newest self-assessment, and why it cannot be written now, if so."""
    assessment = (
        SelfAssessment.objects.filter(organization=union)
        .with_context()
        .order_by("-campaign__year")
        .first()
    )
    if assessment is None:
        return None, gettext("本单位还没有开始自评。")
    reason = answering.why_not_editable(assessment, request.user, deadlines.now())
    return assessment, reason


def _indicators(assessment: SelfAssessment) -> list[Indicator]:
    return list(
        Indicator.objects.filter(criterion__rubric=assessment.rubric_id)
        .select_related("criterion")
        .order_by("criterion__number", "position")
    )


def _link(request: HttpRequest, assessment: SelfAssessment, one: Evidence) -> HttpResponse:
    codes = set(request.POST.getlist("indicator"))
    count, refused = 0, []
    for indicator in _indicators(assessment):
        if indicator.code not in codes:
            continue
        try:
            added, messages_ = evidence.link(assessment, indicator, [one.pk], request.user)
        except answering.NotEditable as error:
            added, messages_ = 0, [str(error)]
        count += added
        refused += messages_
    for message in dict.fromkeys(refused):
        messages.error(request, message)
    if count:
        messages.success(
            request, gettext("“{name}”已附到 {count} 个指标。").format(name=one.name, count=count)
        )
    return redirect("assessments:evidence_use", one.pk)
