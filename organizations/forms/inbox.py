"""Narrowing the list of messages."""

from __future__ import annotations

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from organizations.forms.filters import ListFilter
from organizations.models import Notification


class InboxFilter(ListFilter):
    UNREAD = "unread"

    show = forms.ChoiceField(
        label=_("显示"), required=False, choices=[("", _("全部消息")), (UNREAD, _("只看未读"))]
    )

    @property
    def only_unread(self) -> bool:
        return self.value("show") == self.UNREAD

    def apply(self, rows: QuerySet[Notification]) -> QuerySet[Notification]:
        return rows.unread() if self.only_unread else rows
