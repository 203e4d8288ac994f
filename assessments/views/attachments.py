"""The files of one indicator: their list, their order, and choosing from the library."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Case, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from assessments import answering, deadlines, evidence, incoming, kinds, library, permissions
from assessments.forms.evidence import LibraryFilter
from assessments.models import Attachment, Indicator, SelfAssessment
from assessments.views.access import number_or_zero, readable_or_404
from assessments.views.uploading import refused_while_arriving

_SHOWN = 100


def arrange(
    request: HttpRequest, assessment: SelfAssessment, indicators: dict[str, Indicator]
) -> None:
    """Do what a button of the list of files asks for: `detach`, `up` or `down`, each with
    “code:key of the file”. Raises answering.NotEditable."""
    for verb in ("detach", "up", "down"):
        code, _, text = request.POST.get(verb, "").partition(":")
        if code not in indicators:
            continue
        key = number_or_zero(text)
        if verb == "detach":
            gone = evidence.detach(assessment, indicators[code], key, request.user)
            if gone:
                messages.success(
                    request, gettext("已移除“{name}”。文件还在材料库里。").format(name=gone.name)
                )
        else:
            evidence.move(assessment, indicators[code], key, request.user, up=verb == "up")


@require_http_methods(["GET", "POST"])
def indicator(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """The files of one indicator. With ?list only the list, for the page's script."""
    assessment = readable_or_404(request, pk)
    if not permissions.may_fill_in(request.user, assessment):
        raise Http404
    found = (
        Indicator.objects.filter(criterion__rubric=assessment.rubric_id, code=code)
        .select_related("criterion")
        .first()
    )
    if found is None:
        raise Http404
    if request.method == "POST":
        try:
            _change(request, assessment, found)
        except answering.NotEditable as error:
            messages.error(request, str(error))
        if "list" not in request.GET:
            return redirect(request.get_full_path())
    return _page(request, assessment, found)


def _page(request: HttpRequest, assessment: SelfAssessment, found: Indicator) -> HttpResponse:
    reason = answering.why_not_editable(assessment, request.user, deadlines.now())
    allowed = answering.editable_indicators(assessment) if reason is None else set()
    writable = allowed is None or found.pk in allowed
    attachments = Attachment.objects.filter(
        answer__self_assessment=assessment, answer__indicator=found
    ).select_related("evidence__stored_file", "evidence__uploaded_by")
    attached = [attachment.evidence for attachment in attachments]
    criterion_url = reverse(
        "assessments:self_assessment_criterion", args=[assessment.pk, found.criterion.number]
    )
    context = {
        "assessment": assessment,
        "indicator": found,
        "code": found.code,
        "files": attached,
        "writable": writable,
        "reason": reason,
        "criterion_url": criterion_url,
        "quota": library.quota_of(assessment),
    }
    if "list" in request.GET:
        return render(
            request,
            "assessments/evidence/_fragment.html",
            context | {"back": f"{criterion_url}#{found.code}"},
        )
    last_year = set(evidence.of_last_year(assessment, found).values_list("pk", flat=True))
    rows = (
        library.of(assessment.organization)
        .prefetch_related(None)
        .exclude(pk__in=[one.pk for one in attached])
        .order_by(Case(When(pk__in=last_year, then=0), default=1), "-uploaded_at", "-pk")
    )
    narrowed = LibraryFilter(request.GET, [])
    return render(
        request,
        "assessments/evidence/indicator.html",
        context
        | {
            "back": request.get_full_path(),
            "unfinished": incoming.unfinished(request.user, assessment).filter(indicator=found),
            "accepted": kinds.ACCEPTED,
            "accepted_extensions": kinds.ACCEPTED_ENDINGS,
            "filter": narrowed,
            "last_year": last_year,
            "choices": narrowed.apply(rows)[:_SHOWN],
            "shown": _SHOWN,
        },
    )


def _change(request: HttpRequest, assessment: SelfAssessment, found: Indicator) -> None:
    """Raises answering.NotEditable."""
    arrange(request, assessment, {found.code: found})
    refused = refused_while_arriving(request, "files")
    uploads = request.FILES.getlist("files")
    if uploads:
        refused += evidence.attach(assessment, found, uploads, request.user)
        messages.success(request, gettext("已上传。"))
    keys = [number_or_zero(key) for key in request.POST.getlist("evidence")]
    if keys:
        count, more = evidence.link(assessment, found, keys, request.user)
        refused += more
        if count:
            messages.success(request, gettext("已附上 {count} 个文件。").format(count=count))
    for message in refused:
        messages.error(request, message)
