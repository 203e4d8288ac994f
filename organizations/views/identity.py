"""Acting for one of several unions, and what every page shows about the session."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from organizations import acting, sessions
from organizations.views.returning import next_page


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Act for the union with this key, or for all of them; without a key that is one's own, 404."""
    key = request.POST.get("organization", "")
    chosen = {str(union.pk): union for union in acting.unions(request.user)}
    if key and key not in chosen:
        raise Http404
    acting.choose(request.session, chosen.get(key))
    return redirect(next_page(request))


def session_context(request: HttpRequest) -> dict[str, Any]:
    """For base.html: `is_held` at a page that must be passed first; `idle_seconds` until the
    session ends by itself; `identities`, (key, name, whether chosen), of whoever has several."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    is_held = bool(getattr(request, "held_at", ""))
    unions = [] if is_held else acting.unions(user)
    return {
        "is_held": is_held,
        "idle_seconds": sessions.idle_seconds(),
        "identities": [
            (union.pk, union.name, union.pk == user.acting_for)
            for union in unions
            if len(unions) > 1
        ],
    }
