"""申报情况: a superior union's or the city's desk over everything in its scope; urging."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from assessments import deadlines, oversight, permissions, urging
from assessments.forms.desk import DeskFilter, UrgeForm
from assessments.models import Campaign
from assessments.oversight import Lag, Stage
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.lists import CampaignListView
from organizations.models import Organization

#: The headings by which the list is sorted.
_HEADINGS = {"name": "工会", "due": "剩余天数", "score": "自评总分", "submitted": "提交时间"}


class OversightList(CampaignListView):
    """Every organization that should hand in, with the state of its self-assessment."""

    template_name = "assessments/oversight/list.html"
    context_object_name = "organizations"

    def get_queryset(self) -> QuerySet[Organization]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = DeskFilter(self.request.GET, self.request.user)
        self.now = deadlines.now()
        if self.campaign is None:
            return Organization.objects.none()
        self.rows = narrowed(self.request, self.campaign, self.filter)
        found = self.filter.apply_state(self.rows).select_related("parent")
        return oversight.in_order(found, self.filter.ordering)

    def get_paginate_by(self, queryset: QuerySet) -> int:
        return self.filter.page_size

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.campaign is None:
            return context
        user, campaign, page = self.request.user, self.campaign, list(context["organizations"])
        counts = oversight.count(self.rows, self.now)
        progress, proxied = oversight.progress(page), oversight.proxied(page)
        for one in page:
            one.percent, one.proxied_by = progress.get(one.pk), proxied.get(one.entry_pk, "")
            one.can_proxy = (
                one.stage in oversight.BEHIND
                and not one.proxied_by
                and permissions.proxy_for(user, one) is not None
            )
            one.days_left = (
                deadlines.days_left(one.due, self.now) if one.stage in oversight.BEHIND else None
            )
        can_urge = permissions.may_urge(user) and not urging.why_not(campaign, self.now)
        return context | {
            "organizations": page,
            "counts": counts,
            "tabs": self._tabs(counts),
            "headings": self._headings(),
            "days_left": deadlines.days_left(campaign.submission_deadline, self.now),
            "endorsement_over": deadlines.endorsement_is_over(campaign, self.now),
            "can_urge": can_urge,
            "behind": oversight.BEHIND,
            "to_urge": can_urge and sum(counts.by_stage[stage] for stage in oversight.BEHIND),
            "may_lead": permissions.may_lead(user),
            "ranks_for": [
                membership.organization
                for membership in user.roles
                if permissions.may_rank(user, membership.organization)
                and membership.organization.tier != "GRASSROOTS"
                and membership.role == "HEAD"
            ],
        }

    def _tabs(self, counts: oversight.Counts) -> list[tuple[str, int, str, bool]]:
        """Label, count, query and whether it is the one shown; stages without anybody are left
        out, unless chosen."""
        chosen = self.filter.value("state")
        tabs = [("全部", counts.total, self._query(state=""), chosen not in Stage.values)]
        tabs += [
            (str(stage.label), number, self._query(state=stage.value), chosen == stage)
            for stage in Stage
            if (number := counts.by_stage[stage]) or chosen == stage
        ]
        return tabs

    def _headings(self) -> dict[str, dict[str, str]]:
        """For each sortable column: what its heading links to, and how it is sorted now."""
        found = {}
        for name, label in _HEADINGS.items():
            sort = self.filter.ordering
            up, down = sort == name, sort == f"-{name}"
            found[name] = {
                "label": label,
                "query": self._query(sort=f"-{name}" if up else name),
                "sorted": "ascending" if up else "descending" if down else "",
                "sign": "↑" if up else "↓" if down else "",
            }
        return found

    def _query(self, **changes: str) -> str:
        parameters = self.request.GET.copy()
        parameters.pop("page", None)
        for name, value in changes.items():
            parameters[name] = value
            if not value:
                del parameters[name]
        return parameters.urlencode()


def narrowed(
    request: HttpRequest, campaign: Campaign, filter_: DeskFilter
) -> QuerySet[Organization]:
    """The rows that the filter leaves, whatever their state."""
    rows = filter_.apply(oversight.rows(request.user, campaign))
    return oversight.lagging(rows, filter_.value("lag"), campaign, deadlines.now())


def back_to_list(text: str) -> str:
    """The address of the desk with the filter that a link carried along: nothing but what the
    filter itself knows."""
    known = {*DeskFilter.base_fields, "year", "page"}
    parameters = QueryDict(mutable=True)
    try:
        carried = QueryDict(text)
    except (UnicodeDecodeError, ValueError):
        carried = QueryDict()
    for name in carried:
        if name in known:
            parameters[name] = carried[name]
    return f"{reverse('assessments:oversight')}?{parameters.urlencode()}".removesuffix("?")


@require_http_methods(["GET", "POST"])
def urge(request: HttpRequest) -> HttpResponse:
    """催报: how many would be told and who cannot be, with a text that can be edited; then tell
    them. Of one union (?one=) or of everything that the filter of the address leaves."""
    if not permissions.may_urge(request.user):
        raise Http404
    campaign, _ = chosen_campaign(request)
    if campaign is None:
        raise Http404
    now = deadlines.now()
    filter_ = DeskFilter(request.GET, request.user)
    rows = filter_.apply_state(narrowed(request, campaign, filter_))
    one = None
    if "one" in request.GET:
        one = urging.behind(rows, request.user).filter(pk=number_or_zero(request.GET.get("one")))
        rows, one = one, one.first()
    back = back_to_list(request.GET.urlencode())
    form = UrgeForm(
        request.POST if request.method == "POST" else None,
        initial={"text": urging.usual_text(campaign, now)},
    )
    problem = urging.why_not(campaign, now)
    if request.method == "POST" and form.is_valid():
        before = urging.plan(rows, campaign, request.user, now)
        try:
            told = urging.urge(
                rows, campaign, text=form.cleaned_data["text"], by=request.user, at=now
            )
        except urging.NotAllowed as error:
            problem = str(error)
        else:
            _tell_result(request, told, before)
            return redirect(back)
    return render(
        request,
        "assessments/superior/urge.html",
        {
            "campaign": campaign,
            "one": one,
            "plan": urging.plan(rows, campaign, request.user, now),
            "form": form,
            "problem": problem,
            "back": back,
            "lag_label": dict(Lag.choices).get(filter_.value("lag"), ""),
        },
        status=409 if problem and request.method == "POST" else 200,
    )


def _tell_result(request: HttpRequest, told: int, before: urging.Plan) -> None:
    if told:
        messages.success(request, f"已催报 {told} 个工会。")
    skipped = max(before.to_tell - told, 0) + before.told_today
    if skipped:
        messages.info(request, f"跳过 {skipped} 个：今天已经催报过，每个工会每天只催报一次。")
    if before.without_account:
        messages.warning(request, f"{before.without_account} 个工会无账号，未能通知。")
    if not (told or skipped or before.without_account):
        messages.info(request, "没有需要催报的工会。")
