"""督查 on site and after it: a visit, what was found, putting it right, and following it up."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import deadlines, permissions
from assessments.assigning import NotAllowed
from assessments.files import EvidenceRefused
from assessments.forms.filters import counties_of
from assessments.forms.supervision import (
    CheckForm,
    FeedBackForm,
    FindingFilter,
    FindingForm,
    RectificationForm,
)
from assessments.models import (
    Rectification,
    SupervisionFile,
    SupervisionFinding,
    SupervisionRound,
    SupervisionVisit,
)
from assessments.supervision import rectifying, steps, visiting
from assessments.views.access import chosen_campaign, number_or_zero
from assessments.views.evidence import file_response, thumbnail_response
from assessments.views.lists import CampaignListView, union_columns
from assessments.views.uploading import refused_while_arriving
from organizations import histories
from organizations.models import User
from organizations.views.lists import Column

#: What can be done with a finding once it is handed over.
_FOLLOWING = ("answer", "accept", "return")


def _with_days_left(findings: list[SupervisionFinding]) -> list[SupervisionFinding]:
    """With `days_left` of those that wait for the union; negative once the day has passed."""
    now = deadlines.now()
    for one in findings:
        one.days_left = deadlines.days_left(one.rectify_by, now) if one.is_unanswered else None
    return findings


def _standing(finding: SupervisionFinding) -> str:
    state = finding.get_state_display()
    if (finding.days_left or 0) >= 0:
        return state
    return gettext("{state}（逾期 {days} 天）").format(state=state, days=-finding.days_left)


class FindingList(CampaignListView):
    """问题整改: all that was found in the rounds of a campaign and handed over, as far as the user
    sees it."""

    template_name = "assessments/supervision/follow_up.html"
    context_object_name = "findings"
    title = _("督查问题整改")
    columns = (
        *union_columns("visit.organization"),
        Column(
            "round", _("督查"), lambda one: one.visit.round.title, "visit__round__title", extra=True
        ),
        Column("text", _("问题"), lambda one: one.text, width=50),
        Column("criterion", _("涉及哪个“好”"), lambda one: str(one.criterion or ""), extra=True),
        Column("severity", _("程度"), lambda one: one.get_severity_display(), width=8),
        Column("due", _("整改期限"), lambda one: one.rectify_by, "rectify_by"),
        Column("state", _("整改情况"), _standing, "state", width=18),
    )

    def get_queryset(self) -> QuerySet[SupervisionFinding]:
        user = self.request.user
        if not user.roles:
            raise Http404
        self.campaign, self.campaigns = chosen_campaign(self.request)
        rounds = SupervisionRound.objects.visible_to(user).filter(campaign=self.campaign)
        self.filter = FindingFilter(self.request.GET, counties_of(user), rounds)
        rows = (
            SupervisionFinding.objects.visible_to(user)
            .handed_over()
            .filter(visit__round__campaign=self.campaign)
            .select_related("visit__organization__parent", "visit__round", "criterion")
            .order_by("rectify_by", "pk")
        )
        return self.filter.narrow(rows)

    def prepared(self, rows: list[SupervisionFinding]) -> list[SupervisionFinding]:
        return _with_days_left(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "may_see_rounds": permissions.may_see_rounds(self.request.user),
            "may_report": permissions.may_report_progress(self.request.user),
        }


@require_http_methods(["GET", "POST"])
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    """One union: for its team what is found there, and handing it over; afterwards, for everybody who
    sees the union, what was found and how far it is put right."""
    user = request.user
    rounds = SupervisionRound.objects.visible_to(user).filter(pk=OuterRef("round"))
    rows = SupervisionVisit.objects.visible_to(user).annotate(round_is_visible=Exists(rounds))
    found = get_object_or_404(
        rows.select_related("round__organizer", "round__campaign", "organization__parent", "team"),
        pk=pk,
    )
    may_write = steps.FEED_BACK.is_open_to(request.user, found)
    if request.method == "POST" and not permissions.may_visit(request.user, found):
        raise Http404
    form = FeedBackForm(
        request.POST if request.method == "POST" else None,
        initial={"visited_on": deadlines.local_day(deadlines.now())},
    )
    if request.method == "POST" and form.is_valid():
        try:
            visiting.feed_back(found, **form.cleaned_data, by=request.user)
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("已反馈给工会，并已通知整改。"))
            return redirect(found)
    findings = found.findings.select_related("criterion").annotate(number=Count("files"))
    return render(
        request,
        "assessments/supervision/visit.html",
        {
            "visit": found,
            "round": found.round,
            "findings": _with_days_left(list(findings)),
            "may_write": may_write,
            "may_drop": steps.CANCEL.is_open_to(request.user, found),
            "is_inside": found.round_is_visible,
            "form": form,
            "history": histories.lines(found) if found.round_is_visible else [],
        },
    )


def add_finding(request: HttpRequest, pk: int) -> HttpResponse:
    rows = SupervisionVisit.objects.written_by(request.user).select_related(
        "round__organizer", "organization"
    )
    found = get_object_or_404(rows, pk=pk)
    return _write(request, SupervisionFinding(visit=found))


def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding: written by the team until it is handed over, then put right and checked."""
    rows = SupervisionFinding.objects.visible_to(request.user).select_related(
        "visit__round__organizer", "visit__organization", "visit__team", "criterion", "written_by"
    )
    found = get_object_or_404(rows, pk=pk)
    if found.visit.is_fed_back and (
        request.method != "POST" or request.POST.get("act") in _FOLLOWING
    ):
        return _follow(request, found)
    if not permissions.may_visit(request.user, found.visit):
        raise Http404
    return _write(request, found)


@require_http_methods(["GET", "POST"])
def _write(request: HttpRequest, found: SupervisionFinding) -> HttpResponse:
    """On site, on a phone: what was found, with photos."""
    union, posted = found.visit, request.method == "POST"
    names = ("text", "criterion", "severity", "rectify_by")
    shown = {name: getattr(found, name) for name in names if found.pk}
    data = (request.POST, request.FILES) if posted else ()
    form = FindingForm(union, *data, initial=shown)
    theirs, status = None, 200
    if posted and request.POST.get("act") == "remove" and found.pk:
        return _remove(request, found)
    if posted and _is_complete(request, form):
        try:
            seen, files = number_or_zero(request.POST.get("seen")), form.cleaned_data["files"]
            visiting.save(found, form.content, files, by=request.user, seen=seen)
        except EvidenceRefused as error:
            form.add_error("files", str(error))
        except steps.Stale as error:
            theirs = SupervisionFinding.objects.get(pk=found.pk)
            form.add_error(
                None,
                gettext("{error}对方的内容见下方；再次保存，就以您填写的为准。").format(
                    error=error
                ),
            )
        except NotAllowed as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(request, gettext("已保存。"))
            return redirect(union)
    return render(
        request,
        "assessments/supervision/finding_form.html",
        {
            "finding": found,
            "visit": union,
            "form": form,
            "files": found.files.select_related("stored_file") if found.pk else [],
            "theirs": theirs,
            "seen": (theirs or found).version,
            "writable": steps.FEED_BACK.is_open_to(request.user, union),
        },
        status=409 if theirs else status,
    )


def _remove(request: HttpRequest, found: SupervisionFinding) -> HttpResponse:
    try:
        visiting.remove(found, request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已删除这个问题。"))
    return redirect(found.visit)


def _is_complete(request: HttpRequest, form: FindingForm | RectificationForm) -> bool:
    """Whether the form is valid and every file has arrived; if not, the form says what is wrong."""
    valid = form.is_valid()
    for message in refused_while_arriving(request, "files"):
        form.add_error("files", message)
        valid = False
    return valid


@require_http_methods(["GET", "POST"])
def _follow(request: HttpRequest, found: SupervisionFinding) -> HttpResponse:
    """How it is put right: the union's word with its proof, and the team's."""
    user, asked = request.user, request.POST.get("act", "")
    may_answer = permissions.may_answer_finding(user, found)
    may_check = not may_answer and permissions.may_check_finding(user, found)
    if request.method == "POST" and not (may_answer if asked == "answer" else may_check):
        raise Http404
    answering = RectificationForm(*((request.POST, request.FILES) if asked == "answer" else ()))
    checking = CheckForm(
        request.POST if asked in ("accept", "return") else None, returned=asked == "return"
    )
    problem, seen = "", request.POST.get("seen", "")
    try:
        if asked == "answer" and _is_complete(request, answering):
            values = answering.cleaned_data
            rectifying.answer(found, values["text"], values["files"], user, seen=seen)
            messages.success(request, gettext("已报送整改，等待验收。"))
            return redirect(found)
        if asked == "accept" and checking.is_valid():
            rectifying.accept(found, checking.cleaned_data["remark"], user, seen=seen)
            messages.success(request, gettext("已验收通过，已通知工会。"))
            return redirect(found)
        if asked == "return" and checking.is_valid():
            rectifying.send_back(found, **checking.cleaned_data, by=user, seen=seen)
            messages.success(request, gettext("已退回，已通知工会。"))
            return redirect(found)
    except EvidenceRefused as error:
        answering.add_error("files", str(error))
    except NotAllowed as error:
        problem = str(error)
        found.refresh_from_db(fields=["state", "rectify_by"])
    (found,) = _with_days_left([found])
    files = SupervisionFile.objects.select_related("stored_file")
    return render(
        request,
        "assessments/supervision/finding.html",
        {
            "finding": found,
            "visit": found.visit,
            "files": files.filter(finding=found, rectification=None),
            "rectifications": _rectifications(user, found, files),
            "answering": answering if may_answer and (found.is_unanswered or problem) else None,
            "checking": checking
            if may_check and (found.state in steps.ACCEPT.sources or problem)
            else None,
            "problem": problem,
            "seen": rectifying.stamp(found),
        },
        status=409 if problem else 200,
    )


def _rectifications(
    user: User, found: SupervisionFinding, files: QuerySet[SupervisionFile]
) -> list[Rectification]:
    """With `author`: whoever of the organizer put it right on site is named to the city alone."""
    rows = found.rectifications.select_related("by").prefetch_related(Prefetch("files", files))
    of_union = found.visit.organization.memberships.filter(user=OuterRef("by"))
    rows = list(rows.annotate(is_of_union=Exists(of_union)))
    names_shown = permissions.may_see_names_of_city(user)
    for one in rows:
        one.author = one.by if names_shown or one.is_of_union else found.visit.team
    return rows


def _file_or_404(request: HttpRequest, pk: int) -> SupervisionFile:
    findings = SupervisionFinding.objects.visible_to(request.user).values("pk")
    rows = SupervisionFile.objects.filter(finding__in=findings)
    return get_object_or_404(rows.select_related("stored_file", "finding__visit"), pk=pk)


@require_safe
def file(request: HttpRequest, pk: int) -> FileResponse:
    """A photo, shown (?small: its thumbnail); anything else as a download."""
    found = _file_or_404(request, pk)
    if "small" in request.GET:
        return thumbnail_response(found.stored_file)
    return file_response(found, as_attachment=not found.stored_file.is_image)


@require_POST
def remove_file(request: HttpRequest, pk: int) -> HttpResponse:
    found = _file_or_404(request, pk)
    if not permissions.may_visit(request.user, found.finding.visit):
        raise Http404
    try:
        visiting.detach(found, request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已删除“{name}”。").format(name=found.name))
    return redirect(found.finding)
