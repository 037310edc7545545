"""Numbers of a file that are not here: judged as an upload is, then uploaded."""

import pytest

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber
from ocadmin.numbers.operations.imports import start_import
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import CustomerFactory, PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.imports import checked, confirmed, outcomes, run, sheet
from tests.numbers.world import World

from .uploads import place

__all__ = ["place"]
pytestmark = pytest.mark.django_db

HEADERS = [
    "msTenantId",
    "telephoneNumber",
    "rangeEnd",
    "usage",
    "capabilities",
    "allowTenantAddressUpdate",
    "ticketId",
    "note",
]


def row(place: World, number: str, **more: str) -> list[str]:
    values = {
        "msTenantId": str(place.customer.tenant_id),
        "telephoneNumber": number,
        "usage": "CallingUserAssignment",
        "capabilities": "InboundCalling;OutboundCalling",
        "allowTenantAddressUpdate": "true",
    } | more
    return [values.get(name, "") for name in HEADERS]


def test_new_numbers_are_uploaded_with_their_notes_and_tickets(place: World, alice: User) -> None:
    batch = checked(
        sheet(
            HEADERS,
            row(place, "+442079460700", rangeEnd="+442079460702", ticketId="CHG-1"),
            row(place, "+442079460710", ticketId="CHG-2", note="Reception"),
        ),
        alice,
    )
    assert batch.counts == {"new": 4}, list(batch.rows.values_list("problems", flat=True))
    task = confirmed(batch, alice, comment="opening")
    assert (task.state, task.succeeded, task.total) == (TaskState.SUCCEEDED, 5, 5), task.message
    numbers = PhoneNumber.objects.order_by("e164")
    assert [number.e164 for number in numbers] == [f"+44207946070{n}" for n in range(3)] + ["+442079460710"]
    assert {number.status for number in numbers} == {Status.PENDING_FIRST_SYNC}
    assert numbers[3].note == "Reception"
    tickets = dict(AuditEntry.objects.filter(action="upload.accepted").values_list("object_id", "ticket"))
    assert (tickets["+442079460700"], tickets["+442079460710"]) == ("CHG-1", "CHG-2")
    assert place.device_prefixes() == {number.e164 for number in numbers}


@pytest.mark.parametrize("elsewhere", [True, False])
def test_notes_are_for_numbers_that_have_arrived(place: World, alice: User, elsewhere: bool) -> None:
    """Somebody else may have got the number meanwhile; their note is not ours to write."""
    batch = checked(sheet(HEADERS, row(place, "+442079460700", note="ours"), row(place, "+442079460701")), alice)
    task = start_import(batch, whole=False, by=principal_of(alice), channel="csv", ticket="", comment="")
    passes.advance(task)
    upload = Task.objects.get(kind="upload")
    upload.items.filter(key="+442079460700").update(state=ItemState.FAILED, message="Microsoft says no.")
    if elsewhere:
        PhoneNumberFactory(e164="+442079460700", customer=CustomerFactory(full_name="Elsewhere"))
    Task.objects.filter(pk=upload.pk).update(failed=1, done=1)
    run(task)
    assert (task.state, task.succeeded, task.failed, task.refused) == (TaskState.PARTIAL, 1, 1, 1), task.message
    assert task.done == task.total == 3
    assert not PhoneNumber.objects.exclude(note="").exists()
    assert task.items.get().message == (
        "The customer does not have this number, so its note and tags were not written."
    )


def test_a_bad_row_does_not_hold_up_the_good_ones(place: World, alice: User) -> None:
    content = sheet(HEADERS, row(place, "+442079460700"), row(place, "4,48719E+11"), row(place, "+4420794607OO"))
    batch = checked(content, alice)
    assert outcomes(batch) == {"+442079460700": "new", "4,48719E+11": "refused", "+4420794607OO": "refused"}
    task = confirmed(batch, alice)
    assert (task.state, PhoneNumber.objects.count()) == (TaskState.SUCCEEDED, 1)
