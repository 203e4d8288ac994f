"""日程: the days that concern the user, and the same as a file for phones and mail programs."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from assessments import deadlines, timetable


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The days to come, and those of the campaigns under way that are over."""
    now = deadlines.now()
    days = [(day, deadlines.days_left(day.on, now)) for day in timetable.days_of(request.user)]
    key = timetable.key_of(request.user)
    path = reverse("assessments:calendar_file", args=[key]) if key else ""
    return render(
        request,
        "assessments/calendar/index.html",
        {
            "coming": [pair for pair in days if pair[1] >= 0],
            "over": [pair for pair in reversed(days) if pair[1] < 0],
            "address": request.build_absolute_uri(path) if path else "",
        },
    )


@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """A first address, or a new one: the one before leads nowhere."""
    timetable.renew_address(request.user)
    messages.success(request, gettext("已生成新的订阅地址，以前的地址不能再用。"))
    return redirect("assessments:calendar")


@login_not_required
@never_cache
@require_safe
def file(request: HttpRequest, key: str) -> HttpResponse:
    """The calendar behind a secret address: a phone reads it without signing in."""
    owner = timetable.owner_of(key)
    if owner is None:
        raise Http404
    content = timetable.as_calendar(
        timetable.days_of(owner), request.build_absolute_uri("/").rstrip("/")
    )
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="liuhao.ics"'
    return response
