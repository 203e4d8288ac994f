"""Working days by the State Council's calendar."""

import datetime as dt

import pytest

from assessments import working_days


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-03-02", "2026-03-06", 5),
        ("2026-03-06", "2026-03-09", 2),  # a weekend between
        ("2026-09-28", "2026-10-11", 4),  # the national holiday, and a Saturday made up for it
        ("2031-10-01", "2031-10-07", 5),  # not known yet: weekends only
    ],
)
def test_between(first, last, days):
    assert working_days.between(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) == days
