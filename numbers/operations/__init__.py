"""What may be done with numbers: one file per verb."""

from .base import NumberOperation
from .removal import ApproveRemoval, ClearRemoval

# The verbs that work on a selection of numbers, in the order in which the screens offer them.
ON_NUMBERS: dict[str, NumberOperation] = {operation.kind: operation for operation in (ApproveRemoval(), ClearRemoval())}


def register() -> None:
    """Make every operation known to the task engine. Called once when the app is ready."""
    from ocadmin.tasks.registry import register as add

    from .sync import Sync

    add(Sync())
    for operation in ON_NUMBERS.values():
        add(operation)
