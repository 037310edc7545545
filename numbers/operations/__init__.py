"""What may be done with numbers: one file per verb."""


def register() -> None:
    """Make every operation known to the task engine. Called once when the app is ready."""
    from ocadmin.tasks.registry import register as add

    from .sync import Sync

    add(Sync())
