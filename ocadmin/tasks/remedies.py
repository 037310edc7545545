"""What may still be done about a task, or with what it made, besides cancelling it.

The rooms above say it for their kinds of tasks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.functional import Promise

from ocadmin.access.principal import Principal

from .models import Task


@dataclass(frozen=True)
class Remedy:
    """A button on the page of a task, which posts `fields` to `url`; or a link to it, where it only gives something.

    `note` stands beside it. Without a `url` there is only the note.
    """

    label: str | Promise
    url: str
    fields: dict[str, str] = field(default_factory=dict)
    icon: str = "undo-2"
    link: bool = False
    note: str = ""


Finder = Callable[[Task, Principal], Remedy | None]
_finders: dict[str, list[Finder]] = {}


def register(kind: str, find: Finder) -> None:
    """`find` tells what may be done about a task of a kind now, by this principal; None for nothing."""
    _finders.setdefault(kind, []).append(find)


def remedy(task: Task, principal: Principal) -> Remedy | None:
    """What may be done about the task, the first that applies; None for nothing."""
    return next(filter(None, (find(task, principal) for find in _finders.get(task.kind, ()))), None)
