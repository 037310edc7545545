"""F07: Microsoft has done it, and its lists do not show it yet: that is neither an error nor drift."""

import pytest
from django.test import Client

from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.tasks.models import TaskState
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import NEW, counters, history, jobs, number_page, once_each, release, start_upload, tags, task_page

pytestmark = [pytest.mark.django_db, pytest.mark.failure("F07")]


@pytest.fixture
def late(world: World) -> World:
    """What Microsoft has done shows in its lists only a minute later."""
    world.sandbox.call("POST", "/clock", {"mode": "manual"})
    world.sandbox.call("PUT", "/state", {"lag": 60})
    world.route([])
    return world


def minute(world: World) -> None:
    world.sandbox.call("POST", "/clock/advance", {"seconds": 60})


def test_an_uploaded_number_waits_for_its_first_synchronisation(late: World, alice_client: Client) -> None:
    task = passes.finish(start_upload(late, NEW))
    assert (counters(task), jobs()) == ((TaskState.SUCCEEDED, 2, 0), [("Success", 2, 2, 0)])
    assert "they are active as soon as a synchronisation sees them." in task_page(alice_client, task)

    late.sandbox.numbers(delete=NEW[1:])  # one is listed as pending, the other one not at all
    told = passes.synchronise(customers=[late.customer])
    assert told.state == TaskState.SUCCEEDED
    assert "gone" not in told.result
    assert {item.code for item in told.items.filter(key__in=NEW)} <= {"completed"}  # details that we did not have
    for e164 in NEW:
        number = PhoneNumber.objects.get(e164=e164)
        assert (number.status, number.source) == (Status.PENDING_FIRST_SYNC, Source.WEB_UI)
        assert number.aslv_code is None
        assert "Pending first sync" in number_page(alice_client, e164)
    assert {prefix.rstrip("#") for prefix in tags(late)} == set(NEW)  # both stay routed

    minute(late)
    told = passes.synchronise(numbers=NEW[:1])
    assert told.result["activated"] == 1
    number = PhoneNumber.objects.get(e164=NEW[0])
    assert (number.status, number.assignment_status) == (Status.ACTIVE, "Unassigned")
    assert history(NEW[0]) == ["upload.accepted", "sync.completed", "sync.activated"]
    assert once_each(late, "uploads", NEW)


def test_a_released_number_that_is_still_listed_does_not_come_back(late: World, alice_client: Client) -> None:
    (number,) = late.numbers(1)
    task = passes.finish(release())
    assert (counters(task), jobs()) == ((TaskState.SUCCEEDED, 1, 0), [("Complete", 1, 1, 0)])
    assert late.status_at_microsoft(number.e164) == Status.RELEASE_REQUESTED
    for _again in range(2):
        told = passes.synchronise(numbers=[number.e164])
        assert "new" not in told.result
        assert not PhoneNumber.objects.filter(e164=number.e164).exists()
        minute(late)
    assert late.status_at_microsoft(number.e164) is None
    assert ReleasedNumber.objects.get().e164 == number.e164
    assert history(number) == ["release.requested", "release.completed"]
    assert "Released" in number_page(alice_client, number.e164)
