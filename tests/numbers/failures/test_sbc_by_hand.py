"""An SBC whose rules a person loads: tasks wait for the person as they wait for an SBC that is offline, and go on."""

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.tasks.models import Task, TaskState
from sbc import by_hand
from sbc.models import SBC, WriteStrategy
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import NEW, asked, asked_of_sbc, counters, known_rules, release, start_upload, task_page

pytestmark = [pytest.mark.django_db, pytest.mark.failure("F20")]

EXPORT = b"DialPlanName,Name,Prefix,Tag\r\nOCDialPlan,by hand,1212,old\r\n"


@pytest.fixture(autouse=True)
def manual(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of the device but its name, and the next try is far away."""
    monkeypatch.setattr("sbc.errors.growing", lambda _attempt, _longest: 300.0)
    SBC.objects.update(write_strategy=WriteStrategy.MANUAL, rest_url="")


def loaded(export: bytes) -> int:
    """A person brings the export, loads the file and says so."""
    file = by_hand.prepare(SBC.objects.get(), export, by=SYSTEM, channel="web")
    return by_hand.confirm(file, by=SYSTEM, channel="web")


def due(task: Task) -> bool:
    return Task.objects.due().filter(pk=task.pk).exists()


def test_an_upload_waits_for_the_person_and_goes_on_at_their_word(world: World, alice_client: Client) -> None:
    task = start_upload(world, NEW)
    for _slice in range(4):
        passes.advance(task)
    assert (task.state, task.failed, due(task)) == (TaskState.WAITING, 0, False)
    assert "it is written by hand, and rules wait (2)" in task_page(alice_client, task)
    assert (asked(world, "uploads"), asked_of_sbc(world)) == ([], [])
    assert loaded(EXPORT) == 2
    assert due(task)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert known_rules() == dict.fromkeys(NEW, (True, True))
    assert PhoneNumber.objects.count() == 2
    assert asked_of_sbc(world) == []


def test_a_release_waits_until_the_rule_is_gone(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    task = release()
    for _slice in range(8):
        passes.advance(task)
    assert (task.state, due(task)) == (TaskState.WAITING, False)
    assert "it is written by hand, and rules wait (1)" in task_page(alice_client, task)
    assert not ReleasedNumber.objects.exists()
    export = EXPORT + f"OCDialPlan,x,{number.e164}#,t\r\n".encode()
    loaded(export)
    assert task.next_run_at > timezone.now()  # as it was before
    assert due(task)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert (ReleasedNumber.objects.get().e164, known_rules()) == (number.e164, {})
