"""F06: some numbers of a job go well, others do not."""

import pytest
from django.test import Client

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    NEW,
    counters,
    history,
    jobs,
    known_rules,
    message_of,
    once_each,
    outcomes,
    page,
    start_upload,
    tags,
    task_page,
)

pytestmark = [pytest.mark.django_db, pytest.mark.failure("F06")]

# Endings with which the sandbox fails an upload.
MAGIC = {
    "+442079460790": ("UnknownCountryCode", "The country of this telephone number is not known."),
    "+442079460791": ("UnableToMatchGeographyEntry", "The telephone number matches no known area."),
    "+442079460792": ("UnableToRetrieveLocation", "The location could not be read."),
    "+442079460793": ("NumberOwnedByAnotherTenant", "The telephone number belongs to another tenant."),
    "+442079460794": ("InternalError", "Something went wrong inside; try again later."),
}


def test_each_number_tells_its_own_end_and_only_the_failed_ones_are_tried_again(
    world: World, alice_client: Client
) -> None:
    world.route([])
    task = passes.finish(start_upload(world, [NEW[0], *MAGIC]))
    assert counters(task) == (TaskState.PARTIAL, 1, 5)
    assert jobs() == [("PartialSuccess", 6, 1, 5)]
    assert outcomes(task) == {
        NEW[0]: (ItemState.SUCCEEDED, ""),
        **{e164: (ItemState.FAILED, code) for e164, (code, _words) in MAGIC.items()},
    }
    seen = task_page(alice_client, task)
    for e164, (code, words) in MAGIC.items():
        assert message_of(task, e164) == words
        assert f"Failed {code} {words}" in seen
        assert not history(e164)
    assert "5 were not; each says why." in seen
    assert "Retry 5 failed numbers" in seen
    assert "+44 20 7946 0700" not in page(alice_client, f"/tasks/{task.pk}/?state=failed")

    assert list(PhoneNumber.objects.values_list("e164", "status")) == [(NEW[0], Status.PENDING_FIRST_SYNC)]
    assert set(tags(world)) == {f"{NEW[0]}#"}  # no rule stays for nothing
    assert known_rules() == {NEW[0]: (True, True)}

    world.sandbox.call("PUT", "/state", {"magicSuffixes": False})
    alice_client.post(f"/tasks/{task.pk}/retry/")
    again = Task.objects.get(retry_of=task)
    assert set(again.items.values_list("key", flat=True)) == set(MAGIC)
    passes.finish(again)
    assert counters(again) == (TaskState.SUCCEEDED, 5, 0)
    assert PhoneNumber.objects.filter(status=Status.PENDING_FIRST_SYNC).count() == 6
    assert once_each(world, "uploads", [NEW[0]])
    assert {prefix.rstrip("#") for prefix in tags(world)} == {NEW[0], *MAGIC}
