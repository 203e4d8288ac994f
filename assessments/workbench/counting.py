"""Tasks that are told by a number alone: all of them are counted in one query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from assessments.workbench.task import Task
from organizations.models import User


@dataclass(frozen=True)
class Counted:
    """Rows that wait for the user, and the task that their number makes."""

    rows: QuerySet
    task: Callable[[int], Task]


def tasks(user: User, counted: Iterable[Counted]) -> list[Task]:
    """The tasks of those of which there are any."""
    counted = list(counted)
    if not counted:
        return []
    numbers = User.objects.filter(pk=user.pk).values_list(*(_number(one.rows) for one in counted))
    return [one.task(number) for one, number in zip(counted, numbers.get(), strict=True) if number]


def _number(rows: QuerySet) -> Coalesce:
    """How many there are, as a part of another query."""
    found = rows.model._base_manager.filter(pk__in=rows.order_by().values("pk")).order_by()
    number = found.annotate(one=Value(1)).values("one").annotate(number=Count("pk"))
    return Coalesce(Subquery(number.values("number")), 0)
