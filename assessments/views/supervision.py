"""督查: the rounds, the plan of each, its teams, and the unions that they visit."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from assessments import permissions
from assessments.assigning import NotAllowed
from assessments.choices import VisitState
from assessments.forms.filters import UnionFilter, counties_of
from assessments.forms.inspections import ReasonForm
from assessments.forms.supervision import PlacesForm, RoundFilter, RoundForm, TeamForm, VisitFilter
from assessments.models import (
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    SupervisionVisit,
)
from assessments.supervision import planning, steps
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.lists import CampaignListView, union_columns
from organizations import histories
from organizations.models import Organization
from organizations.views.lists import Column, TableView


class RoundList(CampaignListView):
    """The rounds of a campaign that the user sees."""

    template_name = "assessments/supervision/list.html"
    context_object_name = "rounds"
    title = _("督查")
    columns = (
        Column("title", _("督查"), lambda one: one.title, "title", width=36),
        Column(
            "organizer", _("组织单位"), lambda one: one.organizer.name, "organizer__name", width=30
        ),
        Column("starts", _("开始"), lambda one: one.starts_on, "starts_on"),
        Column("ends", _("结束"), lambda one: one.ends_on, "ends_on"),
        Column("state", _("状态"), lambda one: one.get_state_display(), "state", width=10),
        Column("visits", _("列入走访"), lambda one: one.places, numeric=True, width=10),
        Column("done", _("已反馈"), lambda one: one.done, numeric=True, width=10),
        Column("findings", _("问题"), lambda one: one.found, numeric=True, width=10),
        Column("waiting", _("未整改到位"), lambda one: one.waiting, numeric=True, width=12),
    )

    def get_queryset(self) -> QuerySet[SupervisionRound]:
        if not permissions.may_see_rounds(self.request.user):
            raise Http404
        self.campaign, self.campaigns = chosen_campaign(self.request)
        self.filter = RoundFilter(self.request.GET)
        rows = SupervisionRound.objects.visible_to(self.request.user)
        return self.filter.narrow(rows.filter(campaign=self.campaign).select_related("organizer"))

    def prepared(self, rows: list[SupervisionRound]) -> list[SupervisionRound]:
        """With `places`, `done`, `found` and `waiting`, of what the user sees: two queries."""
        visible = SupervisionVisit.objects.visible_to(self.request.user).filter(round__in=rows)
        visits = _by_round(visible.exclude(state=VisitState.CANCELLED), "round")
        findings = SupervisionFinding.objects.handed_over().filter(visit__in=visible.values("pk"))
        found = _by_round(findings, "visit__round")
        for one in rows:
            counted = visits.get(one.pk, {})
            one.places, one.done = sum(counted.values()), counted.get(VisitState.FED_BACK, 0)
            counted = found.get(one.pk, {})
            one.found = sum(counted.values())
            one.waiting = one.found - counted.get("ACCEPTED", 0)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        runs = permissions.supervises_for(user) is not None
        return super().get_context_data(**kwargs) | {
            "may_add": runs and self.campaign is not None and not self.campaign.is_archived,
            "may_see_rounds": True,
            "may_report": permissions.may_report_progress(user),
        }


def _by_round(rows: QuerySet, field: str) -> dict[int, dict[str, int]]:
    """How many rows of each round are in which state."""
    found: dict[int, dict[str, int]] = {}
    for key, state, number in rows.order_by().values_list(field, "state").annotate(Count("pk")):
        found.setdefault(key, {})[state] = number
    return found


def add(request: HttpRequest) -> HttpResponse:
    organizer = permissions.supervises_for(request.user)
    campaign, _ = chosen_campaign(request)
    if organizer is None or campaign is None:
        raise Http404
    return _edit(request, SupervisionRound(organizer=organizer, campaign=campaign))


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, _run_or_404(request, pk))


@require_http_methods(["GET", "POST"])
def _edit(request: HttpRequest, round_: SupervisionRound) -> HttpResponse:
    names = ("title", "starts_on", "ends_on", "purpose")
    shown = {name: getattr(round_, name) for name in names if round_.pk}
    form = RoundForm(request.POST if request.method == "POST" else None, initial=shown)
    theirs = None
    if request.method == "POST" and form.is_valid():
        seen = number_or_zero(request.POST.get("seen"))
        try:
            saved = planning.save(round_, form.plan, request.user, seen)
        except steps.Stale as error:
            theirs = _run_or_404(request, round_.pk)
            form.add_error(
                None,
                gettext("{error}对方的方案见下方；再次保存，就以您填写的为准。").format(
                    error=error
                ),
            )
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("已保存。"))
            return redirect(saved)
    return render(
        request,
        "assessments/supervision/edit.html",
        {"round": round_, "form": form, "theirs": theirs, "seen": (theirs or round_).version},
        status=409 if theirs else 200,
    )


class Plan(TableView):
    """The plan of one round: its days and teams, and the unions to visit as a table."""

    template_name = "assessments/supervision/plan.html"
    context_object_name = "visits"
    title = _("督查走访")
    columns = (
        *union_columns(),
        Column("team", _("小组"), lambda one: one.team.name, "team__name", width=16),
        Column("planned", _("计划日期"), lambda one: one.planned_on, "planned_on"),
        Column("state", _("走访情况"), lambda one: one.get_state_display(), "state", width=10),
        Column("visited", _("走访日期"), lambda one: one.visited_on, "visited_on"),
        Column("findings", _("问题"), lambda one: one.found, "found", numeric=True, width=8),
        Column(
            "waiting", _("未整改到位"), lambda one: one.waiting, "waiting", numeric=True, width=12
        ),
    )

    def get_queryset(self) -> QuerySet[SupervisionVisit]:
        user = self.request.user
        rounds = SupervisionRound.objects.visible_to(user).select_related("organizer", "campaign")
        self.round = get_object_or_404(rounds, pk=self.kwargs["pk"])
        self.teams = list(
            self.round.teams.annotate(number=Count("visits"))
            .select_related("leader")
            .prefetch_related("members")
        )
        self.filter = VisitFilter(self.request.GET, counties_of(user), self.teams)
        waiting = ~Q(findings__state="ACCEPTED") & Q(findings__isnull=False)
        rows = (
            SupervisionVisit.objects.visible_to(user)
            .filter(round=self.round)
            .select_related("organization__parent", "team")
            .annotate(found=Count("findings"), waiting=Count("findings", filter=waiting))
            .order_by("organization__path", "pk")
        )
        return self.filter.narrow(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, round_ = self.request.user, self.round
        may_run = permissions.may_run_round(user, round_)
        return super().get_context_data(**kwargs) | {
            "round": round_,
            "teams": self.teams,
            "may_plan": may_run and round_.is_open and not round_.campaign.is_archived,
            "may_start": steps.START.is_open_to(user, round_),
            "may_close": steps.CLOSE.is_open_to(user, round_),
            "history": histories.lines(round_) if may_run else [],
        }


@require_POST
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Start a round, or close it."""
    round_ = _run_or_404(request, pk)
    try:
        if name == "start":
            told = planning.start(round_, request.user)
            messages.success(
                request, gettext("督查已开始，已给小组的 {told} 个人发了消息。").format(told=told)
            )
        elif name == "close":
            planning.close(round_, request.user)
            messages.success(request, gettext("督查已结束。问题的整改继续跟踪。"))
        else:
            raise Http404
    except NotAllowed as error:
        messages.error(request, str(error))
    return redirect(round_)


def add_team(request: HttpRequest, pk: int) -> HttpResponse:
    return _team(request, SupervisionTeam(round=_run_or_404(request, pk)))


def team(request: HttpRequest, pk: int) -> HttpResponse:
    return _team(request, _team_or_404(request, pk))


@require_http_methods(["GET", "POST"])
def _team(request: HttpRequest, found: SupervisionTeam) -> HttpResponse:
    """A team: who goes; one that has nowhere to go can be taken away."""
    round_, shown = found.round, {}
    if found.pk:
        members = [one.pk for one in found.others]
        shown = {"name": found.name, "leader": found.leader_id, "members": members}
    asked = request.POST.get("act", "")
    form = TeamForm(round_.organizer, request.POST if asked == "save" else None, initial=shown)
    problem = ""
    try:
        if asked == "save" and form.is_valid():
            made = planning.save_team(found, **form.cleaned_data, by=request.user)
            messages.success(request, gettext("已保存“{name}”。").format(name=made))
            return (
                redirect("assessments:supervision_places", made.pk)
                if not shown
                else redirect(round_)
            )
        if asked == "remove" and found.pk:
            planning.remove_team(found, request.user)
            messages.success(request, gettext("已撤销“{name}”。").format(name=found))
            return redirect(round_)
    except NotAllowed as error:
        problem = str(error)
    return render(
        request,
        "assessments/supervision/team.html",
        {"round": round_, "team": found, "is_new": not shown, "form": form, "problem": problem},
        status=409 if problem else 200,
    )


class PlaceList(TableView):
    """列入走访: the unions that a team can still visit, ticked one by one or all that the filter
    leaves."""

    template_name = "assessments/supervision/places.html"
    context_object_name = "unions"
    title = _("可列入走访的工会")
    columns = union_columns("")
    form: PlacesForm | None = None
    problem = ""

    def get_queryset(self) -> QuerySet[Organization]:
        self.team = _team_or_404(self.request, self.kwargs["pk"])
        self.filter = UnionFilter(self.request.GET, counties_of(self.request.user))
        return self.filter.apply(planning.places_for(self.team).select_related("parent"))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rows, self.form = self.get_queryset(), PlacesForm(request.POST)
        if request.POST.get("act") != "all":
            rows = rows.filter(pk__in=map(number_or_zero, request.POST.getlist("chosen")))
        if self.form.is_valid():
            try:
                done = planning.add_places(
                    self.team, rows, self.form.cleaned_data["planned_on"], request.user
                )
            except NotAllowed as error:
                self.problem = str(error)
            else:
                text = (
                    gettext(
                        "“{team}”列入了 {added} 个工会，{left} 个没有列入（已在方案中或须回避）。"
                    )
                    if done.left_out
                    else gettext("“{team}”列入了 {added} 个工会。")
                )
                messages.success(
                    request, text.format(team=self.team, added=done.added, left=done.left_out)
                )
                return redirect(self.team.round)
        response = self.get(request, *args, **kwargs)
        response.status_code = 409 if self.problem else 200
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "team": self.team,
            "round": self.team.round,
            "form": self.form or PlacesForm(),
            "problem": self.problem,
            "chosen": self.request.POST.getlist("chosen"),
        }


@require_http_methods(["GET", "POST"])
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a union off the plan, for a reason."""
    rows = SupervisionVisit.objects.visible_to(request.user).filter(
        round__in=SupervisionRound.objects.run_by(request.user)
    )
    visit = get_object_or_404(rows.select_related("round__organizer", "organization"), pk=pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            planning.drop(visit, form.cleaned_data["reason"], request.user)
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                gettext("“{union}”已不在走访之列。").format(union=visit.organization),
            )
            return redirect(visit.round)
    return render(request, "assessments/supervision/drop.html", {"visit": visit, "form": form})


def _run_or_404(request: HttpRequest, pk: int) -> SupervisionRound:
    rounds = SupervisionRound.objects.run_by(request.user)
    return get_object_or_404(rounds.select_related("organizer", "campaign", "saved_by"), pk=pk)


def _team_or_404(request: HttpRequest, pk: int) -> SupervisionTeam:
    rows = SupervisionTeam.objects.filter(round__in=SupervisionRound.objects.run_by(request.user))
    return get_object_or_404(rows.select_related("round__organizer", "round__campaign"), pk=pk)
