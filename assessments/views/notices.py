"""通知公告: to read, signed in or not; to write, publish and follow up."""

from __future__ import annotations

from typing import Any

from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import F, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import files, notices, permissions
from assessments.assigning import NotAllowed
from assessments.forms.filters import UnionFilter, counties_of
from assessments.forms.notices import NoticeFilter, NoticeForm
from assessments.models import Notice, NoticeFile
from assessments.views.access import number_or_zero, withdrawn
from assessments.views.evidence import file_response
from assessments.views.lists import union_columns
from assessments.views.uploading import refused_while_arriving
from organizations.models import Organization
from organizations.views.lists import FilteredListView, TableView


@method_decorator(login_not_required, name="dispatch")
class NoticeList(FilteredListView):
    """Pinned ones first, then the newest; whoever is not signed in finds the public ones."""

    template_name = "assessments/notices/list.html"
    context_object_name = "notices"
    paginate_by = 20

    def get_queryset(self) -> QuerySet[Notice]:
        user = self.request.user
        self.filter = NoticeFilter(self.request.GET, user)
        rows = (
            Notice.objects.visible_to(user)
            .with_receipt(user)
            .select_related("publisher")
            .order_by("-pinned", F("published_at").desc(nulls_first=True), "-pk")
        )
        return self.filter.apply(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        writes = user.is_authenticated and permissions.publishes_for(user) is not None
        return super().get_context_data(**kwargs) | {"may_write": writes}


def _visible(request: HttpRequest) -> QuerySet[Notice]:
    return Notice.objects.visible_to(request.user).select_related("publisher")


def _kept_or_404(request: HttpRequest, pk: int) -> Notice:
    rows = Notice.objects.kept_by(request.user).select_related("publisher")
    return get_object_or_404(rows, pk=pk)


@login_not_required
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Opening it is reading it: one's own receipt is all that changes, and twice is once. Who comes
    too late is told that it was withdrawn."""
    notice = _visible(request).filter(pk=pk).first()
    if notice is None:
        get_object_or_404(Notice.objects.taken_back_from(request.user), pk=pk)
        return withdrawn(request, gettext("通知"), reverse("assessments:notice_list"))
    signed_in = request.user.is_authenticated
    if signed_in:
        notices.mark_read(notice, request.user)
    return render(
        request,
        "assessments/notices/detail.html",
        {
            "notice": notice,
            "files": notice.files.select_related("stored_file"),
            "may_keep": signed_in and permissions.may_keep_notice(request.user, notice),
        },
    )


@login_not_required
@require_safe
def file(request: HttpRequest, pk: int) -> FileResponse:
    """An attachment, for whoever may read its notice."""
    readable = Notice.objects.visible_to(request.user).values("pk")
    found = NoticeFile.objects.select_related("stored_file").filter(notice__in=readable)
    return file_response(get_object_or_404(found, pk=pk), as_attachment=True)


def add(request: HttpRequest) -> HttpResponse:
    publisher = permissions.publishes_for(request.user)
    if publisher is None:
        raise Http404
    return _edit(request, Notice(publisher=publisher))


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    notice = _kept_or_404(request, pk)
    if notice.is_withdrawn:
        messages.error(request, gettext("通知已经撤回，不能再修改。"))
        return redirect(notice)
    return _edit(request, notice)


@require_http_methods(["GET", "POST"])
@csp_update({"style-src": [SELF, NONCE]})
def _edit(request: HttpRequest, notice: Notice) -> HttpResponse:
    """The editor puts a style of its own on the page: by the nonce."""
    posted = request.method == "POST"
    form = NoticeForm(notice, request.POST if posted else None)
    theirs = None
    if posted and form.is_valid():
        seen = number_or_zero(request.POST.get("seen"))
        try:
            saved = notices.save(notice, form.content, by=request.user, seen=seen)
        except notices.Stale as error:
            theirs = _kept_or_404(request, notice.pk)
            form.add_error(
                None,
                gettext("{error}对方的内容见页面下方；再次保存，就以您填写的内容为准。").format(
                    error=error
                ),
            )
        except NotAllowed as error:
            form.add_error(None, str(error))
        else:
            _take_files(request, saved, form)
            if request.POST.get("then") == "publish" and saved.is_draft:
                return redirect("assessments:notice_publish", saved.pk)
            messages.success(
                request, gettext("已保存。") if saved.is_draft else gettext("已更正。")
            )
            return redirect(saved)
    return render(
        request,
        "assessments/notices/edit.html",
        {"notice": notice, "form": form, "theirs": theirs, "seen": (theirs or notice).version},
        status=409 if theirs else 200,
    )


def _take_files(request: HttpRequest, notice: Notice, form: NoticeForm) -> None:
    """What came along and what is to go; what was refused is said on the next page."""
    notices.detach(notice, form.cleaned_data.get("remove") or [], request.user)
    refused = refused_while_arriving(request, "files")
    for upload in request.FILES.getlist("files"):
        try:
            notices.attach(notice, upload, request.user)
        except files.EvidenceRefused as error:
            refused.append(str(error))
    for message in refused:
        messages.error(request, message)


@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """The notice as it will look, and how many it goes to; then out with it."""
    notice = _kept_or_404(request, pk)
    if request.method == "POST":
        try:
            seen = number_or_zero(request.POST.get("seen"))
            told = notices.publish(notice, by=request.user, seen=seen)
        except NotAllowed as error:
            messages.error(request, str(error))
        else:
            messages.success(
                request, gettext("已发布，已给 {told} 个人发了消息。").format(told=told)
            )
        return redirect(notice)
    if not notice.is_draft:
        messages.info(request, gettext("通知已经发布。"))
        return redirect(notice)
    return render(
        request,
        "assessments/notices/publish.html",
        {
            "notice": notice,
            "files": notice.files.select_related("stored_file"),
            "audience": notice.audience.select_related("place"),
            "unions": notices.unions(notice).count(),
            "reachable": notices.unions_with_accounts(notice).count(),
        },
    )


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    notice = _kept_or_404(request, pk)
    try:
        notices.withdraw(notice, by=request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已撤回，别人不再看到。"))
    return redirect(notice)


class ReceiptList(TableView):
    """阅读情况: the unions where nobody has opened the notice."""

    template_name = "assessments/notices/receipts.html"
    context_object_name = "unions"
    title = _("未读通知的工会")
    columns = union_columns("")

    def get_queryset(self) -> QuerySet[Organization]:
        self.notice = _kept_or_404(self.request, self.kwargs["pk"])
        self.filter = UnionFilter(self.request.GET, counties_of(self.request.user))
        rows = notices.unions_without_receipt(self.notice).select_related("parent")
        return self.filter.apply(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "notice": self.notice,
            "readers": self.notice.receipts.count(),
            **notices.receipts(self.notice),
        }


@require_POST
def urge(request: HttpRequest, pk: int) -> HttpResponse:
    notice = _kept_or_404(request, pk)
    try:
        told = notices.urge(notice, by=request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, gettext("已提醒 {told} 个人。").format(told=told))
    return redirect("assessments:notice_receipts", pk)
