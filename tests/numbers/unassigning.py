"""Un-assignments in a test: submitting one, and letting its pauses pass without waiting."""

from typing import Any

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks.models import ITEM_ALIVE, Task, TaskState
from tests.numbers import passes
from tests.numbers.world import World


def submit(kind: str = "unassign", **more: Any) -> Task:
    """A task for all numbers."""
    params = {"comment": "left the company"} | more.pop("params", {})
    given = {"title": "Un-assign", "by": SYSTEM, "channel": "web", "ticket": "CHG-9"} | more
    return ON_NUMBERS[kind].submit(PhoneNumber.objects.all(), params, **given)


def let_pass(task: Task, seconds: float = 0.0) -> Task:
    """Every pause has ended; the stages began `seconds` earlier than they did."""
    for item in task.items.filter(state__in=sorted(ITEM_ALIVE)).exclude(data={}):
        item.data |= {"due": 0.0, "since": item.data.get("since", 0.0) - seconds}
        item.save(update_fields=["data"])
    task.refresh_from_db()
    for hold in task.cursor.get("held", {}).values():
        hold["until"] = 0.0
    task.save(update_fields=["cursor"])
    return task


def finish(task: Task) -> Task:
    """To the end, without waiting for any pause."""
    for _ in range(200):
        passes.advance(let_pass(task))
        if not task.alive or task.state == TaskState.ASKING:
            return task
    raise AssertionError(f"still {task.state}: {task.step} {task.message}")


def posts(world: World) -> list[dict[str, Any]]:
    """The requests to un-assign so far."""
    return world.posts("/unassignNumber")
