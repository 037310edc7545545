"""The feed of changes: everything that happened to every number, in the order in which it became visible."""

import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from ocadmin.access import feed
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import Params, answers, json_answer

from .. import changes
from ..history import OBJECT_TYPE
from .naming import AskedNumber

router = Router(tags=["changes"])

MOST_CHANGES = 1_000
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class WhichChanges(Params):
    """Which part of the feed."""

    since: str | None = Field(
        None,
        max_length=60,
        description="The nextSince of the answer before; 0 for the beginning; or a time in ISO 8601 with its zone. "
        "Without it the answer holds no changes, only where those begin that are made from now on.",
    )
    telephoneNumber: AskedNumber = Field("", description="Only those of this number, in E.164: its history.")
    pageSize: int = Field(200, ge=1, le=MOST_CHANGES, description="Changes in one answer, at most.")


class Change(Schema):
    """One change of one number. `before` and `after` hold what changed."""

    id: int
    at: datetime.datetime
    action: str
    telephoneNumber: str
    msTenantId: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    message: str
    taskId: int | None
    ticket: str
    actor: str
    through: str


class Changes(Schema):
    """Changes in order. `nextSince` is where to go on, now if `more`, else when it suits."""

    changes: list[Change]
    nextSince: str
    more: bool


@router.get("/v3/oc/changes", auth=may(Permission.VIEW), response=answers(Changes), summary="Changes since")
def list_changes(request: HttpRequest, asked: Query[WhichChanges]) -> HttpResponse:
    """Every change of the numbers in your scope, in an order that never changes afterwards: nothing is inserted before
    a `nextSince` that you were given. Keep it, and ask again with it.
    """
    upto = feed.horizon()
    if asked.since is None:
        return json_answer({"changes": [], "nextSince": str(upto), "more": False})
    begin, size = _begin(asked.since), asked.pageSize
    scope = principal_behind(request).scope(Permission.VIEW)
    only = Q(object_id=asked.telephoneNumber) if asked.telephoneNumber else None
    rows = feed.entries(OBJECT_TYPE, scope, begin, upto, size + 1, only)
    more = len(rows) > size
    rows = rows[:size]
    following = feed.Position(rows[-1].xact, rows[-1].pk) if more else max(upto, begin.position)
    return json_answer({"changes": changes.described(rows), "nextSince": str(following), "more": more})


def _begin(text: str) -> feed.Asked:
    """Where to begin. Raises Problem 400."""
    position = feed.read_cursor(text.strip())
    if position is not None:
        return feed.Asked(position)
    try:
        instant = parse_datetime(text.strip().replace(" ", "+"))  # a plus that was not written as %2B
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        sentence = _("since: write the nextSince of an answer, 0, or a time such as 2026-01-31T12:00:00Z.")
        raise Problem(400, "invalid_since", sentence)
    try:
        return feed.since_instant(instant.astimezone(datetime.UTC))
    except OverflowError:  # before the first instant of UTC, or behind its last
        return feed.Asked(feed.BEGINNING) if instant.year == 1 else feed.since_instant(_LAST)
