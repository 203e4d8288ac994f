"""Certificates: who holds one, looking one up by its number, and having them as PDF."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assessments import letters, permissions, printing, recognition
from assessments.exports import archive
from assessments.exports import decisions as exported_letters
from assessments.exports import recognition as exported
from assessments.forms.filters import all_counties, county_name
from assessments.forms.recognition import HonoursFilter, NumberForm
from assessments.models import Campaign, Decision, Recognition
from assessments.views.access import number_or_zero
from assessments.views.guessing import is_guessing, note_miss
from assessments.views.letters import as_pdf
from organizations.views.lists import FilteredListView

#: So many papers in one document: more would keep the one who waits for it too long.
PORTION = 100


@method_decorator(login_not_required, name="dispatch")
class Honours(FilteredListView):
    """命名工会: who holds a title, for everybody; one that is lost is no longer there."""

    template_name = "assessments/recognition/honours.html"
    context_object_name = "recognitions"

    def get_queryset(self) -> QuerySet[Recognition]:
        self.counties = all_counties()
        public = Recognition.objects.public()
        self.filter = HonoursFilter(self.request.GET, self.counties, public)
        rows = self.filter.narrowed().select_related("campaign", "decision__self_assessment")
        return rows.order_by("-campaign__year", "tier", "number")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        lines = [
            (one, county_name(self.counties, one.decision.self_assessment.place))
            for one in context["recognitions"]
        ]
        return context | {"lines": lines}


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
        form.add_error(None, gettext("查询太频繁，请一分钟后再试。"))
        status = 429
    elif typed and form.is_valid():
        found = recognition.find(form.cleaned_data["number"])
        if found is None:
            note_miss(request)
            form.add_error("number", gettext("没有这个编号的证书。请核对证书左下角的编号。"))
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
    rows = _portion(_titles_or_404(request, year), _part(request))
    name = f"{year} 年命名证书（第 {_part(request)} 批）"
    back = reverse("assessments:recognition_list")
    return as_pdf(request, lambda: _certificates(request, rows), name, back)


@require_safe
def certified_letters(request: HttpRequest, year: int) -> HttpResponse:
    """The letters of the same unions, in the same order."""
    rows = _portion(_titles_or_404(request, year), _part(request))
    name = f"{year} 年评定结果通知书（第 {_part(request)} 批）"
    back = reverse("assessments:recognition_list")
    return as_pdf(request, lambda: _letters(rows), name, back)


@require_safe
def papers(request: HttpRequest, year: int) -> HttpResponse:
    """证书 and 通知书 of all titles of a campaign in one archive, made while it is sent."""
    entries = _papers(request, _titles_or_404(request, year))
    try:
        first = next(entries)
    except printing.PrintingUnavailable as error:
        messages.error(request, str(error))
        return redirect("assessments:recognition_list")
    content = archive.packed(chain([first], entries))
    response = StreamingHttpResponse(content, content_type=archive.MEDIA_TYPE)
    name = f"{year} 年命名证书和通知书.zip"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _papers(
    request: HttpRequest, titles: QuerySet[Recognition]
) -> Iterator[tuple[str, io.BytesIO]]:
    for part in range(1, math.ceil(titles.count() / PORTION) + 1):
        rows = _portion(titles, part)
        yield (
            f"命名证书（第 {part} 批）.pdf",
            io.BytesIO(_certificates(request, rows)),
        )
        yield (
            f"评定结果通知书（第 {part} 批）.pdf",
            io.BytesIO(_letters(rows)),
        )


def _certificates(request: HttpRequest, rows: QuerySet[Recognition]) -> bytes:
    return exported.certificates(rows.select_related("campaign"), _link_of(request))


def _letters(rows: QuerySet[Recognition]) -> bytes:
    portion = list(rows.values_list("decision", flat=True))
    decisions = Decision.objects.select_related("self_assessment__organization", "campaign")
    by_key = decisions.in_bulk(portion)
    return exported_letters.letters(letters.write_all(by_key[key] for key in portion))


def _titles_or_404(request: HttpRequest, year: int) -> QuerySet[Recognition]:
    if not permissions.may_lead(request.user):
        raise Http404
    campaign = get_object_or_404(Campaign, year=year)
    titles = campaign.recognitions.valid().visible_to(request.user)
    if not titles[(_part(request) - 1) * PORTION :].exists():
        raise Http404
    return titles


def _portion(titles: QuerySet[Recognition], part: int) -> QuerySet[Recognition]:
    return titles[(part - 1) * PORTION : part * PORTION]


def _part(request: HttpRequest) -> int:
    return max(1, number_or_zero(request.GET.get("part", "1")))


def _link_of(request: HttpRequest):
    page = request.build_absolute_uri(reverse("assessments:certificate_look_up"))
    return lambda one: f"{page}?{urlencode({'number': one.certificate_number})}"
