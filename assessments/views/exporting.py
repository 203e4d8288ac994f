"""我的导出: asking for workbooks that are made in the background, and for the archive."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import exporting, permissions
from assessments.choices import SUBMITTED_STATES, State
from assessments.exports import archive, summary
from assessments.forms.exports import ExportForm
from assessments.forms.filters import AssessmentFilter, counties_of
from assessments.models import Campaign, Export, ExportPreset, SelfAssessment
from assessments.views.access import chosen_campaign, number_or_zero
from organizations import audit
from organizations.chinese import in_chinese
from organizations.choices import Act
from organizations.models import User
from organizations.views.lists import query

#: Earlier ones have expired, or are found by their messages.
_SHOWN = 50


def _for_exporters(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not permissions.may_export(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


def _own_or_404(request: HttpRequest, pk: int) -> Export:
    return get_object_or_404(Export.objects.visible_to(request.user), pk=pk)


@require_safe
@_for_exporters
def index(request: HttpRequest) -> HttpResponse:
    """我的导出."""
    exporting.take_up()
    return render(
        request,
        "assessments/exports/list.html",
        {
            "exports": Export.objects.visible_to(request.user)[:_SHOWN],
            "days": settings.EXPORT_DAYS,
        },
    )


@require_http_methods(["GET", "POST"])
@_for_exporters
def new(request: HttpRequest) -> HttpResponse:
    """生成汇总表: sheets, columns, campaign and part of the tree; ?preset= fills them in."""
    campaign, campaigns = chosen_campaign(request)
    if campaign is None:
        raise Http404
    presets = list(request.user.export_presets.all())
    key = number_or_zero(request.GET.get("preset"))
    preset = next((one for one in presets if one.pk == key), None)
    form = ExportForm(
        request.POST or None,
        campaigns,
        {"year": campaign.year} | (preset.settings if preset else {}),
    )
    if request.method == "POST" and form.is_valid():
        try:
            exporting.request(request.user, form.chosen)
        except exporting.ExportRefused as error:
            form.add_error(None, str(error))
        else:
            _keep(request.user, form)
            return redirect("assessments:export_list")
    return render(
        request,
        "assessments/exports/new.html",
        {"form": form, "presets": presets, "preset": preset},
        status=400 if form.errors else 200,
    )


def _keep(user: User, form: ExportForm) -> None:
    """The settings under their name, if they were given one; another of that name gives way."""
    if name := form.cleaned_data["name"]:
        kept = {one: form.chosen[one] for one in ("place", "sheets", "columns")}
        ExportPreset.objects.update_or_create(owner=user, name=name, defaults={"settings": kept})


@require_POST
@_for_exporters
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a preset."""
    get_object_or_404(request.user.export_presets, pk=pk).delete()
    messages.success(request, gettext("已删除常用方案。"))
    return redirect("assessments:export_new")


@require_safe
@never_cache
@_for_exporters
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """One row of the list; while it is pending the row asks for itself again."""
    export = _own_or_404(request, pk)
    return render(request, "assessments/exports/_row.html", {"export": export})


@require_safe
def file(request: HttpRequest, pk: int) -> FileResponse:
    """The workbook; the right to it is asked for anew."""
    export = _own_or_404(request, pk)
    if not (export.is_available and permissions.may_take_export(request.user, export)):
        raise Http404
    try:
        content = default_storage.open(export.file, "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    day = timezone.localtime(export.created_at)
    return FileResponse(
        content,
        as_attachment=True,
        filename=f"{export.title}{day:%Y%m%d}.xlsx",
        content_type=summary.MEDIA_TYPE,
    )


@require_POST
@_for_exporters
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Cancel, make anew, delete."""
    export = _own_or_404(request, pk)
    if name == "cancel":
        if not exporting.cancel(export):
            messages.info(request, gettext("它已经生成或停止，不用取消了。"))
    elif name == "again" and not export.is_pending:
        try:
            exporting.request(request.user, export.settings)
        except exporting.ExportRefused as error:
            messages.error(request, str(error))
    elif name == "delete":
        exporting.discard(export)
        messages.success(request, gettext("已删除。"))
    return redirect("assessments:export_list")


# --- 申报档案 -------------------------------------------------------------------------------------


def _chosen_assessments(
    request: HttpRequest,
) -> tuple[Campaign | None, list[Campaign], AssessmentFilter, QuerySet[SelfAssessment]]:
    """What has been handed in and is not withdrawn, narrowed by the filter."""
    campaign, campaigns = chosen_campaign(request)
    states = [(state.value, state.label) for state in State if state in SUBMITTED_STATES]
    form = AssessmentFilter(request.GET, counties_of(request.user), states)
    found = SelfAssessment.objects.visible_to(request.user).filter(
        campaign=campaign, state__in=SUBMITTED_STATES
    )
    return campaign, campaigns, form, form.apply(found, organization="organization__")


@require_safe
@_for_exporters
def archive_choice(request: HttpRequest) -> HttpResponse:
    """申报档案: which unions."""
    campaign, campaigns, form, found = _chosen_assessments(request)
    return render(
        request,
        "assessments/exports/archive.html",
        {
            "campaign": campaign,
            "campaigns": campaigns,
            "filter": form,
            "number": found.count(),
            "query": query(request),
        },
    )


@require_safe
@_for_exporters
@in_chinese()
def archive_file(request: HttpRequest) -> StreamingHttpResponse:
    """The zip, made while it is sent, in Chinese as everything in it is; that it was taken stands on
    record."""
    campaign, _, form, found = _chosen_assessments(request)
    if campaign is None:
        raise Http404
    chosen = "；".join(form.described()) or "全部"
    with transaction.atomic():
        audit.record(
            action=Act.ARCHIVE_EXPORTED,
            by=request.user,
            details={"campaign": campaign.name, "filter": chosen, "unions": found.count()},
        )

    def visible() -> QuerySet[SelfAssessment]:
        user = User.objects.get(pk=request.user.pk)
        now = SelfAssessment.objects.visible_to(user) if permissions.may_export(user) else None
        return found.none() if now is None else found.filter(pk__in=now.values("pk"))

    content = archive.stream(
        visible,
        link=lambda revision: request.build_absolute_uri(
            reverse("assessments:verify_code", args=[revision.code])
        ),
        title=f"{campaign.name}申报档案　筛选：{chosen}　导出：{request.user}",
    )
    response = StreamingHttpResponse(content, content_type=archive.MEDIA_TYPE)
    name = f"{campaign.name}申报档案{timezone.localdate():%Y%m%d}.zip"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response
