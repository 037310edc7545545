"""A small operation for tests of the engine: counts to a number, and can be told to misbehave."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ocadmin.access.permissions import Permission
from ocadmin.tasks import registry
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from ocadmin.tasks.outcomes import Continue, Finished, Outcome
from ocadmin.tasks.run import Run


class Counting:
    """Saves one outcome a step until `params["upto"]` is reached; `before` is called ahead of each step."""

    kind = "counting"
    label = "Counting"
    permission = Permission.SYNC

    def __init__(self, before: Callable[[Run], Outcome | None] | None = None) -> None:
        self.before = before

    def step(self, run: Run) -> Outcome:
        """One number."""
        if self.before:
            outcome = self.before(run)
            if outcome is not None:
                return outcome
        at = run.cursor.get("at", 0)
        if at >= run.task.params["upto"]:
            return Finished(TaskState.SUCCEEDED, f"counted to {at}", {"counted": at})
        with run.commit():
            run.outcomes([TaskItem(task=run.task, key=f"+{at + 1}", state=ItemState.SUCCEEDED)])
            run.cursor["at"] = at + 1
        return Continue()

    def cancel(self, run: Run) -> Finished:
        """Says how far it came."""
        return Finished(TaskState.CANCELLED, f"stopped at {run.cursor.get('at', 0)}")

    def give_up(self, run: Run, message: str, code: str) -> None:
        """Nothing was begun."""

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """As many again as have failed."""
        return {"upto": len(keys)}

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """None: numbers are counted."""
        return []

    def retried(self, task: Task) -> None:
        """Nothing is taken."""


@contextmanager
def registered(operation: Counting) -> Iterator[None]:
    """Make the operation known for a while."""
    registry.register(operation)
    try:
        yield
    finally:
        registry._operations.pop(operation.kind)
