"""Pages that belong to no app: health, and the answer to a form whose page has gone stale."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog


@require_safe
@never_cache
@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """200 while the portal reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


#: What the scripts say, for whoever reads the portal in another language.
words = login_not_required(
    cache_control(private=True, max_age=3600)(JavaScriptCatalog.as_view(packages=["organizations"]))
)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose page is older than the session: the browser still holds what was typed."""
    return render(request, "403_csrf.html", status=403)
