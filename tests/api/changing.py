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

from .conftest import Program

FIRST = 442079460000
PATH = "v3/oc/changes"
# For tests of what PostgreSQL shows in the feed: only what is committed.
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
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    last = AuditEntry.objects.order_by("-xact").values_list("xact", flat=True).first() or 0
    while feed.horizon().xact <= last:
        time.sleep(0.05)


def read(program: Program, since: str, size: int = 2) -> tuple[list[int], str]:
    """All changes from `since`, page by page, as numbers counted from FIRST, and where to go on."""
    found: list[int] = []
    while True:
        answer = program.get(PATH, {"since": since, "pageSize": size})
        assert answer.status_code == 200, answer.content
        told = answer.json()
        assert len(told["changes"]) <= size
        found += [int(one["telephoneNumber"]) - FIRST for one in told["changes"]]
        since = told["nextSince"]
        if not told["more"]:
            return found, since
