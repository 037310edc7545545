"""``/alarms/active``: what an SBC complains about (upstreams.md 4)."""

from __future__ import annotations

from ..exchange import Json, Request, Response, whole_number

PAGE, LONGEST_PAGE = 20, 1000
END = "-1"


def active(device: Json, request: Request) -> Response:
    """A page of alarms with the cursors of its neighbours; 204 when there is none to show.

    ``after`` and ``before`` are ids of alarms; with ``before`` alone the page ends just before it.
    """
    limit = whole_number(request.query.get("limit", str(PAGE)), "limit", 1, LONGEST_PAGE)
    after, before = _cursor(request, "after"), _cursor(request, "before")
    alarms: list[Json] = device["alarms"]
    inside = [
        one
        for one in alarms
        if (after is None or int(one["id"]) > after) and (before is None or int(one["id"]) < before)
    ]
    backwards = before is not None and after is None
    page = inside[-limit:] if backwards else inside[:limit]
    if not page or END in (request.query.get("after"), request.query.get("before")):
        return Response(204)
    shown = [{**one, "url": f"/alarms/active/{one['id']}"} for one in page]
    cursor = {
        "after": END if page[-1] is alarms[-1] else page[-1]["id"],
        "before": END if page[0] is alarms[0] else page[0]["id"],
    }
    return Response(body={"alarms": shown, "cursor": cursor})


def _cursor(request: Request, name: str) -> int | None:
    """An alarm's id; None when it is not given or the end was reached."""
    text = request.query.get(name, END)
    return None if text == END else whole_number(text, name, 0)
