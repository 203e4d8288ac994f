"""申报情况: a superior union's or the city's desk over everything in its scope; urging."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from assessments import deadlines, oversight, permissions, urging
from assessments.choices import Matter
from assessments.forms.desk import DeskFilter, UrgeForm
from assessments.models import Campaign
from assessments.oversight import Lag, Stage
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.lists import CampaignListView, union_columns
from organizations.models import Organization
from organizations.views.lists import Column, query

#: The list to which urging leads back.
_URGED_FROM = {Matter.ASSESSMENT: _("申报情况"), Matter.PLAN: _("实施方案")}


class OversightList(CampaignListView):
    """Every organization that should hand in, with the state of its self-assessment."""

    template_name = "assessments/oversight/list.html"
    context_object_name = "organizations"
    title = _("申报情况")
    columns = (
        *union_columns(""),
        Column("state", _("状态"), lambda one: str(Stage(one.stage).label), "stage", width=10),
        Column("percent", _("已填（%）"), lambda one: one.percent, width=10, inside="state"),
        Column("due", _("剩余天数"), lambda one: one.days_left, "still_due", width=10),
        Column("score", _("自评总分"), lambda one: one.entry_total, "entry_total", numeric=True),
        Column(
            "submitted",
            _("提交时间"),
            lambda one: one.entry_submitted_at,
            "entry_submitted_at",
            width=20,
        ),
        Column("urged", _("催报"), lambda one: one.last_urged, "last_urged"),
    )

    def get_queryset(self) -> QuerySet[Organization]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = DeskFilter(self.request.GET, self.request.user)
        self.now = deadlines.now()
        if self.campaign is None:
            return Organization.objects.none()
        self.rows = narrowed(self.request, self.campaign, self.filter)
        return oversight.waiting_first(self.filter.apply_state(self.rows).select_related("parent"))

    def prepared(self, rows: list[Organization]) -> list[Organization]:
        user = self.request.user
        progress, proxied = oversight.progress(rows), oversight.proxied(rows)
        for one in rows:
            one.percent, one.proxied_by = progress.get(one.pk), proxied.get(one.entry_pk, "")
            one.can_proxy = (
                one.stage in oversight.BEHIND
                and not one.proxied_by
                and permissions.proxy_for(user, one) is not None
            )
            one.days_left = (
                deadlines.days_left(one.due, self.now) if one.stage in oversight.BEHIND else None
            )
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.campaign is None:
            return context
        user, campaign = self.request.user, self.campaign
        counts = oversight.count(self.rows, self.now)
        can_urge = permissions.may_urge(user) and not urging.why_not(campaign, self.now)
        return context | {
            "counts": counts,
            "tabs": self._tabs(counts),
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
        tabs = [
            (
                gettext("全部"),
                counts.total,
                query(self.request, state=""),
                chosen not in Stage.values,
            )
        ]
        tabs += [
            (str(stage.label), number, query(self.request, state=stage.value), chosen == stage)
            for stage in Stage
            if (number := counts.by_stage[stage]) or chosen == stage
        ]
        return tabs


def narrowed(
    request: HttpRequest, campaign: Campaign, filter_: DeskFilter
) -> QuerySet[Organization]:
    """The rows that the filter leaves, whatever their state."""
    rows = oversight.rows(request.user, campaign)
    rows = filter_.apply_figure(rows, campaign) if filter_.is_of_figure else filter_.apply(rows)
    return oversight.lagging(rows, filter_.value("lag"), campaign, deadlines.now())


def back_to_list(text: str) -> str:
    """The address of the desk with the filter that a link carried along: nothing but what the
    filter itself knows."""
    known = {*DeskFilter.base_fields, "year", "page", "sort", "size", "columns"}
    parameters = QueryDict(mutable=True)
    try:
        carried = QueryDict(text)
    except (UnicodeDecodeError, ValueError):
        carried = QueryDict()
    for name, values in carried.lists():
        if name in known:
            parameters.setlist(name, values)
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
    filter_ = DeskFilter(request.GET, request.user)
    rows = filter_.apply_state(narrowed(request, campaign, filter_))
    back = back_to_list(request.GET.urlencode())
    lag = dict(Lag.choices).get(filter_.value("lag"), "")
    return confirm_urging(request, campaign, rows, Matter.ASSESSMENT, back, lag)


def confirm_urging(
    request: HttpRequest,
    campaign: Campaign,
    rows: QuerySet[Organization],
    matter: Matter,
    back: str,
    lag: str = "",
) -> HttpResponse:
    """The page that asks to confirm, for some rows or for one of them (?one=); then `back`."""
    now, one = deadlines.now(), None
    if "one" in request.GET:
        one = urging.behind(rows, request.user).filter(pk=number_or_zero(request.GET.get("one")))
        rows, one = one, one.first()
    form = UrgeForm(
        request.POST if request.method == "POST" else None,
        initial={"text": urging.usual_text(campaign, now, matter)},
    )
    problem = urging.why_not(campaign, now, matter)
    if request.method == "POST" and form.is_valid():
        before = urging.plan(rows, campaign, request.user, now, matter)
        try:
            told = urging.urge(
                rows,
                campaign,
                text=form.cleaned_data["text"],
                by=request.user,
                at=now,
                matter=matter,
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
            "plan": urging.plan(rows, campaign, request.user, now, matter),
            "due": urging.due_on(campaign, matter),
            "title": _URGED_FROM[matter],
            "form": form,
            "problem": problem,
            "back": back,
            "lag_label": lag,
        },
        status=409 if problem and request.method == "POST" else 200,
    )


def _tell_result(request: HttpRequest, told: int, before: urging.Plan) -> None:
    if told:
        messages.success(request, gettext("已催报 {number} 个工会。").format(number=told))
    skipped = max(before.to_tell - told, 0) + before.told_today
    if skipped:
        messages.info(
            request,
            gettext("跳过 {number} 个：今天已经催报过，每个工会每天只催报一次。").format(
                number=skipped
            ),
        )
    if before.without_account:
        messages.warning(
            request,
            gettext("{number} 个工会无账号，未能通知。").format(number=before.without_account),
        )
    if not (told or skipped or before.without_account):
        messages.info(request, gettext("没有需要催报的工会。"))
