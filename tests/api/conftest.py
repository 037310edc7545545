"""Programs that speak the interface."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from ocadmin.access import clients, feed
from ocadmin.access.audit import Channel
from ocadmin.access.models import ApiClient, AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api import tokens
from tests.numbers.world import World
from tests.sandbox_process import Sandbox

# SQLite lets one write at a time: there is nothing to ask it about two of them.
collect_ignore = [] if connection.vendor == "postgresql" else ["test_changes_at_once.py"]


class Program:
    """An API client with its secret, and an HTTP client that sends its token."""

    def __init__(self, name: str, role: str, scope: str = "", **place: Any) -> None:
        self.client, self.secret = clients.make(name, role, by=SYSTEM, channel=Channel.COMMAND, place=place)
        known = clients.find(self.client.username)
        assert known is not None
        self.token = tokens.issue(known, scope)
        self.http = Client(headers={"Authorization": f"Bearer {self.token}"})

    @property
    def row(self) -> ApiClient:
        """As the database has it now."""
        return ApiClient.objects.get(pk=self.client.pk)

    def get(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        """GET below /api/."""
        return self.http.get(f"/api/{path}", data, **options)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """POST a JSON body below /api/; `query` are parameters of the address."""
        return self._send("POST", path, body, query)

    def patch(self, path: str, body: Any = None, **query: Any) -> Any:
        """PATCH below /api/."""
        return self._send("PATCH", path, body, query)

    def delete(self, path: str) -> Any:
        """DELETE below /api/."""
        return self.http.delete(f"/api/{path}")

    def _send(self, method: str, path: str, body: Any, query: dict[str, Any]) -> Any:
        address = f"/api/{path}?{urlencode(query)}"
        return self.http.generic(method, address, json.dumps(body), content_type="application/json")


Programs = Callable[..., Program]


@pytest.fixture
def program(db: None) -> Programs:
    """Makes programs: `program()` is Admin of the whole system, `program(Role.MONITOR, customer=…)` less."""
    cache.clear()  # of counts
    made: list[Program] = []

    def make(role: str = Role.ADMIN, scope: str = "", **place: Any) -> Program:
        made.append(Program(f"portal {len(made)}", role, scope, **place))
        return made[-1]

    return make


@pytest.fixture(autouse=True)
def _one_writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test inside one transaction reads what it has written itself: it is the only writer, as with SQLite.

    On PostgreSQL the feed shows only what is committed. Tests of that are marked `committed` (changing.py).
    """
    mark = request.node.get_closest_marker("django_db")
    if connection.vendor == "postgresql" and not (mark and mark.kwargs.get("transaction")):
        monkeypatch.setattr(feed, "horizon", _all_that_is_written)


def _all_that_is_written() -> feed.Position:
    last = AuditEntry.objects.order_by("-xact", "-pk").values_list("xact", "pk").first()
    return feed.Position(*(last or feed.BEGINNING))


@pytest.fixture
def world(sandbox: Sandbox, db: None) -> World:
    """A customer, a profile and an SBC, at Microsoft and here."""
    return World(sandbox)
