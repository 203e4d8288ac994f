"""Working days by the State Council's calendar."""

import datetime as dt

import pytest

from assessments import working_days

NATIONAL_DAY = dt.date(2026, 10, 1)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (dt.date(2026, 9, 20), True),  # Sunday, made up for
        (dt.date(2026, 9, 30), True),
        (NATIONAL_DAY, False),
        (dt.date(2026, 10, 7), False),  # Wednesday, still a holiday
        (dt.date(2026, 10, 10), True),  # Saturday, made up for
        (dt.date(2026, 10, 11), False),
    ],
)
def test_holidays_and_make_up_days(day, works):
    assert working_days.is_working_day(day) is works


@pytest.mark.parametrize(
    ("begin", "number", "last"),
    [
        (dt.date(2026, 9, 29), 5, dt.date(2026, 10, 12)),
        (dt.date(2026, 9, 28), 1, dt.date(2026, 9, 29)),
        (dt.date(2026, 5, 11), 5, dt.date(2026, 5, 18)),
    ],
)
def test_the_day_of_publication_does_not_count(begin, number, last):
    assert working_days.last_of(begin, number) == last


def test_of_a_year_that_is_not_published_only_weekends_are_free():
    year = working_days.last_known_year() + 1
    first = dt.date(year, 10, 1)
    week = [first + dt.timedelta(days=n) for n in range(7)]
    assert [working_days.is_working_day(day) for day in week] == [day.weekday() < 5 for day in week]


@pytest.mark.parametrize(
    ("first", "last", "number"),
    [
        (dt.date(2026, 3, 2), dt.date(2026, 3, 6), 5),
        (dt.date(2026, 3, 6), dt.date(2026, 3, 9), 2),
        (dt.date(2026, 9, 28), dt.date(2026, 10, 11), 6),
    ],
)
def test_how_many_there_are_both_days_counted(first, last, number):
    assert working_days.between(first, last) == number
