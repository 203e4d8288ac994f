"""Narrowing lists. What makes no sense is left out of account, never an error page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext


class ListFilter(forms.Form):
    """What stands above a list. Subclasses narrow rows by `apply`, asking for each `value`."""

    @property
    def values(self) -> dict[str, Any]:
        """What was chosen and makes sense, by name of the field."""
        self.is_valid()
        return self.cleaned_data

    def value(self, name: str) -> Any:
        """What was chosen; empty where that makes no sense."""
        return self.values.get(name) or ""

    @property
    def is_empty(self) -> bool:
        return not any(self.values.values())

    def described(self) -> list[str]:
        """What was chosen, in the words of the screen: “层级：基层工会”."""
        return [
            gettext("{label}：{choice}").format(
                label=field.label,
                choice=dict(getattr(field, "choices", ())).get(str(value), value),
            )
            for name, field in self.fields.items()
            if (value := self.value(name)) and field.label
        ]


def named(text: str, prefix: str = "") -> Q:
    """Unions whose name holds the text, whose initials do, or whose code begins with it."""
    condition = Q(**{f"{prefix}name__icontains": text}) | Q(**{f"{prefix}code__istartswith": text})
    letters = text.replace(" ", "").lower()
    if letters.isascii() and letters.isalnum():
        condition |= Q(**{f"{prefix}initials__contains": letters})
    return condition
