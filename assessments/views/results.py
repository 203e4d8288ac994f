"""What everybody may see without an account: published results, objecting to them, the answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from assessments import appeals, deadlines, working_days
from assessments.assigning import NotAllowed
from assessments.choices import AppealKind, Outcome, State
from assessments.files import EvidenceRefused
from assessments.forms.filters import all_counties, county_name
from assessments.forms.publicity import AnswerLookUpForm, ObjectionForm, ResultFilter
from assessments.models import Campaign, PublishedResult
from assessments.views.access import chosen_campaign
from assessments.views.guessing import is_guessing, may_file, note_miss
from organizations.views.lists import FilteredListView

_BUSY = _("提交太频繁，请过一小时再试。您填写的内容还在。")


@method_decorator(login_not_required, name="dispatch")
class ResultList(FilteredListView):
    """公示与结果: what is published and nothing else."""

    template_name = "assessments/results/list.html"
    context_object_name = "results"

    def get_queryset(self) -> QuerySet[PublishedResult]:
        self.campaign, self.campaigns = chosen_campaign(self.request)
        if "year" not in self.request.GET:
            self.campaign = self._last_published() or self.campaign
        self.counties = all_counties()
        self.filter = ResultFilter(self.request.GET, self.counties)
        rows = (
            PublishedResult.objects.public()
            .filter(period__campaign=self.campaign)
            .select_related("period", "decision", "self_assessment__organization")
            .with_lost_titles()
        )
        if self.campaign and self.campaign.publishes_points:
            rows = rows.prefetch_related("decision__criteria")
        if outcome := self.filter.value("outcome"):
            rows = rows.filter(decision__outcome=outcome)
        return self.filter.apply(rows, organization="self_assessment__organization__")

    def _last_published(self) -> Campaign | None:
        """That of the newest list: the next campaign may have opened meanwhile, without results."""
        shown = PublishedResult.objects.public().order_by("-period__published_at")
        key = shown.values_list("period__campaign", flat=True).first()
        return next((one for one in self.campaigns if one.pk == key), None)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        now = deadlines.now()
        lines = [
            {
                "result": one,
                "county": county_name(self.counties, one.self_assessment.place),
                "open": one.self_assessment.state == State.PUBLISHED
                and not one.period.is_over(now),
                "final": one.self_assessment.state == State.FINAL,
                "lost": one.title_lost and one.decision.outcome == Outcome.AT_STANDARD,
            }
            for one in context["results"]
        ]
        known = working_days.last_known_year()
        return context | {
            "campaign": self.campaign,
            "campaigns": self.campaigns,
            "lines": lines,
            "not_published_yet": any(one["result"].period.closes_on.year > known for one in lines),
        }


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def object_to(request: HttpRequest, pk: int) -> HttpResponse:
    """提出异议 or 意见. The receipt answers the form itself: its code is shown once and stands in no
    address; sent again, the sum is used up."""
    result = get_object_or_404(
        PublishedResult.objects.public().select_related(
            "period__campaign", "self_assessment__organization", "decision"
        ),
        pk=pk,
    )
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ObjectionForm(settings.CONTACT_DAYS, *data)
    status = 200
    if data and form.is_valid() and not may_file(request):
        form.add_error(None, _BUSY)
        status = 429
    elif data and form.is_valid():
        kind, upload = AppealKind(form.cleaned_data["kind"]), form.cleaned_data["attachment"]
        try:
            appeal = appeals.file(result, kind, form.values, upload, None)
        except EvidenceRefused as error:
            form.add_error("attachment", str(error))
        except NotAllowed as error:
            form.add_error(None, str(error))
            status = 409
        else:
            return render(request, "assessments/results/receipt.html", {"appeal": appeal})
    closed = result.self_assessment.state != State.PUBLISHED or result.period.is_over(
        deadlines.now()
    )
    context = {"result": result, "form": form, "closed": closed}
    return render(request, "assessments/results/object.html", context, status=status)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def look_up(request: HttpRequest) -> HttpResponse:
    """查询答复, to whoever has number and code. By POST, so that the code stands in no log."""
    form = AnswerLookUpForm(request.POST if request.method == "POST" else None)
    found, status = None, 200
    if request.method == "POST" and is_guessing(request):
        form.add_error(None, gettext("查询太频繁，请一分钟后再试。"))
        status = 429
    elif request.method == "POST" and form.is_valid():
        found = appeals.find(**form.cleaned_data)
        if found is None:
            note_miss(request)
            form.add_error(None, gettext("登记号和查询码对不上，请核对。"))
            status = 404
    context = {"form": form, "found": found}
    return render(request, "assessments/results/look_up.html", context, status=status)
