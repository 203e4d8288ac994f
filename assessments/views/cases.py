"""先进经验: the gallery for everybody, and the desk of those who write, forward and publish."""

from __future__ import annotations

from typing import Any

from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import Prefetch, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import cases, files, permissions
from assessments.assigning import NotAllowed
from assessments.choices import CaseAction
from assessments.forms.cases import CaseFilter, CaseForm, EditionForm, GalleryFilter, ReasonForm
from assessments.forms.filters import all_counties, counties_of
from assessments.models import CasePhoto, ExemplaryCase
from assessments.views.access import number_or_zero, review_or_404, withdrawn
from assessments.views.evidence import file_response, thumbnail_response
from assessments.views.lists import union_columns
from assessments.views.uploading import refused_while_arriving
from organizations.models import Organization
from organizations.views.lists import Column, FilteredListView, TableView

_ACTIONS = {action.lower().replace("_", "-"): action for action in CaseAction}
#: Actions that need a reason.
_WITH_REASON = (CaseAction.RETURN, CaseAction.DECLINE, CaseAction.TAKE_DOWN)
_DONE = {
    CaseAction.SUBMIT: _("已报送。"),
    CaseAction.FORWARD: _("已转报市总工会。"),
    CaseAction.RETURN: _("已退回，并通知了工会。"),
    CaseAction.DECLINE: _("已记为不采用，并通知了工会。"),
    CaseAction.PUBLISH: _("已发布，任何人都可以看到。"),
    CaseAction.WITHDRAW: _("已撤回。"),
    CaseAction.TAKE_DOWN: _("已撤下，并通知了工会。"),
}


@method_decorator(login_not_required, name="dispatch")
class Gallery(FilteredListView):
    """What is published, the newest first."""

    template_name = "assessments/cases/gallery.html"
    context_object_name = "cases"
    paginate_by = 12

    def get_queryset(self) -> QuerySet[ExemplaryCase]:
        public = ExemplaryCase.objects.public()
        self.filter = GalleryFilter(self.request.GET, all_counties(), public)
        return (
            self.filter.narrowed()
            .select_related("organization", "criterion")
            .prefetch_related(Prefetch("photos", CasePhoto.objects.public(), "shown_photos"))
            .order_by("-published_at", "-pk")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has_desk = self.request.user.is_authenticated
        return super().get_context_data(**kwargs) | {"has_desk": has_desk}


@login_not_required
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One published case; who comes too late is told that it was withdrawn."""
    case = (
        ExemplaryCase.objects.public()
        .select_related("organization", "criterion")
        .filter(pk=pk)
        .first()
    )
    if case is None:
        get_object_or_404(ExemplaryCase.objects.taken_back(), pk=pk)
        return withdrawn(request, gettext("先进经验"), reverse("assessments:case_gallery"))
    photos = case.photos.public()
    return render(request, "assessments/cases/detail.html", {"case": case, "photos": photos})


def _photo_or_404(request: HttpRequest, pk: int) -> CasePhoto:
    """A published photo for everybody, any other for whoever opens the record of its case."""
    rows = CasePhoto.objects.public()
    if request.user.is_authenticated:
        handled = cases.visible_to(request.user).values("pk")
        rows = CasePhoto.objects.filter(Q(pk__in=rows.values("pk")) | Q(case__in=handled))
    return get_object_or_404(rows.with_files(), pk=pk)


@login_not_required
@require_safe
def photo(request: HttpRequest, pk: int) -> FileResponse:
    return file_response(_photo_or_404(request, pk), as_attachment=False)


@login_not_required
@require_safe
def thumbnail(request: HttpRequest, pk: int) -> FileResponse:
    return thumbnail_response(_photo_or_404(request, pk).stored_file)


class CaseList(TableView):
    """报送和办理: the cases of which the user opens the record, the newest first."""

    template_name = "assessments/cases/list.html"
    context_object_name = "cases"
    title = _("先进经验报送")
    columns = (
        Column("title", _("标题"), lambda case: case.title, "title", width=40),
        *union_columns("organization"),
        Column("criterion", _("六好"), lambda case: case.criterion.title, "criterion__number"),
        Column("year", _("年度"), lambda case: case.year, "year", numeric=True),
        Column("state", _("状态"), lambda case: case.get_state_display(), "state", width=18),
        Column(
            "submitted", _("报送时间"), lambda case: case.submitted_at, "submitted_at", width=20
        ),
        Column(
            "published", _("发布时间"), lambda case: case.published_at, "published_at", width=20
        ),
    )

    def get_queryset(self) -> QuerySet[ExemplaryCase]:
        user = self.request.user
        self.filter = CaseFilter(self.request.GET, counties_of(user), cases.visible_to(user))
        return self.filter.narrowed().order_by("-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        own = {
            one.organization_id: one.organization
            for one in user.roles
            if permissions.may_write_case(user, one.organization)
        }
        return super().get_context_data(**kwargs) | {"own": own.values()}


def _visible_or_404(request: HttpRequest, pk: int) -> ExemplaryCase:
    return get_object_or_404(cases.visible_to(request.user), pk=pk)


@require_safe
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """What the union wrote, what the city made of it, and what can be done now."""
    return _record(request, _visible_or_404(request, pk), ReasonForm())


def _record(
    request: HttpRequest, case: ExemplaryCase, form: ReasonForm, problem: str = ""
) -> HttpResponse:
    user = request.user
    actions = cases.available(case, user)
    return render(
        request,
        "assessments/cases/record.html",
        {
            "case": case,
            "photos": case.photos.with_files(),
            "actions": {action.name for action in actions},
            "reasons": [
                (action.label, slug)
                for slug, action in _ACTIONS.items()
                if action in actions and action in _WITH_REASON
            ],
            "may_edit": _form_for(user, case) is not None,
            "form": form,
            "problem": problem,
        },
        status=409 if problem and request.method == "POST" else 200,
    )


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """A step of the table: 404 for whom it is not, and said on the page where it came too late."""
    chosen = _ACTIONS.get(action)
    case = _visible_or_404(request, pk)
    if chosen is None or not cases.may_ever(case, chosen, request.user):
        raise Http404
    form = ReasonForm(request.POST if chosen in _WITH_REASON else None)
    if form.is_bound and not form.is_valid():
        return _record(request, case, form)
    remarks = form.cleaned_data["remarks"] if form.is_bound else ""
    seen = number_or_zero(request.POST.get("seen"))
    try:
        cases.perform(case, chosen, by=request.user, seen=seen, remarks=remarks)
    except NotAllowed as error:
        return _record(request, _visible_or_404(request, pk), form, str(error))
    messages.success(request, _DONE[chosen])
    is_still_seen = cases.visible_to(request.user).filter(pk=pk).exists()
    return redirect(case if is_still_seen else "assessments:case_list")


def _form_for(user: Any, case: ExemplaryCase) -> type[CaseForm] | type[EditionForm] | None:
    """The form with which the user writes the case as it stands, if any."""
    if case.state in cases.WRITABLE and permissions.may_write_case(user, case.organization):
        return CaseForm
    if case.state in cases.EDITABLE and permissions.may_handle_case(user, case.organization):
        return EditionForm
    return None


def add(request: HttpRequest, pk: int) -> HttpResponse:
    """A new case of one of the user's own unions."""
    union = get_object_or_404(Organization.objects.active().select_related("parent"), pk=pk)
    if not permissions.may_write_case(request.user, union):
        raise Http404
    return _edit(request, ExemplaryCase(organization=union), CaseForm)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The union's own text while it is with the union, the city's edition once it is there."""
    case = _visible_or_404(request, pk)
    organization = case.organization
    if not (
        permissions.may_write_case(request.user, organization)
        or permissions.may_handle_case(request.user, organization)
    ):
        raise Http404
    form_class = _form_for(request.user, case)
    if form_class is None:
        problem = gettext("这篇材料{state}，现在不能修改。").format(state=case.get_state_display())
        return _record(request, case, ReasonForm(), problem)
    return _edit(request, case, form_class)


@require_http_methods(["GET", "POST"])
@csp_update({"style-src": [SELF, NONCE]})
def _edit(
    request: HttpRequest, case: ExemplaryCase, form_class: type[CaseForm] | type[EditionForm]
) -> HttpResponse:
    """The editor puts a style of its own on the page: by the nonce."""
    posted = request.method == "POST"
    form = form_class(case, request.POST if posted else None)
    theirs = None
    if posted and form.is_valid():
        seen = number_or_zero(request.POST.get("seen"))
        try:
            kept = _keep(request, case, form, seen)
        except cases.Stale as error:
            theirs = _visible_or_404(request, case.pk)
            form.add_error(
                None,
                gettext("{error}对方的内容见页面下方；再次保存，就以您填写的内容为准。").format(
                    error=error
                ),
            )
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, gettext("已保存。"))
            return redirect(kept)
    return render(
        request,
        "assessments/cases/edit.html",
        {
            "case": case,
            "form": form,
            "photos": case.photos.with_files() if case.pk else (),
            "is_own": form_class is CaseForm,
            "most": cases.MAX_PHOTOS,
            "theirs": theirs,
            "seen": (theirs or case).stamp,
        },
        status=409 if posted and form.non_field_errors() else 200,
    )


def _keep(
    request: HttpRequest, case: ExemplaryCase, form: CaseForm | EditionForm, seen: int
) -> ExemplaryCase:
    """Raises NotAllowed, cases.Stale. Photos that were refused are said on the next page."""
    user, values = request.user, form.cleaned_data
    if isinstance(form, EditionForm):
        kept = cases.edit(case, values["title"], values["body"], by=user, seen=seen)
        cases.arrange_photos(kept, values.get("hidden", ()), user)
        return kept
    kept = cases.save(case, form.content, by=user, seen=seen)
    cases.remove_photos(kept, values.get("remove", ()), user)
    refused = refused_while_arriving(request, "photos")
    for upload in request.FILES.getlist("photos"):
        try:
            cases.add_photo(kept, upload, user)
        except files.EvidenceRefused as error:
            refused.append(str(error))
    for message in refused:
        messages.error(request, message)
    return kept


@require_POST
def nominate(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """提名 of one answer, from the page where it is scored."""
    review = review_or_404(request, pk)
    assessment = review.self_assessment
    if not permissions.may_read_content(request.user, assessment):
        raise Http404
    rows = assessment.answers.select_related(
        "self_assessment__organization", "self_assessment__campaign", "indicator__criterion"
    ).prefetch_related("self_assessment__reviews")
    answer = get_object_or_404(rows, indicator__code=code)
    try:
        cases.nominate(answer, by=request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            gettext("已提名“{title}”，等该工会确认。").format(title=answer.indicator.name),
        )
    page = redirect("assessments:review_criterion", pk, answer.indicator.criterion.number)
    page["Location"] += f"#{code}"
    return page
