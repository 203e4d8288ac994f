"""民主测评: the union's page about its survey, and the ballot that members open on a phone."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from assessments import answering, deadlines, permissions, surveys
from assessments.choices import SurveyMode, Vote
from assessments.forms.surveys import BallotForm, SurveyForm
from assessments.models import Indicator, SelfAssessment, Survey
from assessments.views.access import readable_or_404
from assessments.views.guessing import takes_ballot

#: A phone is known by a cookie of the ballot's own; it says nothing about the person.
_PHONE_COOKIE = "ballot"
_PHONE_SECONDS = 90 * 24 * 3600


def _place(request: HttpRequest, pk: int, code: str) -> tuple[SelfAssessment, Indicator]:
    """A self-assessment whose content the user may read, and its satisfaction indicator."""
    assessment = readable_or_404(request, pk)
    indicators = Indicator.objects.select_related("criterion")
    indicator = get_object_or_404(
        indicators, criterion__rubric=assessment.rubric_id, code__iexact=code
    )
    if not indicator.is_satisfaction:
        raise Http404
    return assessment, indicator


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Open a survey; once it is there, its turnout, its QR code and its result."""
    assessment, indicator = _place(request, pk, code)
    survey = assessment.surveys.filter(indicator=indicator).first()
    now = deadlines.now()
    reason = answering.why_not_editable(assessment, request.user, now)
    due = deadlines.due_on(assessment)
    form = SurveyForm(
        deadlines.local_day(now), due, request.POST or None, initial={"closes_on": due.isoformat()}
    )
    if request.method == "POST" and not permissions.may_fill_in(request.user, assessment):
        raise Http404
    if request.method == "POST" and form.is_valid():
        try:
            surveys.open_survey(assessment, indicator, by=request.user, **form.cleaned_data)
        except (surveys.SurveyRefused, answering.NotEditable) as refused:
            if survey is None and reason is None:
                form.add_error(None, str(refused))
            else:  # there is no form on the page any more
                messages.error(request, str(refused))
                return redirect("assessments:survey", assessment.pk, indicator.code)
        else:
            messages.success(request, gettext("民主测评已经开始。"))
            return redirect("assessments:survey", assessment.pk, indicator.code)
    if survey:
        survey.self_assessment = assessment
    link = request.build_absolute_uri(_ballot_address(survey)) if survey else ""
    return render(
        request,
        "assessments/surveys/detail.html",
        {
            "assessment": assessment,
            "indicator": indicator,
            "survey": survey,
            "form": form,
            "may_write": reason is None,
            "is_open": bool(survey and surveys.is_open(survey)),
            "result": surveys.result(survey) if survey else None,
            "fewest": surveys.FEWEST_VOTES,
            "link": link,
            "picture": segno.make(link, error="m").svg_data_uri(scale=4, border=2) if link else "",
        },
    )


def _ballot_address(survey: Survey) -> str:
    return reverse("assessments:survey_ballot", args=[survey.token])


def _survey_or_404(request: HttpRequest, pk: int, code: str) -> Survey:
    """The survey, for those who may write the answers now."""
    assessment, indicator = _place(request, pk, code)
    if answering.why_not_editable(assessment, request.user, deadlines.now()):
        raise Http404
    survey = get_object_or_404(assessment.surveys, indicator=indicator)
    survey.self_assessment, survey.indicator = assessment, indicator
    return survey


@require_POST
def codes(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Slips with codes, shown this once, to be printed and cut."""
    survey = _survey_or_404(request, pk, code)
    try:
        issued = surveys.issue_codes(survey, by=request.user)
    except surveys.SurveyRefused as refused:
        messages.error(request, str(refused))
        return redirect("assessments:survey", pk, code)
    link = request.build_absolute_uri(_ballot_address(survey))
    picture = segno.make(link, error="m").svg_inline(border=1, omitsize=True, svgid="ballot-qr")
    response = render(
        request,
        "assessments/surveys/codes.html",
        {
            "survey": survey,
            "codes": issued,
            "link": link,
            "picture": mark_safe(picture),  # noqa: S308 - lines and numbers, drawn by segno
        },
    )
    response["Cache-Control"] = "private, no-store"
    return response


def _perform(
    request: HttpRequest, pk: int, code: str, act: Callable[..., None], done: str
) -> HttpResponse:
    survey = _survey_or_404(request, pk, code)
    try:
        act(survey, by=request.user)
    except (surveys.SurveyRefused, answering.NotEditable) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return redirect("assessments:survey", pk, code)


@require_POST
def close(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    return _perform(request, pk, code, surveys.close, gettext("民主测评已结束。"))


@require_POST
def cancel(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    return _perform(request, pk, code, surveys.cancel, gettext("民主测评已取消。"))


@require_POST
def adopt(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    return _perform(request, pk, code, surveys.adopt, gettext("测评结果已填入自评。"))


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
def ballot(request: HttpRequest, token: str) -> HttpResponse:
    """The ballot, open to whoever holds its address."""
    survey = get_object_or_404(
        Survey.objects.select_related("self_assessment__organization", "self_assessment__campaign"),
        token=token,
    )
    form = BallotForm(request.POST or None, takes_code=survey.mode == SurveyMode.CODES)
    phone = request.COOKIES.get(_PHONE_COOKIE, "")[:64] or secrets.token_hex(16)
    context = {"survey": survey, "form": form, "is_open": surveys.is_open(survey), "voted": False}
    status = 200
    if request.method == "POST":
        is_valid = form.is_valid()
        if not takes_ballot(request):
            form.add_error(None, gettext("操作太频繁，请一分钟后再试。"))
            status = 429
        elif is_valid:
            right = form.cleaned_data.get("code") or phone
            try:
                surveys.vote(survey, Vote(form.cleaned_data["choice"]), right=right)
            except surveys.SurveyRefused as refused:
                form.add_error("code" if "code" in form.fields else None, str(refused))
            else:
                context["voted"] = True
    response = render(request, "assessments/surveys/ballot.html", context, status=status)
    if survey.mode == SurveyMode.DEVICES:
        response.set_cookie(
            _PHONE_COOKIE,
            phone,
            max_age=_PHONE_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
            path=reverse("assessments:survey_ballot", args=[survey.token]),
        )
    return response
