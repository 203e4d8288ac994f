"""The record of a union or an account in words, for its page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import models

from organizations.audit import events_of
from organizations.choices import Act

#: How each detail of an event is put; what is not named here is not shown.
_WORDS = {
    "from": "原：{}",
    "to": "改为：{}",
    "into": "并入：{}",
    "name": "{}",
    "role": "{}",
    "other": "账号：{}",
    "username": "用户名：{}",
    "roles": "{}",
    "reason": "理由：{}",
    "on": "生效日期：{}",
    "moved": "涉及工会 {} 个",
    "accounts": "随转账号 {} 个",
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
        return "；".join(
            f"{name}：{_shown(old)} → {_shown(new)}" for name, (old, new) in details.items()
        )
    return "；".join(
        words.format(_shown(details[key])) for key, words in _WORDS.items() if details.get(key)
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(map(str, value))
    if isinstance(value, bool):
        return "是" if value else "否"
    return "（空）" if value in (None, "") else str(value)
