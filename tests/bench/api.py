"""Reading a million numbers through the REST interface, beside the same work by hand.

Everything goes through the whole WSGI application in this process. The floor is a view with the same authentication,
two statements of SQL, and orjson: no query sets, no parameters, no totals. Beside it the page is made by Django REST
framework's ModelSerializer, as its documentation shows.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import quote

import orjson
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from .measure import Figure, alternating, seconds

NUMBERS = 1_000_000
SIZE = 200
WALK_SIZE = 1_000
DEEP = "+442010999000"  # shortly before the last of them
PAGES = 20  # in one measurement: a single one is over too soon to be measured


def figures() -> Iterator[Figure]:
    """The figures, one after the other."""
    from .exporting_rows import clear, fill

    clear()  # of what other figures have left
    fill(NUMBERS)
    with override_settings(ROOT_URLCONF="tests.bench.api_urls"):
        yield from _pages(Caller())
    clear()


class Caller:
    """A program that asks the application in this process."""

    def __init__(self) -> None:
        from ocadmin.access import clients
        from ocadmin.access.audit import Channel
        from ocadmin.access.principal import SYSTEM
        from ocadmin.api import tokens

        client, _secret = clients.make("bench", "monitor", by=SYSTEM, channel=Channel.COMMAND)
        known = clients.find(client.username)
        assert known is not None
        self.token, self.application = tokens.issue(known, ""), WSGIHandler()

    def get(self, path: str, **query: Any) -> bytes:
        """The body of the answer."""
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "&".join(f"{name}={quote(str(value))}" for name, value in query.items()),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {self.token}",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
            "wsgi.url_scheme": "http",
        }
        response = self.application(environ, lambda status, headers, info=None: said.append(status))
        body = b"".join(response)
        response.close()
        assert said == ["200 OK"], (said, body[:500])
        return body

    def pages(self, path: str, **query: Any) -> Callable[[], None]:
        """The same page, PAGES times."""
        return lambda: [self.get(path, **query) for _n in range(PAGES)] and None

    def new_pages(self, number: int) -> Callable[[], None]:
        """PAGES pages by number, none asked for before: every other one, from this one towards the first."""
        numbers = count(number, -2)
        return lambda: [self.get("/api/v3/oc/numbers", pageNumber=next(numbers)) for _n in range(PAGES)] and None


def _pages(caller: Caller) -> Iterator[Figure]:
    ours, floor = caller.pages("/api/v3/oc/numbers"), caller.pages("/bare")
    _same(caller)
    name = f"{PAGES} pages of {SIZE}"
    yield Figure(f"REST, {name} / bare SQL and orjson", *alternating(ours, floor), 2)
    drf = caller.pages("/drf")
    yield Figure(f"REST, {name} / DRF ModelSerializer", *alternating(ours, drf), 0.25)
    first, deep = caller.pages("/api/v3/oc/numbers", after=""), caller.pages("/api/v3/oc/numbers", after=DEEP)
    yield Figure(f"REST, {name} after a key, the last / the first", *alternating(deep, first), 1.2)
    yield Figure(f"REST, {name} after a key / bare SQL and orjson", *alternating(first, floor), 2)
    last = caller.new_pages(NUMBERS // SIZE)
    yield Figure(f"REST, {name}, number {NUMBERS // SIZE:,} and before / bare", *alternating(last, floor), 4)
    middle = caller.pages("/api/v3/oc/numbers", pageNumber=NUMBERS // SIZE // 2)
    yield Figure(f"REST, {name}, number {NUMBERS // SIZE // 2:,} again / bare", *alternating(middle, floor), 4)
    walked = seconds(lambda: _walk(caller, "/bare"))
    yield Figure(f"REST, walking {NUMBERS:,} / bare", seconds(lambda: _walk(caller, "/api/v3/oc/numbers")), walked, 2)


def _same(caller: Caller) -> None:
    """All three say the same."""
    ours = orjson.loads(caller.get("/api/v3/oc/numbers"))
    assert ours["totalRecords"] == NUMBERS
    assert len(ours["data"]) == SIZE
    for path in ("/bare", "/drf"):
        assert orjson.loads(caller.get(path))["data"] == ours["data"], path


def _walk(caller: Caller, path: str) -> None:
    """Every number, as a program fetches them: it reads each answer, and asks for the next page."""
    key, seen = "", 0
    while True:
        data = orjson.loads(caller.get(path, after=key, pageSize=WALK_SIZE))["data"]
        seen += len(data)
        if len(data) < WALK_SIZE:
            break
        key = data[-1]["telephoneNumber"]
    assert seen == NUMBERS
