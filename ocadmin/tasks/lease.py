"""Who holds a task. A lease ends by itself; that of a process that died on this machine is taken back at once."""

import os
import uuid
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from .models import Task, TaskState

LEASE = timedelta(seconds=60)


@cache
def _machine() -> str:
    """This boot of this machine and this process namespace; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When process `pid` started, in clock ticks since boot; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def new_owner() -> str:
    """A name for one holding of one task by this process, unique and good for `is_dead`."""
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid())}:{uuid.uuid4().hex[:12]}"


def is_dead(owner: str) -> bool:
    """True only when the owner ran on this machine and its process is gone. Unknown means False: the lease decides."""
    parts = owner.split(":")
    if len(parts) != 4 or not parts[0] or parts[0] != _machine() or not parts[2]:
        return False
    return _started(int(parts[1])) != parts[2]


def take(task_id: int, owner: str) -> Task | None:
    """Take a due task. None when it is not due, or somebody else was quicker.

    A holder that never gave the task back died with it: that is counted.
    """
    now = timezone.now()
    taken = (
        Task.objects.filter(pk=task_id)
        .due()
        .update(
            losses=Case(When(lease_owner="", then=F("losses")), default=F("losses") + 1),
            lease_owner=owner,
            lease_until=now + LEASE,
            heartbeat_at=now,
            started_at=Coalesce(F("started_at"), Value(now)),
            slices=F("slices") + 1,
            state=Case(
                When(state=TaskState.CANCELLING, then=Value(TaskState.CANCELLING)), default=Value(TaskState.RUNNING)
            ),
        )
    )
    return Task.objects.get(pk=task_id) if taken else None


def free_the_dead() -> int:
    """End the leases of processes that are gone, so that their tasks go on at once. Returns how many."""
    held = Task.objects.alive().filter(lease_until__gt=timezone.now()).exclude(lease_owner="")
    freed = 0
    for pk, owner in held.values_list("pk", "lease_owner"):
        if is_dead(owner):
            freed += Task.objects.filter(pk=pk, lease_owner=owner).update(lease_until=timezone.now())
    return freed
