"""The record of a union or an account in words, for its page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.audit import events_of
from organizations.choices import Act

#: How each detail of an event is put; what is not named here is not shown.
_WORDS = {
    "from": _("原：{}"),
    "to": _("改为：{}"),
    "into": _("并入：{}"),
    "name": "{}",
    "role": "{}",
    "other": _("账号：{}"),
    "username": _("用户名：{}"),
    "roles": "{}",
    "reason": _("理由：{}"),
    "on": _("生效日期：{}"),
    "moved": _("涉及工会 {} 个"),
    "accounts": _("随转账号 {} 个"),
}
SHOWN = 20


@dataclass(frozen=True)
class Line:
    """One event: when, by whom, what, and the rest of it in words."""

    at: dt.datetime
    actor: str
    act: str
    text: str


def lines(subject: models.Model) -> list[Line]:
    """The subject's last events, the newest first: one query."""
    labels = dict(Act.choices)
    return [
        Line(
            event.at,
            event.actor_name,
            str(labels.get(event.action, event.action)),
            _text(event.action, event.details),
        )
        for event in events_of(subject)[:SHOWN]
    ]


def _text(action: str, details: dict[str, Any]) -> str:
    if action == Act.ORGANIZATION_REVISED:
        return gettext("；").join(
            gettext("{name}：{old} → {new}").format(name=name, old=_shown(old), new=_shown(new))
            for name, (old, new) in details.items()
        )
    return gettext("；").join(
        words.format(_shown(details[key])) for key, words in _WORDS.items() if details.get(key)
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return gettext("、").join(map(str, value))
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    return gettext("（空）") if value in (None, "") else str(value)
