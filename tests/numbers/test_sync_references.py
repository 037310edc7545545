"""What a synchronisation makes under a bare id, because a number points at it, is in the audit trail."""

import dataclasses
import uuid
from typing import Any

import pytest

from ocadmin.access.models import AuditEntry
from ocadmin.numbers.microsoft.records import NumberRecord
from ocadmin.numbers.models import Customer
from ocadmin.numbers.operations.sync import staging
from tests.factories import TaskFactory

pytestmark = pytest.mark.django_db


def test_a_tenant_a_profile_and_an_address_that_nobody_listed() -> None:
    """One entry each, by the task, and none the second time."""
    task = TaskFactory()
    profile, address = uuid.uuid4(), uuid.uuid4()
    values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(NumberRecord)) | {
        "e164": "+441134960001",
        "tenant_id": uuid.uuid4(),
        "iso_country_code": "GB",
        "calling_profile_id": profile,
        "additional_usages": (),
        "acquired_capabilities": [],
        "civic_address_id": address,
    }
    record = NumberRecord(**values)
    for _time in (1, 2):
        staging.rows(task, [record])
        customer = Customer.objects.get()
        written = AuditEntry.objects.values_list("action", "object_type", "object_id", "customer_ref", "task_ref")
        assert set(written) == {
            ("sync.new", "customer", str(customer.pk), customer.pk, task.pk),
            ("sync.new", "calling_profile", str(profile), None, task.pk),
            ("sync.new", "civic_address", str(address), customer.pk, task.pk),
        }
        assert len(written) == 3
