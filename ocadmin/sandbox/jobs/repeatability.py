"""The same request sent twice is carried out once (upstreams.md 9.3, idempotency)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from ..exchange import Json, Refusal, Request, Response

if TYPE_CHECKING:
    from ..routing import Handler
    from ..world import World

WINDOW = 86_400
HEADER = "Repeatability-Request-ID"


def repeatable(handler: Handler) -> Handler:
    """A handler whose first answer is repeated within 24 hours.

    A request is known by its ``Repeatability-Request-ID`` or by the ``correlationId`` in its body,
    both per path; another body under the same id is refused with 409.  Refusals are not kept.
    """

    def once(world: World, request: Request) -> Response:
        keys = _keys(request)
        earlier = _earlier(world, keys, request)
        if earlier is not None:
            return earlier
        with world.store.transaction():
            response = handler(world, request)
            _remember(world, keys, request, response)
        if request.headers.get(HEADER):
            response.headers["Repeatability-Result"] = "accepted"
        return response

    return once


def _keys(request: Request) -> list[str]:
    correlation = request.json().get("correlationId")
    header = request.headers.get(HEADER)
    path = request.path
    keys = [f"header {path} {header}"] if header else []
    return [*keys, f"body {path} {correlation}"] if isinstance(correlation, str) else keys


def _fingerprint(request: Request) -> str:
    text = json.dumps(request.json(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _earlier(world: World, keys: list[str], request: Request) -> Response | None:
    """The first answer, None for a request that is new."""
    oldest = world.clock.now() - WINDOW
    sql = "SELECT fingerprint, answer FROM repeatable WHERE key = ? AND at > ?"
    for key in keys:
        row = world.store.connection.execute(sql, (key, oldest)).fetchone()
        if row is None:
            continue
        if row[0] != _fingerprint(request):
            text = "This id was used for another request within the last 24 hours."
            headers = {"Repeatability-Result": "rejected"}
            raise Refusal(409, "RequestIdReused", text, headers=headers)
        answer: Json = json.loads(row[1])
        headers = {**answer["headers"], "Repeatability-Result": "accepted"}
        return Response(answer["status"], answer["body"], headers)
    return None


def _remember(world: World, keys: list[str], request: Request, response: Response) -> None:
    if not keys:
        return
    now, connection = world.clock.now(), world.store.connection
    connection.execute("DELETE FROM repeatable WHERE at <= ?", (now - WINDOW,))
    answer = json.dumps(
        {"status": response.status, "body": response.body, "headers": response.headers}
    )
    rows = [(key, now, _fingerprint(request), answer) for key in keys]
    connection.executemany("INSERT OR REPLACE INTO repeatable VALUES (?, ?, ?, ?)", rows)
