"""Whether we may act inside a customer's tenant: what an attempt has told, written down in one way."""

from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.tasks.models import Task

from ..history import author, row_entry
from ..models import Customer


def note(task: Task, customer: Customer, state: str, message: str = "") -> None:
    """Save what is known of a customer's connection now, and audit it where it differs from before.

    `state` is a ConnectionState, `message` the reason for people. Inside `run.commit()`.
    """
    before = customer.connection
    Customer.objects.filter(pk=customer.pk).update(
        connection=state, connection_message=message[:500], connection_checked_at=timezone.now()
    )
    customer.connection = state
    if before != state:
        entry = row_entry(
            "sync.changed",
            "customer",
            customer,
            customer,
            by=author(task),
            channel=task.channel,
            task_ref=task.pk,
            before={"connection": before},
            after={"connection": state},
        )
        AuditEntry.objects.bulk_create([entry])
