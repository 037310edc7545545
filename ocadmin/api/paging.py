"""Lists by key: each page begins after the last row of the one before, so it costs the same at any depth."""

import uuid
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

from .rest import Params, fold

Row = TypeVar("Row")
MOST_ROWS = 1000
HIGHEST_ID = 2**63 - 1
_AFTER = "The page after this row; take it from nextLink. Empty: the first page."


class KeysetParams(Params):
    """Which page."""

    pageSize: int = Field(200, ge=1, le=MOST_ROWS, description="Rows on a page.")
    after: int | None = Field(None, ge=0, le=HIGHEST_ID, description=_AFTER)


class GuidKeysetParams(Params):
    """Which page of a list whose ids are GUIDs."""

    pageSize: int = Field(200, ge=1, le=MOST_ROWS, description="Rows on a page.")
    after: uuid.UUID | None = Field(None, description=_AFTER)


class KeysetPage(Schema, Generic[Row]):
    """A page. `nextLink` is where the next one is; null on the last."""

    pageSize: int
    nextLink: str | None
    data: list[Row]


def page_of(
    request: HttpRequest,
    asked: KeysetParams | GuidKeysetParams,
    rows: QuerySet[Any],
    *,
    newest_first: bool = False,
) -> tuple[list[Any], str | None]:
    """The rows of the page, in the order of their ids, and where the next page is."""
    if asked.after is not None:
        rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": asked.after})
    found = list(rows.order_by("-pk" if newest_first else "pk")[: asked.pageSize + 1])
    shown = found[: asked.pageSize]
    return shown, link_after(request, shown[-1].pk) if len(found) > asked.pageSize else None


def link_after(request: HttpRequest, key: object) -> str:
    """The address of the request with another `after`."""
    query = request.GET.copy()
    for name in [name for name in query if fold(name) == "after"]:
        del query[name]
    query["after"] = str(key)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
