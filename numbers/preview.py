"""What the page of a checked file shows: counts, one page of rows, each row's differences and problems in words."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from .models import CivicAddress, Customer, ImportRow, Location, NumberImport, RowOutcome

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
    return Page(_lines(shown), shown[-1].pk if len(found) > PAGE else None)


def _lines(rows: list[ImportRow]) -> list[Line]:
    customers = Customer.objects.in_bulk({row.customer_ref for row in rows if row.customer_ref})
    places = _places(rows)
    return [
        Line(
            row,
            str(RowOutcome(row.outcome).label),
            TONES.get(RowOutcome(row.outcome), ""),
            customers.get(row.customer_ref or 0),
            [
                Change(name, places.get(str(now), str(now)), places.get(str(then), str(then)))
                for name, (now, then) in row.changes.items()
            ],
            [(column, value, sentence) for column, value, _code, sentence in row.problems],
        )
        for row in rows
    ]


def _places(rows: list[ImportRow]) -> dict[str, str]:
    """Ids of locations and addresses among the changes, in words."""
    ids = {
        uuid.UUID(text)
        for row in rows
        for name in ("locationId", "civicAddressId")
        for text in row.changes.get(name, ())
        if _is_guid(text)
    }
    if not ids:
        return {}
    found = {str(place.pk): f"{place} · {place.civic_address}" for place in _locations(ids)}
    return found | {str(one.pk): str(one) for one in CivicAddress.objects.filter(pk__in=ids)}


def _locations(ids: set[uuid.UUID]) -> QuerySet[Location]:
    return Location.objects.filter(pk__in=ids).select_related("civic_address")


def _is_guid(text: Any) -> bool:
    try:
        return bool(uuid.UUID(str(text)))
    except ValueError:
        return False
