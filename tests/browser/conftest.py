"""A real Chromium, and pages that report whatever goes wrong behind the user's back.

Playwright's synchronous API runs an event loop in the test's own thread, where Django would refuse
to touch the database: DJANGO_ALLOW_ASYNC_UNSAFE says that nothing asynchronous happens here.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    expect,
    sync_playwright,
)

from organizations.models import User
from tests.browser.pages import PASSWORD
from tests.factories import City

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_MISSING = (
    "NO BROWSER: none of {names} is on the PATH and Playwright has none of its own, so nothing was "
    "checked in a real browser. Install one (Debian: apt install chromium fonts-noto-cjk) or run "
    "`.venv/bin/python -m playwright install chromium`."
).format(names=", ".join(_NAMES))

DESKTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

#: A breach of the policy is said aloud even where Chromium would keep it to itself.
_TELL_CSP = """
document.addEventListener("securitypolicyviolation", (breach) => console.error(
  `CSP: ${breach.effectiveDirective} forbids ${breach.blockedURI || "inline content"}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long story first: with several workers, none is left alone with it at the end."""
    places = [place for place, item in enumerate(items) if item.get_closest_marker("browser")]
    in_order = sorted(
        (items[place] for place in places), key=lambda item: "test_story" not in item.nodeid
    )
    for place, item in zip(places, in_order, strict=True):
        items[place] = item


def _executable(playwright: Playwright) -> str | None:
    on_the_path = next(filter(None, map(shutil.which, _NAMES)), None)
    own = playwright.chromium.executable_path
    return on_the_path or (own if Path(own).exists() else None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = _executable(playwright)
        if executable is None:
            with warnings.catch_warnings():  # to be seen, not to be an error
                warnings.simplefilter("always")
                warnings.warn(_MISSING, stacklevel=1)
            pytest.skip(_MISSING)
        expect.set_options(timeout=10_000)
        browser = playwright.chromium.launch(executable_path=executable, args=_OPTIONS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What goes wrong in any context of a test. A test that provokes trouble on purpose names
    a part of its message in `forgiven`."""

    home: str
    troubles: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(_TELL_CSP)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.netloc != self.home:
            self.troubles.append(f"another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.troubles.append(f"{response.status}: {response.url}")

    @property
    def unforgiven(self) -> list[str]:
        return [
            trouble
            for trouble in self.troubles
            if not any(part in trouble for part in self.forgiven)
        ]


@pytest.fixture
def watch(live_server) -> Iterator[Watch]:
    watch = Watch(urlsplit(live_server.url).netloc)
    yield watch
    assert watch.unforgiven == []


@pytest.fixture
def visit(
    browser: Browser, live_server, transactional_db, watch: Watch
) -> Iterator[Callable[..., Page]]:
    """visit(address) opens the portal in a browser of one's own: nobody shares cookies or drafts.
    Called again, it is somebody else. `signed_in` spares the form; **PHONE comes with a phone."""
    contexts = []

    def visit(address: str = "/", *, signed_in: User | None = None, **device: Any) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",  # Bootstrap would scroll smoothly, a second at a time
            **(device or DESKTOP),
        )
        context.set_default_timeout(10_000)
        watch.over(context)
        contexts.append(context)
        if signed_in:
            client = Client()
            client.force_login(signed_in)
            session = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies(
                [{"name": session.key, "value": session.value, "url": live_server.url}]
            )
        page = context.new_page()
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def city(city: City) -> City:
    """The small city, whose people can sign in through the form."""
    users = list(city.users().values())
    for user in users:
        user.password = make_password(PASSWORD)
    User.objects.bulk_update(users, ["password"])
    return city
