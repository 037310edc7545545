"""Pages of the operator API: ``top``, ``skip`` and the link to what follows."""

from __future__ import annotations

from urllib.parse import urlencode

from .exchange import Request, whole_number

DEFAULT_TOP, MAX_TOP = 200, 1000


def paging(request: Request) -> tuple[int, int]:
    """``top`` and ``skip`` of a request; refused with 400 when they are out of bounds."""
    top = whole_number(request.query.get("top", str(DEFAULT_TOP)), "top", 1, MAX_TOP)
    return top, whole_number(request.query.get("skip", "0"), "skip", 0)


def next_link(request: Request, skip: int, top: int, total: int) -> str | None:
    """Absolute address of the next page, None on the last one."""
    if skip + top >= total:
        return None
    query = {**request.query, "top": str(top), "skip": str(skip + top)}
    return f"{request.base_url}{request.path}?{urlencode(query)}"
