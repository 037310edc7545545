"""Going through a task on the command line, with or without a running worker."""

import time
from collections.abc import Callable

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from ocadmin.tasks import engine
from ocadmin.tasks.models import Task, TaskState
from ocadmin.tasks.monitor import NEXT_TASKS

LONGEST_LOOK = 1.0


def follow(task: Task, say: Callable[[str], object]) -> Task:
    """Take slices of it, and of the tasks that it leads, until it has ended; a worker may take some as well.

    `say` gets each step once. Raises CommandError where it asks something.
    """
    said = ""
    while task.alive:
        engine.advance(task.pk)
        task.refresh_from_db()
        line = task.message or task.step
        if line and line != said:
            say(line)
            said = line
        if task.state == TaskState.ASKING:
            raise CommandError(_("Task %(id)d waits for a decision; answer it on its page.") % {"id": task.pk})
        moved = _advance_led(task)
        if task.alive and not moved and not Task.objects.due().filter(pk=task.pk).exists():
            time.sleep(LONGEST_LOOK)  # a pause that the task asked for, or a worker has it
    return task


def _advance_led(task: Task) -> bool:
    """One slice of each task that it leads and that is due; whether there was any."""
    due = Task.objects.due().filter(pk__in=task.result.get(NEXT_TASKS, []))
    moved = [engine.advance(pk) for pk in due.values_list("pk", flat=True)]
    return any(moved)
