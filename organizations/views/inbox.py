"""消息: what has come for the signed-in user. Each belongs to its recipient; others get a 404."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from organizations import acting, notifications
from organizations.forms.inbox import InboxFilter
from organizations.models import Notification
from organizations.views.lists import FilteredListView
from organizations.views.returning import next_page

INBOX = "organizations:inbox"


class Inbox(FilteredListView):
    """Newest first; ?show=unread leaves out what was read."""

    template_name = "organizations/messages/list.html"
    context_object_name = "notifications"
    paginate_by = 30

    def get_queryset(self) -> QuerySet[Notification]:
        self.filter = InboxFilter(self.request.GET)
        return self.filter.apply(self.request.user.notifications.order_by("-at", "-pk"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = timezone.now().isoformat()
        return super().get_context_data(**kwargs) | {"shown": shown, "inbox": self.request.path}


@require_GET
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the message and go where it leads. With GET, so that mails and new tabs can open it:
    it touches nothing but one's own mark, and twice is once. Somebody who acts for one of several
    unions acts for all from then on: the message may be about another."""
    notification = get_object_or_404(request.user.notifications, pk=pk)
    notifications.mark_read(notification)
    if request.user.acting_for is not None:
        acting.choose(request.session, None)
        messages.info(request, gettext("已换成“全部身份”，以便打开这条消息。"))
    if not notifications.is_inside(notification.target):
        return redirect(INBOX)
    return redirect(notification.target)


@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Read without going there."""
    notifications.mark_read(get_object_or_404(request.user.notifications, pk=pk))
    return redirect(next_page(request, INBOX))


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """What the page has shown, or an older page of the list holds; not what has come since."""
    shown = _moment(request.POST.get("shown", ""))
    if shown is None:
        messages.error(request, gettext("页面已经过时，请刷新后再试。"))
    else:
        count = notifications.mark_all_read(request.user, shown=shown)
        messages.success(request, gettext("已把 {count} 条消息标为已读。").format(count=count))
    return redirect(INBOX)


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


def badge(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """For base.html: `unread_messages` in words of the badge, "" for none. Asked only by the
    pages that show it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}

    def unread_messages() -> str:
        count = notifications.unread_count(user)
        most = notifications.BADGE_MOST
        return f"{most}+" if count > most else str(count or "")

    return {"unread_messages": unread_messages}
