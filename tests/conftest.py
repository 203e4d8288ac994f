"""Fixtures: one small city for most tests, and no skipping where skipping is forbidden."""

import os

import pytest
from django.core.cache import cache

from assessments import deadlines, rubrics, worksheet
from tests import factories


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The three rubrics are there before the first test: loading them again is then cheap."""
    with django_db_blocker.unblock():
        rubrics.load()


def _forbid_skip(report):
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("FORBID_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipping is forbidden here: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _forbid_skip((yield))


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path):
    """Uploads of one test never meet those of another."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _rubrics_apart():
    """A test may make a rubric whose key another test's had before it."""
    worksheet.forget_outlines()


@pytest.fixture(autouse=True)
def _counts_apart():
    """What one test has sent does not slow down the next."""
    cache.clear()


@pytest.fixture
def one_minute(monkeypatch):
    """All within one minute (and hour), however long it takes."""
    now = deadlines.now()
    monkeypatch.setattr(deadlines, "now", lambda: now)


@pytest.fixture
def city(db):
    return factories.make_city()


@pytest.fixture
def campaign(city):
    return factories.make_campaign()
