"""Which operation runs a task of which kind."""

from typing import TYPE_CHECKING, Any, Protocol

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal

from .models import Task, TaskItem
from .outcomes import Outcome
from .run import Run

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class Operation(Protocol):
    """What the engine asks of an operation. `kind` is stored in the task; `label` is shown."""

    kind: str
    permission: Permission

    @property
    def label(self) -> "str | StrPromise":
        """What it is called on the screens."""

    def step(self, run: Run) -> Outcome:
        """Do one bounded piece of work (a page, a chunk), saved by `run.commit()`. May raise TaskFailed, TryLater."""

    def cancel(self, run: Run) -> Outcome:
        """Go on after a request to cancel: Finished, whose message says what was done and what was not; or Wait, while
        something that cannot be called back is still under way. Asked again then."""

    def give_up(self, run: Run, message: str, code: str) -> None:
        """The task is about to fail for this reason: put right what it had begun, in `run.commit()`."""

    def retry_params(self, task: Task, keys: list[str]) -> dict[str, Any]:
        """The parameters of a new task for the failed numbers `keys` of `task`."""

    def retry_items(self, task: Task, keys: list[str]) -> list[TaskItem]:
        """The items of that new task (unsaved); [] for an operation that finds its numbers by itself."""

    def retried(self, task: Task) -> None:
        """That new task has just been made, with its items: take its numbers, in the same transaction."""


class UnknownOperation(LookupError):
    """No operation of that kind is registered."""


_operations: dict[str, Operation] = {}
_personal: set[str] = set()


def register(operation: Operation, *, personal: bool = False) -> None:
    """Make an operation known under its kind. `personal`: its tasks are the business of whoever starts them."""
    _operations[operation.kind] = operation
    if personal:
        _personal.add(operation.kind)


def is_own(task: Task, principal: Principal) -> bool:
    """Whether the task is of a personal kind and was started by the principal."""
    return task.kind in _personal and principal.user_id is not None and task.actor_id == principal.user_id


def get(kind: str) -> Operation:
    """The operation of a kind. Raises UnknownOperation."""
    try:
        return _operations[kind]
    except KeyError:
        raise UnknownOperation(kind) from None


def kinds() -> dict[str, str]:
    """Kind to label, for filters."""
    return {kind: str(operation.label) for kind, operation in _operations.items()}
