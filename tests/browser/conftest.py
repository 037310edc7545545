"""A real browser against a live server: Debian's Chromium, nothing downloaded."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from ocadmin.access.models import User

CHROMIUM = Path("/usr/bin/chromium")

# The browser's event loop lives in this thread; Django takes it for an async program and refuses its database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium these tests are skipped, unless the services are required."""
    missing = not CHROMIUM.exists() and os.environ.get("OCADMIN_REQUIRE_SERVICES") != "1"
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"{CHROMIUM} is not installed"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; its sandbox does not work for root in a container."""
    return browser_type_launch_args | {"executable_path": str(CHROMIUM), "args": ["--no-sandbox"]}


@pytest.fixture
def troubles() -> list[str]:
    """What the console of the browser complained about: errors, warnings, blocked by the Content-Security-Policy."""
    return []


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer, alice: User, troubles: list[str]) -> Iterator[OpenPage]:
    """Opens an address as Alice in a fresh context; keywords are the context's (color_scheme, java_script_enabled…)."""
    contexts: list[BrowserContext] = []
    client = Client()
    client.force_login(alice)

    def open_it(path: str, **options: Any) -> Page:
        context = browser.new_context(
            base_url=live_server.url, **({"viewport": {"width": 1440, "height": 900}} | options)
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: _note(troubles, message.type, message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()


def _note(troubles: list[str], kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        troubles.append(text)
