"""Exporting numbers as CSV: what the list on the screen gives with the same filters, by the same code."""

from typing import Any, cast

from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest, principal_behind
from ocadmin.api.authentication import client_behind, may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, answers, csv_answer, csv_content

from ..exporting import csv_file
from ..views.export import ALL, SCREEN, Wish, note, read_list, watched

router = Router(tags=["numbers"])
_OWN = frozenset({"which", "bom"})


class Exported(Params):
    """Which numbers, in which order, with which columns. The filters are those of the list on the screen."""

    tab: str = Field("", pattern="^(|emergency|released)$", description="The list: all numbers, or one of its tabs.")
    which: str = Field(ALL, pattern=f"^({ALL}|{SCREEN})$", description="Every column, or those of the screen.")
    columns: str = Field("", max_length=500, description="With which=screen: the columns, with commas.")
    sort: str = Field("", max_length=40, description="A column of the list; with - before it the other way round.")
    bom: bool = Field(False, description="A byte order mark, without which Excel does not see UTF-8.")
    q: str = Field("", max_length=100, description="A part of the number or of the customer's name.")
    customer: str = Field("", max_length=100, description="Tenant ID, or a part of the name.")
    country: str = Field("", max_length=8, description="Such as GB.")
    status: str = Field("", max_length=30, description="Such as active.")
    assignment: str = Field("", max_length=60, description="Such as UserAssigned.")
    profile: str = Field("", max_length=100, description="Calling profile: its GUID, or a part of its name.")
    source: str = Field("", max_length=10, description="webapi, webui or none.")
    capability: str = Field("", max_length=40, description="Such as InboundCalling.")
    address: str = Field("", max_length=40, description="Of the emergency address.")
    location: str = Field("", max_length=40, description="A location's GUID.")
    acquiredAfter: str = Field("", max_length=10, description="Acquired that day or later, such as 2026-01-31.")
    acquiredBefore: str = Field("", max_length=10, description="Acquired that day or earlier.")
    releasedAfter: str = Field("", max_length=10, description="Released that day or later.")
    releasedBefore: str = Field("", max_length=10, description="Released that day or earlier.")


# As the list on the screen calls them.
_THEIRS = {
    "acquiredAfter": "acquired_after",
    "acquiredBefore": "acquired_before",
    "releasedAfter": "released_after",
    "releasedBefore": "released_before",
}


@router.get(
    "/v3/oc/numbers/export.csv",
    auth=may(Permission.EXPORT),
    response=answers(str),
    summary="Export numbers as CSV",
    openapi_extra=csv_content(),
)
def export_numbers(request: HttpRequest, asked: Query[Exported]) -> StreamingHttpResponse:
    """Written as it is read, however many there are. A filter that cannot be read is 400, and nothing is exported.

    A connection that ends without the last chunk is an export that failed.
    """
    by = principal_behind(request)
    given = {name: value for name, value in asked.model_dump(exclude=set(_OWN)).items() if value}
    query = QueryDict(mutable=True)
    query.update({_THEIRS.get(name, name): value for name, value in given.items()})
    name = f"numbers-{asked.tab or 'all'}-{timezone.now():%Y-%m-%d-%H%M}.csv"
    list_request = _as_list(request, query)
    try:
        export = read_list(list_request, asked.tab, Wish("csv", asked.which, name))
    except BadRequest as problem:
        raise Problem(400, "invalid_filter", str(problem)) from None
    what = {"format": "csv", "filter": query.urlencode(), "columns": export.header}
    note("numbers.export", name, what, by=by, channel=Channel.API)
    return csv_answer(watched(csv_file.stream(export, bom=asked.bom), name), name)


def _as_list(request: HttpRequest, query: QueryDict) -> SignedInRequest:
    """The request as the list reads it: its parameters, and the client as the one who has signed in."""
    held: Any = request
    held.GET, held.user = query, client_behind(request)
    return cast(SignedInRequest, request)
