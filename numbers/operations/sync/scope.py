"""Which customers a pass is about, and when it began."""

import datetime
import uuid
from datetime import UTC

from ocadmin.tasks.models import Task

from ...models import Customer
from ...models.phone_number import PhoneNumberQuerySet

_DOTNET_EPOCH = datetime.datetime(1, 1, 1, tzinfo=UTC)


def limited_to(task: Task) -> list[int] | None:
    """The customers (row ids) a pass is limited to; None for all."""
    return task.params.get("customers")


def tenants(task: Task) -> list[uuid.UUID | None]:
    """What to ask Microsoft for, one list after the other: [None] is the list of all tenants together."""
    customers = limited_to(task)
    if customers is None:
        return [None]
    return list(Customer.objects.filter(pk__in=customers).order_by("pk").values_list("tenant_id", flat=True))


def within(task: Task, numbers: PhoneNumberQuerySet) -> PhoneNumberQuerySet:
    """Those of `numbers` that the pass is about."""
    customers = limited_to(task)
    return numbers if customers is None else numbers.filter(customer_id__in=customers)


def began(task: Task) -> datetime.datetime:
    """When the pass began; its first slice has set it."""
    assert task.started_at is not None  # noqa: S101 — set by the lease before any step runs
    return task.started_at


def ticks(task: Task) -> int:
    """The start of the pass in .NET ticks (100 ns since year 1): the field `asticks` (live-platform.md §4.5)."""
    return (began(task) - _DOTNET_EPOCH) // datetime.timedelta(microseconds=1) * 10
