"""Settings fail loudly, and production is safe by default."""

import os
import secrets
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from liuhao_portal import env

GOOD = {"SECRET_KEY": secrets.token_urlsafe(64), "ALLOWED_HOSTS": "portal.example"}


def manage(tmp_path, *arguments, **variables):
    """Run manage.py with nothing but these variables, as on a fresh server."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    return subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", GOOD)
def test_refuses_to_start_without(tmp_path, missing):
    variables = {name: value for name, value in GOOD.items() if name != missing}
    done = manage(tmp_path, "check", **variables)
    assert done.returncode != 0
    assert f"{missing} must be set" in done.stderr


def test_the_deployment_check_is_clean(tmp_path):
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **GOOD)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_nonsense_is_refused(tmp_path):
    done = manage(tmp_path, "check", **GOOD, DEBUG="maybe")
    assert "DEBUG must be on or off" in done.stderr


def test_a_secret_may_come_from_a_file(tmp_path):
    key = tmp_path / "key"
    key.write_text(GOOD["SECRET_KEY"])
    variables = {"SECRET_KEY_FILE": str(key), "ALLOWED_HOSTS": "portal.example"}
    assert manage(tmp_path, "check", **variables).returncode == 0


def test_environment_readers(monkeypatch):
    monkeypatch.setenv("X_NUMBER", "many")
    with pytest.raises(ImproperlyConfigured, match="whole number"):
        env.integer("X_NUMBER", default=1)
    monkeypatch.setenv("X_FLAG", "On")
    assert env.boolean("X_FLAG", default=False) is True
    monkeypatch.setenv("X_LIST", "a, ,b")
    assert env.words("X_LIST") == ["a", "b"]
    monkeypatch.setenv("X_FILE", "/no/such/file")
    with pytest.raises(ImproperlyConfigured, match="X_FILE"):
        env.text("X")


def test_the_address_of_the_portal(monkeypatch):
    def address(**fields):
        return env.address("X_URL", **{"hosts": ["portal.example"], "secure": True} | fields)

    monkeypatch.setenv("X_URL", "")
    assert address() == "https://portal.example"
    assert address(hosts=["*", ".example", "b.example"], secure=False) == "http://b.example"
    assert address(hosts=["*"]) == "https://localhost"
    monkeypatch.setenv("X_URL", "https://other.example/portal/")
    assert address() == "https://other.example/portal"
    for nonsense in ("portal.example", "ftp://portal.example", "https://", "https://a.example/?b"):
        monkeypatch.setenv("X_URL", nonsense)
        with pytest.raises(ImproperlyConfigured, match="X_URL must be like"):
            address()


def test_mails_go_to_the_console_until_a_server_is_named(tmp_path):
    show = "from django.conf import settings as s; print(s.EMAIL_BACKEND, s.EMAIL_PORT)"
    for variables, expected in (
        ({}, "django.core.mail.backends.console.EmailBackend 587"),
        (
            {"EMAIL_HOST": "mail.example", "EMAIL_USE_SSL": "on"},
            "django.core.mail.backends.smtp.EmailBackend 465",
        ),
    ):
        done = manage(tmp_path, "shell", "-v0", "-c", show, **GOOD, **variables)
        assert done.stdout.strip() == expected, done.stderr
    both = manage(tmp_path, "check", **GOOD, EMAIL_USE_SSL="on", EMAIL_USE_TLS="on")
    assert "only one of them" in both.stderr


def test_sqlite_is_set_up_for_many_writers():
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        assert settings.DATABASES["default"]["CONN_MAX_AGE"] >= 60
        return
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_language_and_time():
    assert (settings.LANGUAGE_CODE, settings.TIME_ZONE) == ("zh-hans", "Asia/Shanghai")
