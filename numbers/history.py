"""Audit entries about numbers: the rows behind a number's History tab."""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from ocadmin.access.audit import entry
from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import Principal
from ocadmin.tasks.models import Task

from .assignment import Assignment
from .lifecycle import Status
from .models import Customer, PhoneNumber

OBJECT_TYPE = "number"

ACTIONS = {
    "sync.new": _("Found at Microsoft"),
    "sync.activated": _("First seen at Microsoft, now active"),
    "sync.changed": _("Changed at Microsoft"),
    "sync.completed": _("Details filled in from Microsoft"),
    "sync.restored": _("Back at Microsoft, active again"),
    "sync.gone": _("No longer at Microsoft, marked for removal"),
    "sync.removal_requested": _("The customer asked to remove it, marked for removal"),
    "sync.released": _("Release completed"),
    "move_in.created": _("Moved in from another platform"),
    "move_in.completed": _("Completed from another platform"),
    "removal.approve": _("Removal approved"),
    "removal.clear": _("Removal mark cleared"),
    "number.change": _("Edited in the Django admin"),
}


def plain(value: Any) -> Any:
    """A value as JSON can hold it: times in ISO 8601, GUIDs as text."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def author(task: Task) -> Principal:
    """Whoever started the task, as the author of what it does."""
    return Principal(name=task.actor_name, user_id=task.actor_id)


def number_entry(
    action: str,
    e164: str,
    *,
    by: Principal,
    channel: str,
    customer_id: int,
    channel_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **fields: Any,
) -> AuditEntry:
    """An unsaved entry about one number. `fields` are further columns: task_ref, ticket, message."""
    return entry(
        action,
        by=by,
        channel=channel,
        object_type=OBJECT_TYPE,
        object_id=e164,
        label=e164,
        customer_ref=customer_id,
        channel_ref=channel_id,
        before={key: plain(value) for key, value in (before or {}).items()},
        after={key: plain(value) for key, value in (after or {}).items()},
        **fields,
    )


def row_entry(
    action: str,
    object_type: str,
    row: Model,
    customer: Customer | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **fields: Any,
) -> AuditEntry:
    """An unsaved entry about a row that is no number. `customer` is whose it is, None where it is nobody's.

    `fields` are `by`, `channel` and further columns, such as task_ref.
    """
    return entry(
        action,
        object_type=object_type,
        object_id=str(row.pk),
        label=str(row)[:200],
        customer_ref=customer.pk if customer else None,
        channel_ref=customer.channel_id if customer else None,
        before={key: plain(value) for key, value in (before or {}).items()},
        after={key: plain(value) for key, value in (after or {}).items()},
        **fields,
    )


def changes(entry: AuditEntry) -> list[tuple[str, Any, Any]]:
    """What an entry about a number changed: label, before, after. None stands for nothing or empty.

    Columns go by their names on the screens, statuses and assignments by their words; what is new is kept as it is.
    """
    keys = sorted({*entry.before, *entry.after})
    return [(_label(key), _shown(key, entry.before.get(key)), _shown(key, entry.after.get(key))) for key in keys]


def _label(column: str) -> str:
    try:
        field = PhoneNumber._meta.get_field(column.removesuffix("_id") if column in _KEYS else column)
    except FieldDoesNotExist:
        return column
    return str(getattr(field, "verbose_name", column))


def _shown(column: str, value: Any) -> Any:
    if column == "status" and value in Status.__members__:
        return Status[value].label
    if column == "assignment_status" and value in Assignment.values:
        return Assignment(value).label
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return None if value == "" else value


_KEYS = frozenset({"calling_profile_id", "location_id", "civic_address_id"})
