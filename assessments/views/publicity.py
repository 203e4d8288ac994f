"""公示 at the city: its lists, publishing, and one period."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from assessments import deadlines, permissions, publicity, publishing, working_days
from assessments.assigning import NotAllowed
from assessments.choices import State
from assessments.forms.filters import UnionFilter, counties_of
from assessments.forms.publicity import PublishForm, RescheduleForm
from assessments.models import Campaign, PublicityPeriod
from assessments.views.access import chosen_campaign, number_or_zero
from organizations.views.lists import query

#: Lines of a list on one page.
_LINES = 50


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The periods of a campaign, and how many decisions wait to be published."""
    if not permissions.may_lead(request.user):
        raise Http404
    campaign, campaigns = chosen_campaign(request)
    periods = (
        PublicityPeriod.objects.filter(campaign=campaign)
        .annotate(listed=Count("results", filter=Q(results__removed_at=None)))
        .order_by("-published_at", "-pk")
    )
    now = deadlines.now()
    page = Paginator(periods, _LINES).get_page(request.GET.get("page"))
    may_publish = campaign is not None and permissions.may_administer(request.user)
    return render(
        request,
        "assessments/publicity/list.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "page_obj": page,
            "periods": [(one, one.is_over(now)) for one in page],
            "waiting": publishing.awaiting(campaign, request.user).count() if may_publish else 0,
        },
    )


@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, year: int) -> HttpResponse:
    """公示 of everything that is decided and that the filter leaves, in one act, by the own
    password."""
    if not permissions.may_administer(request.user):
        raise Http404
    campaign = get_object_or_404(Campaign, year=year)
    filter_ = UnionFilter(request.GET, counties_of(request.user))
    everything = publishing.awaiting(campaign, request.user)
    waiting = filter_.apply(everything, organization="organization__")
    number, back = waiting.count(), f"{reverse('assessments:publicity_list')}?year={year}"
    if not number and filter_.is_empty:
        messages.info(request, gettext("没有等待公示的评定。"))
        return redirect(back)
    initial = {
        "title": publicity.suggested_title(campaign, campaign.periods.count() + 1),
        "days": campaign.publicity_working_days,
    }
    data = request.POST if request.method == "POST" else None
    form = PublishForm(request, data, initial=initial)
    if data is not None and form.is_valid():
        try:
            done = publishing.publish(
                campaign,
                request.user,
                title=form.cleaned_data["title"],
                days=form.cleaned_data["days"],
                seen=number_or_zero(data.get("seen")),
                among=waiting,
            )
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            left = number - done.results.count()
            others = (
                gettext("{left} 个您须回避，由其他管理员公示。").format(left=left) if left else ""
            )
            messages.success(
                request,
                gettext("已公示，到 {closes_on:%Y-%m-%d} 结束。{others}").format(
                    closes_on=done.closes_on, others=others
                ),
            )
            return redirect(done)
    today = deadlines.local_day(deadlines.now())
    closes_on = working_days.last_of(today, campaign.publicity_working_days)
    return render(
        request,
        "assessments/publicity/publish.html",
        {
            "campaign": campaign,
            "form": form,
            "filter": filter_,
            "query": query(request),
            "number": number,
            "first": waiting[:20],
            "today": today,
            "closes_on": closes_on,
            "not_published_yet": closes_on.year > working_days.last_known_year(),
            "back": back,
        },
    )


@require_http_methods(["GET", "POST"])
def period(request: HttpRequest, pk: int) -> HttpResponse:
    """One period with its results; the administrator ends it earlier or later."""
    if not permissions.may_lead(request.user):
        raise Http404
    found = get_object_or_404(PublicityPeriod.objects.select_related("campaign"), pk=pk)
    may_change = permissions.may_administer(request.user)
    if request.method == "POST" and not may_change:
        raise Http404
    data = request.POST if request.method == "POST" else None
    form = RescheduleForm(data, initial={"closes_on": found.closes_on})
    if data is not None and form.is_valid():
        try:
            publicity.reschedule(found, **form.cleaned_data, by=request.user)
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("已调整公示截止日期。"))
            return redirect(found)
    rows = found.results.visible_to(request.user).select_related(
        "self_assessment__organization__parent", "decision"
    )
    page = Paginator(rows, _LINES).get_page(request.GET.get("page"))
    over = found.is_over(deadlines.now())
    return render(
        request,
        "assessments/publicity/period.html",
        {
            "period": found,
            "over": over,
            "form": form if may_change and (not over or form.is_bound) else None,
            "page_obj": page,
            "PUBLISHED": State.PUBLISHED,
            "may_withdraw": may_change,
            "not_published_yet": found.closes_on.year > working_days.last_known_year(),
        },
    )
