"""Narrowing the list of messages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from organizations.models import Notification


class InboxFilter(forms.Form):
    UNREAD = "unread"

    show = forms.ChoiceField(
        label="显示", required=False, choices=[("", "全部消息"), (UNREAD, "只看未读")]
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.is_valid()

    @property
    def only_unread(self) -> bool:
        return self.cleaned_data.get("show") == self.UNREAD

    def apply(self, rows: QuerySet[Notification]) -> QuerySet[Notification]:
        return rows.unread() if self.only_unread else rows
