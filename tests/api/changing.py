"""Entries of the audit trail as operations write them, and waiting until the feed shows them."""

import time
from typing import Any

import pytest
from django.db import connection

from ocadmin.access import feed
from ocadmin.access.audit import entry
from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer

FIRST = 442079460000
# PostgreSQL shows in the feed only what is committed, and never what the reader's own transaction has written.
committed = pytest.mark.django_db(transaction=connection.vendor == "postgresql")


def change(customer: Customer, n: int, **fields: Any) -> AuditEntry:
    """An unsaved entry about the number FIRST + n."""
    number = f"+{FIRST + n}"
    return entry(
        fields.pop("action", "location.changed"),
        by=SYSTEM,
        channel="api",
        object_type=fields.pop("object_type", "number"),
        object_id=number,
        label=number,
        customer_ref=customer.pk,
        channel_ref=customer.channel_id,
        **fields,
    )


def write(customer: Customer, *numbers: int, **fields: Any) -> None:
    """Entries, committed and to be read."""
    AuditEntry.objects.bulk_create(change(customer, n, **fields) for n in numbers)
    settle()


def settle() -> None:
    """Until everything that is committed can be read: other transactions on the server may hold the feed back."""
    if connection.vendor != "postgresql":
        return
    last = AuditEntry.objects.order_by("-xact").values_list("xact", flat=True).first() or 0
    while feed.horizon().xact <= last:
        time.sleep(0.05)
