"""Audit entries about numbers: the rows behind a number's History tab."""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from ocadmin.access.audit import entry
from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import Principal
from ocadmin.tasks.models import Task

OBJECT_TYPE = "number"


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
