"""The Celery side: three thin tasks around the engine."""

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from ocadmin.api import limits, once
from ocadmin.celery import NO_BROKER

from . import engine
from .models import Task

logger = logging.getLogger(__name__)

KEEP_FINISHED = timedelta(days=400)
LONGEST_COUNTDOWN_SECONDS = 30


@shared_task(name="ocadmin.tasks.advance")
def advance(task_id: int) -> None:
    """Run one slice of a task."""
    engine.advance(task_id)


@shared_task(name="ocadmin.tasks.nudge_due")
def nudge_due() -> None:
    """Nudge all tasks whose time has come; runs every few seconds."""
    engine.nudge_due()


@shared_task(name="ocadmin.tasks.tidy")
def tidy() -> None:
    """Delete what limits and keys keep, and tasks that finished more than a year ago. The audit trail stays."""
    limits.forget()
    once.forget()
    Task.objects.filter(finished_at__lt=timezone.now() - KEEP_FINISHED).delete()


def send_nudge(task_id: int, seconds: float) -> None:
    """Publish a nudge. Without a broker the task is picked up later by `nudge_due`, so this is no failure.

    A long pause is left to `nudge_due` from the start: a message that waits longer than the broker's visibility window
    would be delivered again and again.
    """
    if seconds > LONGEST_COUNTDOWN_SECONDS:
        return
    try:
        if seconds:
            advance.apply_async((task_id,), countdown=seconds, retry=False)
        else:
            advance.apply_async((task_id,), retry=False)
    except NO_BROKER as error:
        logger.warning("no broker to nudge task %s (%s): it starts when a worker looks for due tasks", task_id, error)
