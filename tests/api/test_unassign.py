"""POST /api/v2|v3/oc/numbers/action/unassign. Who may: test_release.py."""

from collections.abc import Iterator

import pytest

from ocadmin.access.audit import Channel
from ocadmin.access.models import AuditEntry
from ocadmin.numbers.microsoft import entra
from ocadmin.numbers.models import ConnectionState, PhoneNumber
from ocadmin.tasks.models import Task, TaskState
from tests.numbers.unassigning import finish, posts
from tests.numbers.world import SAUERLAND, World

from .acting import e164s, of, refused, task_of
from .conftest import Programs

pytestmark = pytest.mark.django_db

PATH = "v2/oc/numbers/action/unassign"
USED = {"assignment_status": "UserAssigned", "assignment_target_id": "3f2a", "routed": False}


@pytest.fixture(autouse=True)
def no_tokens() -> Iterator[None]:
    """Nobody was connected before."""
    entra.forget_all()
    yield
    entra.forget_all()


def test_a_number_is_taken_from_its_user_and_then_released(world: World, program: Programs) -> None:
    used = e164s(world.numbers(1, **USED))
    free = e164s(world.numbers(1, first=442079460600, routed=False))
    caller = program()
    task = finish(task_of(caller.post(PATH, {"telephoneNumbers": [*used, *free]}, ticketId="CHG-2", **of(world))))
    assert (task.state, task.succeeded, task.unchanged) == (TaskState.SUCCEEDED, 1, 1)
    assert PhoneNumber.objects.get(e164=used[0]).assignment_status == "Unassigned"
    entry = AuditEntry.objects.get(action="unassign.completed")
    assert (entry.actor_name, entry.channel, entry.ticket) == ("portal 0", Channel.API, "CHG-2")
    answer = caller.get(f"v2/task/{task.uid}").json()
    assert (answer["status"], answer["succeededNumbersCount"]) == ("CompletedSuccess", 1)
    again = finish(task_of(caller.post(PATH.replace("v2", "v3"), used, **of(world))))
    assert (again.state, again.unchanged) == (TaskState.SUCCEEDED, 1)
    assert caller.post("v2/oc/numbers/action/release", used, dryRun="1", **of(world)).json()["begins"] is True


def test_a_tenant_that_is_not_connected_is_said_at_once(world: World, program: Programs) -> None:
    numbers = e164s(world.numbers(1, **USED))
    world.customer.connection = ConnectionState.NOT_CONNECTED
    world.customer.save()
    body = refused(program().post(PATH, {"telephoneNumbers": numbers}, **of(world)), 409, "not_connected")
    assert numbers[0] in body["detail"]
    assert not posts(world)


def test_a_dry_run_and_numbers_of_two_customers(world: World, program: Programs) -> None:
    mine = e164s(world.numbers(1, **USED))
    theirs = e164s(world.numbers(1, first=442079460600, customer=world.new_customer(SAUERLAND, "Sauerland"), **USED))
    plan = program().post(PATH, [*mine, *theirs], dryRun="true", **of(world)).json()
    assert (plan["operation"], plan["begins"], plan["will"]["sample"]) == ("unassign", False, mine)
    refused(program().post(PATH, [*mine, *theirs], **of(world)), 400, "other_customer")
    refused(program().post(PATH, [], **of(world)), 400, "no_numbers")
    assert not Task.objects.exists()
    assert not posts(world)
