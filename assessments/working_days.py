"""Working days (工作日) by the calendar that the State Council publishes for each year."""

from __future__ import annotations

import datetime as dt
import functools

from chinese_calendar import constants, is_workday


@functools.cache
def last_known_year() -> int:
    """The last year whose holidays and make-up days are known."""
    return max(constants.holidays).year


def is_working_day(day: dt.date) -> bool:
    """Of a year that is not published yet, the weekends alone are free."""
    if day.year > last_known_year():
        return day.weekday() < 5
    return is_workday(day)


def last_of(begin: dt.date, number: int) -> dt.date:
    """The last of `number` working days after `begin`, which itself does not count."""
    day = begin
    while number > 0:
        day += dt.timedelta(days=1)
        number -= is_working_day(day)
    return day


def between(first: dt.date, last: dt.date) -> int:
    """How many there are, both days counted."""
    days = (last - first).days + 1
    return sum(is_working_day(first + dt.timedelta(days=number)) for number in range(days))
