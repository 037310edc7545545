"""The Celery side of the app: what the schedule starts."""

from celery import shared_task

from . import health, outstanding


@shared_task(name="sbc.ask_all")
def ask_all() -> None:
    """One round of asking the SBCs how they are."""
    health.ask_all()


@shared_task(name="sbc.push_outstanding")
def push_outstanding() -> None:
    """Start the tasks that write what reachable SBCs do not have yet, and save what was written."""
    outstanding.start_due()


@shared_task(name="sbc.forget_history")
def forget_history() -> None:
    """Delete the history of SBCs that is older than it is kept."""
    health.forget_old()
