"""Audit entries about numbers: the rows behind a number's History tab."""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.audit import entry
from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import Principal
from ocadmin.tasks.models import Task, TaskItem

from . import setwise
from .models import Customer

OBJECT_TYPE = "number"

ACTIONS = {
    "sync.new": _("Found at Microsoft"),
    "sync.activated": _("First seen at Microsoft, now active"),
    "sync.changed": _("Changed at Microsoft"),
    "sync.completed": _("Details filled in from Microsoft"),
    "sync.restored": _("Back at Microsoft, active again"),
    "sync.gone": _("No longer at Microsoft, marked for removal"),
    "sync.removal_requested": _("Marked for removal"),
    "sync.released": _("Release completed"),
    "sync.release_not_done": _("Active again"),
    "move_in.created": _("Moved in from another platform"),
    "move_in.completed": _("Completed from another platform"),
    "removal.approve": _("Removal approved"),
    "removal.clear": _("Removal mark cleared"),
    "removal.completed": _("Removed: gone at Microsoft and on the SBCs"),
    "upload.accepted": _("Uploaded, waiting for the first synchronisation"),
    "release.requested": _("Release requested"),
    "release.completed": _("Released at Microsoft"),
    "release.failed": _("Not released, active again"),
    "release.assigned": _("Microsoft says that somebody uses it"),
    "routing.written": _("Rule written to an SBC"),
    "routing.removed": _("Spare rule taken off an SBC"),
    "release.withdrawn": _("Release withdrawn, active again"),
    "location.changed": _("Emergency location changed"),
    "capabilities.changed": _("Capabilities changed"),
    "number.annotated": _("Note or tags changed by a file"),
    "quarantine.ended": _("Quarantine ended early"),
    "drift.export": _("Drift report exported"),
    "drift.adopted": _("Taken over: managed here from now on"),
    "drift.repaired": _("SBC rules put right"),
    "unassign.completed": _("Un-assigned in the customer's tenant"),
    "numbers.export": _("Numbers exported"),
    "numbers.download": _("Exported file downloaded"),
    "number.change": _("Edited in the Django admin"),
    "customer.sync_held": _("Synchronisation put on hold"),
    "customer.sync_resumed": _("Synchronisation resumed"),
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


def entries_of_items(action: str, task: Task, items: QuerySet[TaskItem], **fields: Any) -> int:
    """One entry for each of `items` of `task`, in one statement. `fields`: before, after, message, as plain values.

    For changes that are the same for every number; returns how many entries were written. The author and the ticket are
    the task's unless `fields` name others (actor_id, actor_name, ticket).
    """
    whose = {"actor_id": task.actor_id, "actor_name": task.actor_name, "ticket": task.ticket}
    values = {"before": {}, "after": {}, "message": ""} | whose | fields
    return setwise.insert(
        AuditEntry,
        items,
        at=timezone.now(),
        channel=task.channel,
        action=action,
        object_type=OBJECT_TYPE,
        object_id=F("key"),
        label=F("key"),
        customer_ref=F("customer_ref"),
        channel_ref=F("channel_ref"),
        task_ref=task.pk,
        **values,
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
