"""F20 to F24: an SBC that cannot be written, will not be written, or forgets what was written."""

import pytest
from django.test import Client

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.tasks.models import ItemState, Task, TaskState
from sbc.models import SBC, DialPlanRule, State
from tests.numbers import passes
from tests.numbers.world import World

from .scenes import (
    NEW,
    TRUNK,
    asked,
    asked_of_sbc,
    counters,
    history,
    jobs,
    known_rules,
    message_of,
    number_page,
    once_each,
    outcomes,
    page,
    plan_of,
    release,
    sbc,
    standing,
    start_upload,
    tags,
    task_page,
    wait_of,
)

pytestmark = pytest.mark.django_db

ROUTED = {f"{e164}#": TRUNK for e164 in NEW}
SCRIPT = "PUT /files/cliScript/incremental"


@pytest.fixture(autouse=True)
def empty(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SBC routes nothing yet, and a lost connection is not tried again within a slice."""
    monkeypatch.setattr("sbc.device.TRIES", 1)
    world.route([])


def ask_sbc_again(task: Task) -> None:
    """Let the pause pass that an upload keeps towards an SBC."""
    Task.objects.filter(pk=task.pk).update(cursor=task.cursor | {"waiting_for": {}})


def sbc_page(client: Client, world: World) -> str:
    return page(client, f"/sbcs/{world.sbc.pk}/")


# F20


@pytest.mark.failure("F20")
def test_an_upload_waits_for_an_sbc_that_is_offline_and_goes_on_by_itself(
    world: World, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sbc.errors.growing", lambda attempt, longest: 100.0 * attempt)
    sbc(world, online=False)
    task = start_upload(world, NEW)
    for attempt in (1, 2, 3):
        passes.advance(task)
        assert (task.state, task.failed) == (TaskState.WAITING, 0)
        assert 100 * (attempt - 1) < wait_of(task) <= 100 * attempt
        ask_sbc_again(task)
    seen = task_page(alice_client, task)
    assert "Waiting for an SBC. EMEA SP1 SBC: it could not be reached" in seen
    assert "It goes on by itself, next at" in seen
    row = SBC.objects.get()
    assert (row.online, "could not be reached" in row.problem) == (False, True)
    assert "State Offline since" in sbc_page(alice_client, world)
    assert (asked(world, "uploads"), PhoneNumber.objects.count()) == ([], 0)  # Microsoft comes after the SBC
    assert known_rules() == dict.fromkeys(NEW, (True, None))

    sbc(world, online=True)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert tags(world) == tags(world, "saved") == ROUTED
    assert known_rules() == dict.fromkeys(NEW, (True, True))
    assert once_each(world, "uploads", NEW)
    assert SBC.objects.get().state == State.ONLINE


@pytest.mark.failure("F20")
def test_a_release_waits_with_its_routing_and_never_goes_back(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    sbc(world, online=False)
    task = release()
    for _attempt in range(2):
        passes.advance(task)
    assert task.state == TaskState.WAITING
    assert "Waiting for an SBC. EMEA SP1 SBC: it could not be reached" in task_page(alice_client, task)
    assert jobs() == [("Complete", 1, 1, 0)]
    assert standing(number)[0] == Status.RELEASE_REQUESTED
    sbc(world, online=True)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert (tags(world), tags(world, "saved"), known_rules()) == ({}, {}, {})
    assert ReleasedNumber.objects.get().e164 == number.e164
    assert once_each(world, "releases", [number.e164])


@pytest.mark.failure("F20")
def test_ranges_are_not_begun_while_an_sbc_is_offline(world: World, alice_client: Client) -> None:
    numbers = world.numbers(2)
    sbc(world, online=False)
    task = passes.finish(release(range=True))
    assert counters(task) == (TaskState.FAILED, 0, 2)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "sbc_offline")}
    words = "Ranges are released only while all SBCs of the customer are online. EMEA SP1 SBC: it could not be reached"
    assert words in task_page(alice_client, task)
    assert words in number_page(alice_client, numbers[0].e164)
    assert [standing(number)[0] for number in numbers] == [Status.ACTIVE] * 2
    assert asked(world, "releases") == []
    # single numbers wait for the SBC instead, so their plan is not refused
    assert plan_of(alice_client, "release", numbers)[1].context["plan"].will == 2


# F21


@pytest.mark.failure("F21")
def test_a_missing_dial_plan_is_told_with_its_cure_before_microsoft_is_asked(
    world: World, alice_client: Client
) -> None:
    sbc(world, deletePlan="OCDialPlan")
    task = passes.finish(start_upload(world, NEW))
    assert counters(task) == (TaskState.FAILED, 0, 2)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "sbc_plan_missing")}
    cure = "it has no dial plan OCDialPlan; create it on the SBC, or correct the plan's name in its form."
    assert cure in task_page(alice_client, task)
    assert cure in sbc_page(alice_client, world)
    assert (asked(world, "uploads"), PhoneNumber.objects.exists()) == ([], False)
    sbc(world, rules=[])
    alice_client.post(f"/tasks/{task.pk}/retry/")
    assert counters(passes.finish(Task.objects.get(retry_of=task))) == (TaskState.SUCCEEDED, 2, 0)
    assert tags(world) == ROUTED


# F22


@pytest.mark.failure("F22")
def test_a_full_table_takes_nothing_by_halves(world: World, alice_client: Client) -> None:
    sbc(world, capacity=1)
    task = passes.finish(start_upload(world, NEW))
    assert counters(task) == (TaskState.FAILED, 0, 2)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "sbc_table_full")}
    words = "EMEA SP1 SBC: its table of rules is full"
    assert words in task_page(alice_client, task)
    assert (tags(world), asked(world, "uploads"), PhoneNumber.objects.exists()) == ({}, [], False)
    assert not DialPlanRule.objects.filter(wanted=True).exists()


@pytest.mark.failure("F22")
def test_a_busy_sbc_is_tried_again_when_it_says(world: World, alice_client: Client) -> None:
    sbc(world, haSync=True)
    task = passes.advance(start_upload(world, NEW))
    assert task.state == TaskState.WAITING
    assert 2.5 < wait_of(task) <= 10  # what it says, not our own first pause
    assert "EMEA SP1 SBC: it is busy (HA synchronization is in progress)" in task_page(alice_client, task)
    assert "HA syncing" in sbc_page(alice_client, world)  # it answers, so it is there
    assert (tags(world), asked(world, "uploads")) == ({}, [])
    sbc(world, haSync=False)
    ask_sbc_again(task)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert tags(world) == ROUTED


# F23


@pytest.mark.failure("F23")
@pytest.mark.parametrize(
    ("user", "status", "code", "words"),
    [
        ("nobody", 401, "sbc_bad_credentials", "it does not accept our user name and password (401)"),
        ("monitor", 403, "sbc_low_privilege", "may not do this (403); give that user the level"),
    ],
)
def test_a_login_that_is_refused_is_not_tried_again(
    world: World, alice_client: Client, user: str, status: int, code: str, words: str
) -> None:
    SBC.objects.update(username=user)
    task = passes.finish(start_upload(world, NEW))
    assert counters(task) == (TaskState.FAILED, 0, 2)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, code)}
    assert words in task_page(alice_client, task)
    assert words in sbc_page(alice_client, world)
    refused = [one for one in asked_of_sbc(world) if one.endswith(str(status))]
    assert len(refused) == len(asked_of_sbc(world)) == 1, asked_of_sbc(world)  # a device locks users out
    assert (tags(world), asked(world, "uploads"), PhoneNumber.objects.exists()) == ({}, [], False)


@pytest.mark.failure("F23")
def test_a_release_is_not_held_up_by_a_login_that_is_refused(world: World, alice_client: Client) -> None:
    """The number is given back; the rule that stays is told."""
    (number,) = world.numbers(1)
    SBC.objects.update(username="nobody")
    task = passes.finish(release())
    assert counters(task) == (TaskState.SUCCEEDED, 1, 0)
    assert outcomes(task) == {number.e164: (ItemState.SUCCEEDED, "rule_left")}
    seen = task_page(alice_client, task)
    assert "Released, but its rule stays on an SBC. EMEA SP1 SBC: it does not accept our user name" in seen
    assert "The SBC rules of 1 could not be removed." in seen
    assert known_rules() == {number.e164: (False, True)}
    assert "surplus" in sbc_page(alice_client, world)
    assert history(number) == ["release.requested", "release.completed"]


# F24


@pytest.mark.failure("F24")
def test_a_restart_before_saving_loses_nothing(world: World, alice_client: Client) -> None:
    """The rules run, but the flash does not have them: nobody calls that done, and they are written again."""
    save = {"mount": "sbc", "method": "POST", "path": "/actions/saveConfiguration"}
    world.sandbox.fault(save, {"status": 503})
    task = passes.advance(start_upload(world, NEW))
    assert task.state == TaskState.WAITING
    assert (tags(world), tags(world, "saved")) == (ROUTED, {})
    assert known_rules() == dict.fromkeys(NEW, (True, False))
    assert SBC.objects.get().save_pending
    assert "not saved to flash yet" in sbc_page(alice_client, world)
    assert asked(world, "uploads") == []

    sbc(world, restart=True)
    assert tags(world) == {}
    ask_sbc_again(task)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    sbc(world, restart=True)
    assert tags(world) == ROUTED
    assert known_rules() == dict.fromkeys(NEW, (True, True))
    assert not SBC.objects.get().save_pending
    assert f"yes {TRUNK} Harbourline this rule" in number_page(alice_client, NEW[0], "routing")  # wanted, and there
    assert "POST /actions/saveConfiguration 200" in asked_of_sbc(world)


@pytest.mark.failure("F24")
def test_saving_that_does_not_save_is_noticed(world: World, alice_client: Client) -> None:
    """The device says that it has saved, and says afterwards that it needs to."""
    save = {"mount": "sbc", "method": "POST", "path": "/actions/saveConfiguration"}
    world.sandbox.fault(save, {"status": 200, "body": "{}"})
    task = passes.advance(start_upload(world, NEW))
    assert task.state == TaskState.WAITING
    words = "it accepted the change, but afterwards its configuration is still not saved"
    assert words in task_page(alice_client, task)
    assert message_of(task, NEW[0]) == "Its SBC rules are being written."
    assert asked(world, "uploads") == []
    ask_sbc_again(task)
    passes.finish(task)
    assert counters(task) == (TaskState.SUCCEEDED, 2, 0)
    assert tags(world, "saved") == ROUTED
