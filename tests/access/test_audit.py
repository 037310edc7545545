"""The audit trail: who and what it names, and that nobody rewrites it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from ocadmin.access.audit import record
from ocadmin.access.models import AuditEntry, User
from ocadmin.access.services import principal_of


@pytest.fixture
def entry(alice: User) -> AuditEntry:
    record("number.change", by=principal_of(alice), channel="web", object_type="number", object_id="+442079460000")
    return AuditEntry.objects.get()


def test_an_entry_names_the_person(entry: AuditEntry, alice: User) -> None:
    assert (entry.actor, entry.actor_name, entry.channel) == (alice, "alice", "web")


def test_an_entry_cannot_be_changed(entry: AuditEntry) -> None:
    entry.message = "something else"
    with pytest.raises(ValidationError, match="append-only"):
        entry.save()
    with pytest.raises(ValidationError, match="append-only"):
        AuditEntry.objects.update(message="something else")
    with pytest.raises(ValidationError, match="append-only"), transaction.atomic():
        AuditEntry.objects.bulk_update([entry], ["message"])
    assert AuditEntry.objects.get().message == ""


def test_an_entry_cannot_be_deleted(entry: AuditEntry) -> None:
    for delete in (entry.delete, AuditEntry.objects.all().delete):
        call: Any = delete
        with pytest.raises(ValidationError, match="append-only"):
            call()
    assert AuditEntry.objects.count() == 1


def test_an_entry_outlives_the_person(entry: AuditEntry, alice: User) -> None:
    alice.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name) == (None, "alice")
