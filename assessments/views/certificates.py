"""Certificates: looking one up by its number, and having them as PDF."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assessments import letters, permissions, recognition
from assessments.exports import decisions as exported_letters
from assessments.exports import recognition as exported
from assessments.forms.recognition import NumberForm
from assessments.models import Campaign, Decision, Recognition
from assessments.views.access import number_or_zero
from assessments.views.guessing import is_guessing, note_miss
from assessments.views.letters import as_pdf

#: So many papers in one document: more would keep the one who waits for it too long.
PORTION = 100


@login_not_required
@never_cache
@require_safe
def look_up(request: HttpRequest) -> HttpResponse:
    """核对证书: whether a title is valid, to whoever has the number, and nothing that does not stand on
    the certificate."""
    typed = request.GET.get("number", "")
    form = NumberForm({"number": typed} if typed else None)
    found, status = None, 200
    if typed and is_guessing(request):
        form.add_error(None, "查询太频繁，请一分钟后再试。")
        status = 429
    elif typed and form.is_valid():
        found = recognition.find(form.cleaned_data["number"])
        if found is None:
            note_miss(request)
            form.add_error("number", "没有这个编号的证书。请核对证书左下角的编号。")
            status = 404
    context = {"form": form, "found": found}
    response = render(request, "assessments/recognition/look_up.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate of a union, for itself, those above it, and the city; one whose title was lost is
    marked."""
    own = Recognition.objects.visible_to(request.user).select_related("campaign")
    one = get_object_or_404(own, pk=pk)
    name = f"命名证书-{one.union_name}"
    return as_pdf(request, lambda: exported.certificates([one], _link_of(request)), name, one)


@require_safe
def certificates(request: HttpRequest, year: int) -> HttpResponse:
    """The certificates of a campaign's valid titles, PORTION at a time (?part=)."""
    found = list(_portion(request, year).select_related("campaign"))
    name = f"{year} 年命名证书（第 {_part(request)} 批）"
    back = reverse("assessments:recognition_list")
    return as_pdf(request, lambda: exported.certificates(found, _link_of(request)), name, back)


@require_safe
def certified_letters(request: HttpRequest, year: int) -> HttpResponse:
    """The letters of the same unions, in the same order."""
    portion = _portion(request, year).values_list("decision", flat=True)
    rows = Decision.objects.select_related("self_assessment__organization", "campaign")
    by_key = rows.in_bulk(list(portion))
    found = letters.write_all(by_key[key] for key in portion)
    name = f"{year} 年评定结果通知书（第 {_part(request)} 批）"
    back = reverse("assessments:recognition_list")
    return as_pdf(request, lambda: exported_letters.letters(found), name, back)


def _portion(request: HttpRequest, year: int) -> QuerySet[Recognition]:
    if not permissions.may_lead(request.user):
        raise Http404
    campaign = get_object_or_404(Campaign, year=year)
    start = (_part(request) - 1) * PORTION
    rows = campaign.recognitions.valid().visible_to(request.user)[start : start + PORTION]
    if not rows:
        raise Http404
    return rows


def _part(request: HttpRequest) -> int:
    return max(1, number_or_zero(request.GET.get("part", "1")))


def _link_of(request: HttpRequest):
    page = request.build_absolute_uri(reverse("assessments:certificate_look_up"))
    return lambda one: f"{page}?{urlencode({'number': one.certificate_number})}"
