"""命名: the titles of a campaign, giving them, and looking at them again (复查)."""

from __future__ import annotations

import math
from typing import Any

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from assessments import deadlines, permissions, recognition
from assessments.assigning import NotAllowed
from assessments.forms.decisions import ConfirmationForm
from assessments.forms.filters import counties_of
from assessments.forms.recognition import AwardForm, RecheckForm, RecognitionFilter
from assessments.models import Campaign, Recognition
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.certificates import PORTION
from assessments.views.lists import LeadListView, union_columns
from organizations.views.lists import Column


def _standing(one: Recognition) -> str:
    if one.revoked_at:
        return gettext("已撤销")
    return gettext("拟撤销") if one.in_question else gettext("有效")


class RecognitionList(LeadListView):
    """The titles given in a campaign, and how many wait to be given."""

    template_name = "assessments/recognition/list.html"
    context_object_name = "recognitions"
    title = _("命名")
    columns = (
        *union_columns(),
        Column("number", _("证书编号"), lambda one: one.certificate_number, "number", width=26),
        Column("awarded", _("命名日期"), lambda one: one.awarded_on, "awarded_on"),
        Column("checked", _("最近复查"), lambda one: one.checked_in, "checked_in", width=10),
        Column("standing", _("状态"), _standing, "revoked_at", width=10),
    )

    def get_queryset(self) -> QuerySet[Recognition]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = RecognitionFilter(self.request.GET, counties_of(self.request.user))
        rows = (
            Recognition.objects.visible_to(self.request.user)
            .filter(campaign=self.campaign)
            .select_related("organization__parent", "campaign")
            .with_rechecks()
        )
        rows = self.filter.apply(rows, organization="organization__")
        match self.filter.value("standing"):
            case "valid":
                rows = rows.valid()
            case "due":
                rows = rows.due_in(deadlines.local_day(deadlines.now()).year)
            case "question":
                rows = rows.valid().filter(in_question=True)
            case "revoked":
                rows = rows.exclude(revoked_at=None)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.campaign is None:
            return context
        may_award = permissions.may_administer(self.request.user)
        valid = self.campaign.recognitions.valid().visible_to(self.request.user).count()
        return context | {
            "valid": valid,
            "parts": range(1, math.ceil(valid / PORTION) + 1),
            "awaiting": recognition.awaiting(self.campaign).count() if may_award else 0,
        }


@require_http_methods(["GET", "POST"])
def award(request: HttpRequest, year: int) -> HttpResponse:
    """命名 of everything that waits for it, in one act, by the own password."""
    if not permissions.may_administer(request.user):
        raise Http404
    campaign = get_object_or_404(Campaign, year=year)
    waiting = recognition.awaiting(campaign)
    number, back = waiting.count(), f"{reverse('assessments:recognition_list')}?year={year}"
    if not number:
        messages.info(request, gettext("没有等待命名的工会：须评定达标、公示期满生效。"))
        return redirect(back)
    last = deadlines.local_day(waiting.aggregate(last=Max("decided_at"))["last"])
    form = AwardForm(request, last, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        seen = number_or_zero(request.POST.get("seen"))
        try:
            done = recognition.award(campaign, form.cleaned_data["awarded_on"], request.user, seen)
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            text = (
                gettext("已命名 {given} 个工会，{left} 个您须回避，由其他管理员命名。")
                if done.left_out
                else gettext("已命名 {given} 个工会。")
            )
            messages.success(request, text.format(given=done.given, left=done.left_out))
            return redirect(back)
    return render(
        request,
        "assessments/recognition/award.html",
        {
            "campaign": campaign,
            "form": form,
            "number": number,
            "first": waiting.select_related("self_assessment__organization__parent")[:20],
            "back": back,
        },
    )


@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One title with its re-checks; the city re-checks it, and takes it away by two people."""
    rows = Recognition.objects.visible_to(request.user).select_related(
        "organization__parent", "campaign", "decision__self_assessment"
    )
    one = get_object_or_404(rows, pk=pk)
    may_recheck = permissions.may_recheck(request.user, one)
    if request.method == "POST" and not may_recheck:
        raise Http404
    asked = request.POST.get("act", "")
    form = RecheckForm(request.POST if asked == "recheck" else None)
    confirmation = ConfirmationForm(
        request,
        gettext("撤销命名须由提出的人以外的另一人确认。"),
        request.POST if asked == "confirm" else None,
    )
    problem = ""
    if request.method == "POST":
        seen = request.POST.get("seen", "")
        try:
            if asked == "recheck" and form.is_valid():
                recognition.recheck(one, **form.cleaned_data, by=request.user, seen=seen)
                messages.success(request, gettext("已记录复查结果。"))
                return redirect(one)
            if asked == "confirm" and confirmation.is_valid():
                recognition.confirm_revocation(one, request.user, seen)
                messages.success(request, gettext("命名已撤销。"))
                return redirect(one)
            if asked == "withdraw":
                recognition.withdraw_revocation(one, request.user, seen)
                messages.success(request, gettext("已撤回，命名继续有效。"))
                return redirect(one)
        except NotAllowed as error:
            problem = str(error)
    of_city = permissions.may_see_names_of_city(request.user)
    rechecks = [
        check
        for check in one.rechecks.select_related("by", "confirmed_by")
        if of_city or not check.is_proposal
    ]
    proposal = next((check for check in rechecks if check.is_proposal), None)
    return render(
        request,
        "assessments/recognition/detail.html",
        {
            "recognition": one,
            "rechecks": rechecks,
            "proposal": proposal,
            "may_recheck": may_recheck and not one.revoked_at,
            "may_confirm": proposal is not None and proposal.by_id != request.user.pk,
            "names_shown": of_city,
            "form": form,
            "confirmation": confirmation,
            "seen": recognition.stamp(one),
            "problem": problem,
        },
        status=409 if problem else 200,
    )
