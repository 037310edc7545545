"""Which customers a pass is about, when it began, and which numbers it leaves alone."""

import datetime
import uuid
from datetime import UTC

from django.db.models import Exists, OuterRef, Q, QuerySet

from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem

from ...models import Customer, PhoneNumber, StagedNumber
from ...models.customer import CustomerQuerySet
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
    """Those of `numbers` that the pass may touch: of its customers, but for those whose synchronisation is on hold."""
    customers = limited_to(task)
    mine = numbers if customers is None else numbers.filter(customer_id__in=customers)
    return mine.filter(customer__sync_held_at=None)


def on_hold(task: Task) -> CustomerQuerySet:
    """Customers that the pass was asked for and leaves alone, because their synchronisation is on hold."""
    held, customers = Customer.objects.on_hold(), limited_to(task)
    if "numbers" in task.params:
        return held.filter(pk__in=PhoneNumber.objects.filter(e164__in=task.params["numbers"]).values("customer"))
    return held if customers is None else held.filter(pk__in=customers)


def held(staged: QuerySet[StagedNumber]) -> QuerySet[StagedNumber]:
    """Those of `staged` that a customer on hold has, here or at Microsoft."""
    ours = PhoneNumber.objects.filter(e164=OuterRef("e164"), customer__sync_held_at__isnull=False)
    return staged.filter(Q(customer__sync_held_at__isnull=False) | Exists(ours))


def taken(task: Task) -> Q:
    """Numbers (rows with a column e164) that another task works on, or has changed since the pass began.

    That task knows better: what we have read of Microsoft may be older than what it did.
    """
    since = Q(state=ItemState.SUCCEEDED, updated_at__gte=began(task))
    items = TaskItem.objects.filter(Q(state__in=sorted(ITEM_ALIVE)) | since, key=OuterRef("e164"))
    return Q(Exists(items.exclude(task=task)))


def idle(task: Task, numbers: list[PhoneNumber]) -> list[PhoneNumber]:
    """Those of `numbers`, whose rows are locked, that are not `taken`.

    Asked after the lock: whoever takes a number changes its row as well, and from now on waits for us.
    """
    mine = PhoneNumber.objects.filter(pk__in=[number.pk for number in numbers])
    others = set(mine.filter(taken(task)).values_list("pk", flat=True)) if numbers else set()
    return [number for number in numbers if number.pk not in others]


def began(task: Task) -> datetime.datetime:
    """When the pass began; its first slice has set it."""
    assert task.started_at is not None  # noqa: S101 — set by the lease before any step runs
    return task.started_at


def ticks(task: Task) -> int:
    """The start of the pass in .NET ticks (100 ns since year 1): the field `asticks` (live-platform.md §4.5)."""
    return (began(task) - _DOTNET_EPOCH) // datetime.timedelta(microseconds=1) * 10
