"""Synchronising with what only PostgreSQL has: two transactions, statistics. Collected only there (conftest)."""

import threading

import pytest
from django.db import connection, connections

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer
from ocadmin.numbers.operations import sync
from ocadmin.tasks.models import Task, TaskState
from ocadmin.tasks.run import Run
from tests.factories import TaskFactory
from tests.numbers import passes
from tests.sandbox_process import Sandbox


def hold(customer: Customer) -> None:
    sync.hold(customer, reason="Disputed", by=SYSTEM, channel="web")
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_a_hold_waits_for_what_a_pass_is_saving(contoso: Customer) -> None:
    """So that nothing of the customer's changes once it has returned."""
    task = TaskFactory(kind="sync", state=TaskState.RUNNING, lease_owner="worker")
    person = threading.Thread(target=hold, args=(contoso,), daemon=True)
    with Run(task, "worker").commit():
        person.start()
        person.join(0.5)
        assert person.is_alive()
    person.join(30)
    assert not person.is_alive()
    assert Customer.objects.on_hold().get() == contoso


@pytest.mark.django_db(transaction=True)
def test_a_pass_that_begins_while_a_hold_waits_knows_of_it(contoso: Customer) -> None:
    """Or the hold waits for that one too: what it saves then must not come after the hold has returned."""
    first, late = (TaskFactory(kind="sync", state=TaskState.RUNNING, lease_owner=name) for name in ("first", "late"))
    Task.objects.filter(pk=late.pk).update(state=TaskState.CANCELLED, finished_at="2026-01-01T00:00:00Z")
    person = threading.Thread(target=hold, args=(contoso,), daemon=True)
    knew: list[bool] = []
    saving, saved = threading.Event(), threading.Event()

    def save_late() -> None:
        Task.objects.filter(pk=late.pk).update(state=TaskState.RUNNING, finished_at=None)
        with Run(late, "late").commit():
            knew.append(Customer.objects.on_hold().exists())
            saving.set()
            saved.wait(30)
        connections.close_all()

    worker = threading.Thread(target=save_late, daemon=True)
    with Run(first, "first").commit():
        person.start()
        person.join(0.5)
        worker.start()
        assert saving.wait(30)
    person.join(0.5)
    assert knew == [True] or person.is_alive()
    saved.set()
    for thread in (worker, person):
        thread.join(30)
        assert not thread.is_alive()
    assert Customer.objects.on_hold().get() == contoso


@pytest.mark.django_db
def test_what_was_staged_is_known_to_the_planner(sandbox: Sandbox) -> None:
    """Of a table that was empty when it was last looked at it would expect one row, and read all for each number."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE numbers_stagednumber")
        assert passes.synchronise().state == TaskState.SUCCEEDED
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'numbers_stagednumber'")
        assert cursor.fetchone()[0] > 100
