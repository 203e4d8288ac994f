"""Django's admin as the city's back office: same accounts, same permissions, same sign-in page."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse

from organizations.permissions import is_city_admin


class BackOffice(admin.AdminSite):
    site_header = site_title = "六好创建后台管理"
    index_title = "基础数据"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return user.is_authenticated and user.is_active and is_city_admin(user)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What a user may not see does not exist; whoever has not signed in does so first."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise Http404
        return redirect_to_login(request.GET.get("next", request.path))
