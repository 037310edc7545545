"""Columns and values of a number as people read them: in its history, and on the page of one that has left."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Field, Model, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ocadmin.access.principal import Principal
from ocadmin.console import html

from .assignment import Assignment
from .capabilities import LABELS
from .lifecycle import Status
from .models import CallingProfile, CivicAddress, Customer, Location, PhoneNumber, ReleasedNumber

# What ids stand for, by (column, id as text). An id that is not here is shown as it is.
Names = Mapping[tuple[str, str], str]

RELEASED = "RELEASED"  # the word for the status of a number that has left


# What history tells that is no column: SBC rules go on and off with a number.
_WORDS = {"routed": gettext_lazy("SBC rules written to"), "unrouted": gettext_lazy("SBC rules removed from")}


def changes(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> list[tuple[str, Any, Any]]:
    """What changed, for reading: label, before, after. None stands for nothing or empty."""
    keys = sorted({*before, *after})
    return [(label(key), shown(key, before.get(key), names), shown(key, after.get(key), names)) for key in keys]


def label(column: str) -> str:
    """What a column (attname) is called on the screens; the column itself where nobody knows it."""
    if column in _WORDS:
        return str(_WORDS[column])
    return str(getattr(_FIELDS.get(column), "verbose_name", column))


def shown(column: str, value: Any, names: Names) -> Any:
    """A value as JSON holds it (history.plain), for reading; None for nothing. What is unknown stays as it is."""
    if value is None or value in ("", [], {}):
        return None
    if (column, str(value)) in names:
        return names[column, str(value)]
    if column == "status":
        return _status(value)
    if column == "assignment_status" and value in Assignment.values:
        return Assignment(value).label
    if isinstance(value, list):
        return ", ".join(str(LABELS.get(str(word), word)) for word in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _moment(value) if isinstance(_FIELDS.get(column), DateTimeField) else value


def names_of(records: Iterable[Mapping[str, Any]], principal: Principal) -> Names:
    """The names of all locations, addresses, profiles and customers in `records` that this person may see.

    One query for each kind of them that occurs.
    """
    ids: dict[str, set[str]] = {}
    for record in records:
        for column in _NAMED.keys() & record.keys():
            if record[column]:
                ids.setdefault(column, set()).add(str(record[column]))
    found: dict[tuple[str, str], str] = {}
    for column, wanted in ids.items():
        rows = _NAMED[column](principal)
        field = rows.model._meta.pk
        for row in rows.filter(pk__in=[key for text in wanted if (key := _key(field, text)) is not None]):
            found[column, str(row.pk)] = _name(row)
    return found


def _locations(principal: Principal) -> QuerySet[Any]:
    rows = Location.objects.filter(civic_address__in=CivicAddress.objects.visible_to(principal))
    return rows.select_related("civic_address")


_NAMED: dict[str, Callable[[Principal], QuerySet[Any]]] = {
    "location_id": _locations,
    "civic_address_id": CivicAddress.objects.visible_to,
    "calling_profile_id": CallingProfile.objects.visible_to,
    "customer_id": Customer.objects.visible_to,
}


def _name(row: Model) -> str:
    return f"{row} · {row.civic_address.one_line}" if isinstance(row, Location) else str(row)


def _key(field: Field, text: str) -> Any:
    """The id as its column holds it; None where it cannot be one."""
    try:
        return field.to_python(text)
    except ValidationError:
        return None


_FIELDS = {field.attname: field for model in (ReleasedNumber, PhoneNumber) for field in model._meta.concrete_fields}


def _status(value: Any) -> Any:
    """A status by its name, as the history has it, or by its value, as a record has it."""
    if value == RELEASED:
        return _("Released")
    if isinstance(value, str) and value in Status.__members__:
        return Status[value].label
    return Status(value).label if value in Status.values else value


def _moment(value: Any) -> Any:
    try:
        return html.moment(datetime.datetime.fromisoformat(str(value)))
    except ValueError:
        return value
