"""Working days (工作日) by the State Council's calendar of holidays and make-up days."""

from __future__ import annotations

import datetime as dt

import chinese_calendar

_SATURDAY = 5


def is_working_day(day: dt.date) -> bool:
    """A year that the calendar does not know yet has its weekends only."""
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < _SATURDAY


def between(first: dt.date, last: dt.date) -> int:
    """How many there are, both days counted."""
    days = (last - first).days + 1
    return sum(is_working_day(first + dt.timedelta(number)) for number in range(days))
