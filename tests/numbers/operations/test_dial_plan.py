"""The operation behind PATCH …/dialplan/…: an SBC that is away, a prefix that is taken, a task that is cancelled."""

from typing import Any

import pytest

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.operations import dial_plan
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from sbc.models import DialPlanRule
from tests.factories import TaskFactory, TaskItemFactory
from tests.numbers import passes
from tests.numbers.world import EMEA_SLUG, World

pytestmark = pytest.mark.django_db


def change_of(world: World, add: list[str], remove: list[str] | None = None) -> dial_plan.Change:
    return dial_plan.Change(world.customer, world.sbc, dict.fromkeys(add, ""), remove or [])


def submit(change: dial_plan.Change, **more: Any) -> Task:
    return dial_plan.submit(change, dial_plan.judge(change), by=SYSTEM, channel="api", **more)


def test_an_sbc_that_is_away_is_waited_for(world: World) -> None:
    (number,) = world.numbers(1, routed=False)
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"rules": [], "online": False})
    task = passes.advance(submit(change_of(world, [number.e164])))
    assert (task.state, task.done) == (TaskState.WAITING, 0)
    assert DialPlanRule.objects.get().wanted is True
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": True})
    passes.finish(task)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 1)
    assert world.device_prefixes() == {number.e164}


def test_an_sbc_that_cannot_be_written_fails_the_task_and_it_can_be_tried_again(world: World) -> None:
    (number,) = world.numbers(1, routed=False)
    world.route([])
    sealed, world.sbc.sealed_password = world.sbc.sealed_password, ""
    world.sbc.save()
    task = passes.finish(submit(change_of(world, [number.e164])))
    assert (task.state, task.failed) == (TaskState.FAILED, 1)
    world.sbc.sealed_password = sealed
    world.sbc.save()
    again = passes.finish(services.retry_failed(task, by=SYSTEM, channel="web"))
    assert (again.state, again.succeeded) == (TaskState.SUCCEEDED, 1)
    assert world.device_prefixes() == {number.e164}


def test_a_number_that_another_operation_has_is_left_alone(world: World) -> None:
    """Whether that was seen while judging, or came in between: then nothing is wanted of it either."""
    (number,) = world.numbers(1, routed=False)
    change = change_of(world, [number.e164])
    before = dial_plan.judge(change)
    TaskItemFactory(task=TaskFactory(kind="release"), key=number.e164, state=ItemState.RUNNING)
    assert dial_plan.judge(change).left[number.e164][0] == "busy"
    task = dial_plan.submit(change, before, by=SYSTEM, channel="api")
    assert task.items.get().code == "busy"
    assert (task.refused, task.total) == (1, 1)
    assert not DialPlanRule.objects.exists()


def test_a_cancelled_task_says_what_it_left(world: World) -> None:
    (number,) = world.numbers(1, routed=False)
    world.route([])
    task = submit(change_of(world, [number.e164]))
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert task.message == "0 rules were written before the task was stopped, 1 were not."
    assert world.device_prefixes() == set()
