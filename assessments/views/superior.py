"""初审: a superior's head endorses one, several at once, scores, and puts them in order."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from assessments import deadlines, endorsing, permissions, ranking, similarity, workflow, worksheet
from assessments.choices import Action, State
from assessments.forms.endorsing import EndorseForm, EndorsementSheet, OpinionForm, RankingForm
from assessments.models import SelfAssessment
from assessments.views.access import assessment_or_404, chosen_campaign, number_or_zero
from assessments.views.oversight import back_to_list
from organizations.choices import ASSESSED_TIERS
from organizations.models import Organization

#: So many can be endorsed in one go.
MOST_AT_ONCE = 100
_SHOWN_IN = (State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW, State.REVIEWED)


def _endorsable_or_404(request: HttpRequest, pk: int) -> SelfAssessment:
    assessment = assessment_or_404(request, pk)
    if not permissions.may_endorse(request.user, assessment):
        raise Http404
    return assessment


def desk(request: HttpRequest, assessment: SelfAssessment, at: dt.datetime) -> dict[str, Any]:
    """What the overview of a self-assessment shows about the superior: the endorsement, whether
    it is overdue; to the superior's head the neighbours in the queue; the way back to the list."""
    shown: dict[str, Any] = {}
    if "back" in request.GET:
        shown["back"] = back_to_list(request.GET["back"])
        shown["carry"] = "?" + urlencode({"back": request.GET["back"]})
    if not permissions.endorsement_applies(assessment):
        return shown
    if assessment.state not in _SHOWN_IN:
        return shown  # the timeline tells what the superior said
    shown["endorsement"] = endorsing.standing(assessment)
    shown["overdue"] = (
        assessment.state == State.SUBMITTED
        and shown["endorsement"] is None
        and deadlines.endorsement_is_over(assessment.campaign, at)
    )
    if assessment.state in _SHOWN_IN[:2] and permissions.may_endorse(request.user, assessment):
        shown["before"], shown["after"] = endorsing.neighbours(request.user, assessment)
    return shown


@require_http_methods(["GET", "POST"])
def endorse(request: HttpRequest, pk: int) -> HttpResponse:
    """初审推荐: the submission in short, opinion, rank, and what is missing of the scores."""
    assessment = _endorsable_or_404(request, pk)
    policy = endorsing.policy_of(assessment)
    found = endorsing.prepared(assessment)
    next_rank = ranking.next_rank(assessment)
    form = EndorseForm(
        policy,
        request.POST if request.method == "POST" else None,
        next_rank=next_rank,
        initial={
            "opinion": found.opinion,
            "rank": found.rank or (next_rank if policy.endorsement_ranks else None),
        },
    )
    problems: tuple[workflow.Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            workflow.perform(
                assessment,
                Action.ENDORSE,
                by=request.user,
                seen=request.POST.get("seen", ""),
                **form.cleaned_data,
            )
        except workflow.TransitionRefused as error:
            problems = error.problems
        else:
            messages.success(request, gettext("已初审推荐。在市总工会受理之前可以撤回。"))
            return redirect(assessment)
    if request.method == "POST":
        assessment.refresh_from_db(fields=["state", "revision"])
    context = workflow.look(assessment, request.user)
    wrong_state = assessment.state != State.SUBMITTED
    if not wrong_state:
        own = worksheet.result_of(context.sections, assessment.campaign)
        result = endorsing.result_of(assessment, context.lines, found.scores)
    return render(
        request,
        "assessments/superior/endorse.html",
        {
            "assessment": assessment,
            "policy": policy,
            "form": form,
            "problems": problems,
            "wrong_state": wrong_state,
            "seen": workflow.stamp(context, Action.ENDORSE),
            **(
                {}
                if wrong_state
                else {
                    "similar": similarity.open_count(assessment, request.user),
                    "own": own,
                    "result": result,
                    "rows": list(zip(context.sections, own.criteria, result.criteria, strict=True)),
                    "warning_count": sum(len(one.warnings) for one in context.sections),
                    "gaps": endorsing.gaps(assessment, context.lines, found.scores)
                    if policy.endorsement_scores
                    else [],
                }
            ),
        },
        status=409 if problems else 200,
    )


@require_http_methods(["GET", "POST"])
def scores(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """初审评分: one criterion, kept as a draft until the endorsement is given."""
    assessment = _endorsable_or_404(request, pk)
    if not permissions.may_read_content(request.user, assessment):
        raise Http404
    sections = worksheet.load(assessment, number)
    if not sections:
        raise Http404
    lines = sections[0].lines
    locked_reason = endorsing.why_not_scorable(assessment, request.user)
    found = endorsing.prepared(assessment)
    sheet = EndorsementSheet(
        lines,
        _shown(lines, found),
        data=request.POST if request.method == "POST" else None,
        writable=locked_reason is None,
    )
    if request.method == "POST":
        revision = number_or_zero(request.POST.get("revision")) or None
        try:
            saved = endorsing.save_scores(assessment, sheet.changes, request.user, revision)
        except endorsing.NotAllowed as error:
            locked_reason = gettext("没有保存：{reason}您填写的内容还在下面。").format(reason=error)
        else:
            found = endorsing.prepared(assessment)
            sheet.settle(_shown(lines, found), saved.conflicts)
            if not sheet.faulty_rows:
                messages.success(request, gettext("评分已保存。初审推荐时一并生效。"))
                if "next" not in request.POST:
                    return redirect("assessments:self_assessment_endorse_scores", pk, number)
                if number < 6:
                    return redirect("assessments:self_assessment_endorse_scores", pk, number + 1)
                return redirect("assessments:self_assessment_endorse", pk)
    return render(
        request,
        "assessments/superior/scores.html",
        {
            "assessment": assessment,
            "section": sections[0],
            "sheet": sheet,
            "locked_reason": locked_reason,
            "page_view": "assessments:self_assessment_endorse_scores",
            "page_pk": pk,
            "overview_url": reverse("assessments:self_assessment_endorse", args=[pk]),
            "numbers": range(1, 7),
            "next_number": number + 1 if number < 6 else None,
        },
        status=409 if request.method == "POST" and locked_reason else 200,
    )


def _shown(lines, found: endorsing.Prepared):
    return {
        line.indicator.pk: endorsing.shown_entry(line, found.scores.get(line.indicator.pk))
        for line in lines
    }


@require_http_methods(["GET", "POST"])
def endorse_several(request: HttpRequest) -> HttpResponse:
    """批量初审: those of the chosen ones about which nothing is doubtful, with one opinion, each in
    a transaction of its own; of the others the page says why they are left out."""
    if not permissions.endorses_for(request.user):
        raise Http404
    keys = {number_or_zero(text) for text in request.POST.getlist("chosen")} or {
        number_or_zero(text) for text in request.GET.getlist("chosen")
    }
    chosen = (
        SelfAssessment.objects.visible_to(request.user)
        .with_context()
        .filter(pk__in=sorted(keys)[:MOST_AT_ONCE])
        .order_by("place")
    )
    candidates = endorsing.candidates(chosen, request.user)
    form = OpinionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        done, refused = 0, []
        for candidate in candidates:
            assessment = candidate.assessment
            name = assessment.organization.name
            if candidate.reason:
                refused.append(
                    gettext("{subject}：{text}").format(subject=name, text=candidate.reason)
                )
                continue
            try:
                workflow.perform(
                    assessment,
                    Action.ENDORSE,
                    by=request.user,
                    seen=request.POST.get(f"seen-{assessment.pk}") or "-",
                    opinion=form.cleaned_data["opinion"],
                )
                done += 1
            except workflow.TransitionRefused as error:
                refused.append(gettext("{subject}：{text}").format(subject=name, text=error))
        if done:
            messages.success(request, gettext("已初审推荐 {number} 份。").format(number=done))
        for text in refused[:10]:
            messages.warning(request, gettext("没有初审：{text}").format(text=text))
        return redirect(f"{reverse('assessments:oversight')}?state=TO_ENDORSE")
    return render(
        request,
        "assessments/superior/several.html",
        {
            "form": form,
            "safe": [
                (
                    one.assessment,
                    workflow.stamp(workflow.look(one.assessment, request.user), Action.ENDORSE),
                )
                for one in candidates
                if not one.reason
            ],
            "left_out": [one for one in candidates if one.reason],
            "most": MOST_AT_ONCE,
            "too_many": len(keys) > MOST_AT_ONCE,
        },
    )


@require_http_methods(["GET", "POST"])
def rank(request: HttpRequest, pk: int) -> HttpResponse:
    """推荐排序: the ranks of everything that the union has endorsed at one tier, typed or moved
    by one place at a time."""
    organization = get_object_or_404(Organization.objects.visible_to(request.user), pk=pk)
    campaign, _ = chosen_campaign(request)
    if campaign is None or not permissions.may_rank(request.user, organization):
        raise Http404
    tiers = [tier for tier in ASSESSED_TIERS if tier != "COUNTY"]
    if organization.tier != "COUNTY":
        tiers = tiers[-1:]
    tier = next((one for one in tiers if one == request.GET.get("tier")), tiers[0])
    endorsements = list(ranking.ranked(organization, campaign, tier)[: ranking.MOST_RANKED])
    problem, data = "", request.POST if request.method == "POST" else None
    moving = next((name for name in ("up", "down") if data and name in data), None)
    form = RankingForm(endorsements, None if moving else data)
    if data is not None:
        ranks = None
        if moving:
            step = -1 if moving == "up" else 1
            ranks = ranking.moved(endorsements, number_or_zero(data[moving]), step)
        elif form.is_valid():
            ranks = form.ranks
        if ranks is not None:
            try:
                changed = ranking.save_ranks(
                    organization,
                    campaign,
                    tier,
                    ranks,
                    by=request.user,
                    seen=data.get("seen", ""),
                )
            except ranking.NotAllowed as error:
                problem = str(error)
            else:
                if changed:
                    messages.success(request, gettext("名次已保存。"))
                return redirect(f"{request.path}?year={campaign.year}&tier={tier}")
    return render(
        request,
        "assessments/superior/rank.html",
        {
            "organization": organization,
            "campaign": campaign,
            "tier": tier,
            "tiers": tiers,
            "form": form,
            "seen": ranking.rank_stamp(endorsements),
            "problem": problem,
        },
        status=409 if problem else 200,
    )
