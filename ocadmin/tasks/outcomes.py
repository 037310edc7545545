"""What one step of an operation answers to the engine, and the two ways in which it may give up."""

from dataclasses import dataclass, field
from typing import Any

from .models import TaskState


@dataclass(frozen=True)
class Continue:
    """There is more to do right now."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do for `seconds`: the task returns and is nudged again then. Nobody sleeps in the worker."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Ask:
    """A person has to decide. `choices` maps the value that is stored to the label of its button."""

    text: str
    choices: dict[str, str]
    code: str = ""


@dataclass(frozen=True)
class Finished:
    """The task has ended."""

    state: TaskState = TaskState.SUCCEEDED
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)


Outcome = Continue | Wait | Ask | Finished


class TaskFailed(Exception):
    """The task cannot go on: one sentence for people, one code for programs."""

    def __init__(self, message: str, code: str = "failed") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class TryLater(Exception):
    """Something outside is not ready. Tried again after `seconds` (None: growing pauses), then the task fails."""

    def __init__(self, message: str, code: str = "unavailable", seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.seconds = seconds
