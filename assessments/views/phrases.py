"""Stock phrases (常用语): one's own, and the shared ones."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from assessments import permissions, phrases
from assessments.forms.phrases import PhraseForm
from organizations.views.lists import PAGE_SIZE, query


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All that the user may put into a remark, or those of one indicator (?code=), and a form to
    add one."""
    if not permissions.may_keep_phrases(request.user):
        raise Http404
    code = request.GET.get("code", "")
    form = PhraseForm(
        request.POST if request.method == "POST" else None,
        initial={"code": code, "shared": bool(code)},
        may_share=permissions.may_share_phrases(request.user),
    )
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            phrases.keep(
                request.user, typed["text"], typed["code"], shared=typed.get("shared", False)
            )
        except phrases.NotKept as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, gettext("已添加。"))
            return redirect(request.get_full_path())
    offered = phrases.offered(request.user).order_by("code", "-uses", "pk")
    if code:
        offered = offered.filter(code=code)
    page = Paginator(offered, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "assessments/reviews/phrases.html",
        {
            "form": form,
            "page_obj": page,
            "paginator": page.paginator,
            "code": code,
            "query": query(request),
            "may_share": permissions.may_share_phrases(request.user),
        },
    )


@require_http_methods(["GET", "POST"])
def phrase(request: HttpRequest, pk: int) -> HttpResponse:
    """Change or delete one."""
    if not permissions.may_keep_phrases(request.user):
        raise Http404
    found = get_object_or_404(phrases.changeable(request.user), pk=pk)
    if request.method == "POST" and "delete" in request.POST:
        phrases.remove(found, request.user)
        messages.success(request, gettext("已删除。"))
        return redirect("assessments:phrase_list")
    form = PhraseForm(
        request.POST if request.method == "POST" else None,
        initial={"text": found.text, "code": found.code},
    )
    if request.method == "POST" and form.is_valid():
        try:
            phrases.change(
                found, form.cleaned_data["text"], form.cleaned_data["code"], request.user
            )
        except phrases.NotKept as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, gettext("已修改。"))
            return redirect("assessments:phrase_list")
    return render(
        request, "assessments/reviews/phrase.html", {"form": form, "is_shared": found.is_shared}
    )
