"""A hold while a pass is saving: what only PostgreSQL has, so these tests are collected only there (conftest)."""

import threading

import pytest
from django.db import connections

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer
from ocadmin.numbers.operations import sync
from ocadmin.tasks.models import TaskState
from ocadmin.tasks.run import Run
from tests.factories import TaskFactory


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
        assert not Customer.objects.on_hold().exists()
    person.join(30)
    assert not person.is_alive()
    assert Customer.objects.on_hold().get() == contoso
