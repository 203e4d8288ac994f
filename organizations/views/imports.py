"""导入名册: the template, the upload, the preview, and its confirmation."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.choices import ImportGroup, ImportState
from organizations.forms.imports import ImportForm
from organizations.importing import applying, previews, register
from organizations.importing.columns import COLUMNS
from organizations.importing.reading import ListRefused
from organizations.models import Organization, OrganizationImport
from organizations.views.access import require_admin
from organizations.views.lists import PAGE_SIZE
from organizations.workbook import MEDIA_TYPE


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Upload a list; those uploaded before stand below."""
    require_admin(request)
    form = ImportForm()
    if request.method == "POST":
        data, files = request.POST, request.FILES
        dropped = "file" in getattr(request, "oversize_files", {})
        form = ImportForm(data, files, dropped=dropped)
    if form.is_valid():
        try:
            return redirect(previews.upload(form.cleaned_data["file"], by=request.user))
        except ListRefused as refused:
            form.add_error("file", str(refused))
    uploads = OrganizationImport.objects.visible_to(request.user)
    return render(
        request,
        "organizations/imports/index.html",
        {
            "form": form,
            "columns": COLUMNS,
            "page_obj": Paginator(uploads, PAGE_SIZE).get_page(request.GET.get("page")),
        },
        status=422 if form.errors else 200,
    )


@require_safe
def template(request: HttpRequest) -> FileResponse:
    """The empty list with its drop-downs and an explanation."""
    require_admin(request)
    return FileResponse(
        register.template(request.user),
        as_attachment=True,
        filename="工会名册导入模板.xlsx",
        content_type=MEDIA_TYPE,
    )


@require_safe
def export(request: HttpRequest) -> FileResponse:
    """The unions that the user administers, as a list that can be corrected and imported."""
    require_admin(request)
    return FileResponse(
        register.write(Organization.objects.active().administered_by(request.user)),
        as_attachment=True,
        filename=register.filename(),
        content_type=MEDIA_TYPE,
    )


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What the list would do, group by group; the faults first."""
    batch = _batch_or_404(request, pk)
    groups = [
        (group, str(group.label), batch.counts.get(group, 0))
        for group in ImportGroup
        if batch.counts.get(group, 0)
    ]
    wanted = request.GET.get("group", "")
    chosen = next((group for group, *_ in groups if group == wanted), groups[0][0])
    pages = Paginator(range(batch.counts[chosen]), previews.ROWS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    stored = batch.pages.filter(group=chosen, number=page.number).first()
    return render(
        request,
        "organizations/imports/detail.html",
        {
            "batch": batch,
            "groups": groups,
            "chosen": chosen,
            "page_obj": page,
            "query": f"group={chosen}",
            "rows": stored.rows if stored else [],
            "touched": applying.touched(batch),
            "is_open": batch.state in (ImportState.CHECKED, ImportState.FAULTY),
            "is_checked": batch.state == ImportState.CHECKED,
        },
    )


@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    batch = _batch_or_404(request, pk)
    try:
        applying.apply(batch, by=request.user)
    except applying.PlanChanged:
        messages.warning(
            request,
            gettext(
                "名册预览之后，工会登记有了变化。下面是重新核对的结果，请看过后再确认；目前什么都没有导入。"
            ),
        )
    except ListRefused as refused:
        messages.error(request, str(refused))
    except applying.NotConfirmable:
        messages.error(request, gettext("这份名册已经处理过，或者还有错误，没有再次导入。"))
    else:
        messages.success(request, gettext("导入完成。"))
    return redirect(batch)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    previews.discard(_batch_or_404(request, pk), by=request.user)
    messages.success(request, gettext("已放弃这份名册，什么都没有导入。"))
    return redirect("organizations:imports")


def _batch_or_404(request: HttpRequest, pk: int) -> OrganizationImport:
    require_admin(request)
    return get_object_or_404(OrganizationImport.objects.visible_to(request.user), pk=pk)
