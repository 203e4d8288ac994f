"""数据接口: for the city's administrators, the systems that may read, and their tokens."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from organizations import api_clients, permissions
from organizations.forms.api_clients import ApiClientForm
from organizations.models import ApiClient


def _require_city_admin(request: HttpRequest) -> None:
    if not permissions.is_city_admin(request.user):
        raise Http404


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All of them, and entering another. The token is on the page that answers, and never again."""
    _require_city_admin(request)
    form = ApiClientForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        client, token = api_clients.issue(by=request.user, **form.cleaned_data)
        return _issued(request, client, token)
    return render(
        request,
        "organizations/api_clients/list.html",
        {
            "clients": ApiClient.objects.select_related("organization", "created_by")[:200],
            "form": form,
        },
    )


@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    _require_city_admin(request)
    client = get_object_or_404(ApiClient, pk=pk)
    return _issued(request, client, api_clients.renew(client, by=request.user))


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    _require_city_admin(request)
    client = get_object_or_404(ApiClient, pk=pk)
    api_clients.revoke(client, by=request.user)
    messages.success(request, gettext("“{client}”的令牌已停用。").format(client=client))
    return redirect("organizations:api_clients")


def _issued(request: HttpRequest, client: ApiClient, token: str) -> HttpResponse:
    response = render(
        request, "organizations/api_clients/issued.html", {"client": client, "token": token}
    )
    response["Cache-Control"] = "no-store"
    return response
