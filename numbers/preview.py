"""What the page of a checked file shows: counts, one page of rows, each row's differences and problems in words."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from .models import CallingProfile, CivicAddress, Customer, ImportRow, Location, NumberImport, RowOutcome

PAGE = 50
TONES = {
    RowOutcome.NEW: "green",
    RowOutcome.CHANGED: "blue",
    RowOutcome.REFUSED: "red",
    RowOutcome.DIFFERS: "amber",
    RowOutcome.MISSING_HERE: "amber",
    RowOutcome.ONLY_HERE: "amber",
}


@dataclass(frozen=True)
class Tab:
    """One outcome and how many rows have it; `word` is empty for all."""

    word: str
    label: str
    count: int
    current: bool


@dataclass(frozen=True)
class Change:
    """A cell that would change."""

    column: str
    now: str
    then: str


@dataclass(frozen=True)
class Line:
    """A row for reading."""

    row: ImportRow
    label: str
    tone: str
    customer: Customer | None
    changes: list[Change]
    problems: list[tuple[str, str, str]]  # column, value, sentence


@dataclass(frozen=True)
class Page:
    """Some rows in the order of the file; `following` is where the next page begins, None on the last."""

    lines: list[Line]
    following: int | None


def tabs(batch: NumberImport, chosen: str) -> list[Tab]:
    """All, then each outcome that occurs."""
    total = sum(batch.counts.values())
    found = [Tab("", _("All"), total, chosen == "")]
    for outcome in RowOutcome:
        word = outcome.name.lower()
        if batch.counts.get(word) or chosen == word:
            found.append(Tab(word, str(outcome.label), batch.counts.get(word, 0), chosen == word))
    return found


def outcome_of(word: str) -> RowOutcome | None:
    """The outcome that an address names; None for all."""
    return next((outcome for outcome in RowOutcome if outcome.name.lower() == word), None)


def page(batch: NumberImport, outcome: RowOutcome | None, after: int) -> Page:
    """The rows behind the one with the id `after`."""
    rows: QuerySet[ImportRow] = batch.rows.filter(pk__gt=after).order_by("pk")
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    return Page(_lines(batch, shown), shown[-1].pk if len(found) > PAGE else None)


def _lines(batch: NumberImport, rows: list[ImportRow]) -> list[Line]:
    customers = Customer.objects.in_bulk({row.customer_ref for row in rows if row.customer_ref})
    groups = dict(batch.groups.filter(place__in={row.place for row in rows}).values_list("place", "settings"))
    changes = {row.pk: row.changes or _of_new(row, groups) for row in rows}
    words = _words(changes.values())
    return [
        Line(
            row,
            str(RowOutcome(row.outcome).label),
            TONES.get(RowOutcome(row.outcome), ""),
            customers.get(row.customer_ref or 0),
            [
                Change(name, words.get(str(now), str(now)), words.get(str(then), str(then)))
                for name, (now, then) in changes[row.pk].items()
            ],
            [(column, value, sentence) for column, value, _code, sentence in row.problems],
        )
        for row in rows
    ]


def _of_new(row: ImportRow, groups: Mapping[int, dict[str, Any]]) -> dict[str, list[Any]]:
    """What a number that is not here would have: its cells, as they were understood."""
    settings = groups.get(row.place) if row.place is not None else None
    if settings is None:
        return {}
    cells = {
        "callingProfileId": settings["calling_profile"],
        "usage": settings["usage"],
        "additionalUsage": ";".join(settings["additional_usages"]),
        "capabilities": ";".join(settings["capabilities"]),
        "locationId": settings["location"],
        "civicAddressId": settings["civic_address"],
        "displayedCountry": settings["displayed_country"],
        "note": row.wish.get("annotate", {}).get("note"),
        "tags": ";".join(row.wish.get("annotate", {}).get("tags", [])),
        "ticketId": row.ticket,
    }
    return {name: ["", text] for name, text in cells.items() if text}


def _words(changes: Iterable[Mapping[str, list[Any]]]) -> dict[str, str]:
    """Ids of locations, addresses and profiles among the changes, in words."""
    texts: dict[str, set[uuid.UUID]] = defaultdict(set)
    for one in changes:
        for name in ("locationId", "civicAddressId", "callingProfileId"):
            texts[name].update(uuid.UUID(text) for text in one.get(name, ()) if _is_guid(text))
    profiles = CallingProfile.objects.filter(pk__in=texts["callingProfileId"])
    places = _locations(texts["locationId"]) if texts["locationId"] else ()
    addresses = CivicAddress.objects.filter(pk__in=texts["civicAddressId"])
    return (
        {str(place.pk): f"{place} · {place.civic_address}" for place in places}
        | {str(one.pk): str(one) for one in (addresses if texts["civicAddressId"] else ())}
        | {str(one.pk): str(one) for one in (profiles if texts["callingProfileId"] else ())}
    )


def _locations(ids: set[uuid.UUID]) -> QuerySet[Location]:
    return Location.objects.filter(pk__in=ids).select_related("civic_address")


def _is_guid(text: Any) -> bool:
    try:
        return bool(uuid.UUID(str(text)))
    except ValueError:
        return False
