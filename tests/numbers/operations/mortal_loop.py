"""kill -9 of a worker at every step of an operation, one step after the other (started by mortal.py).

A forked worker kills itself before and after every HTTP request and every commit: at the first such moment, then at the
second (or as many later as mortal.py is told) … until one lives to the end. Each time another worker takes over, and
what then stands in all three places is checked.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.environment import use_sandbox
from ocadmin.numbers.models import CallingProfile, Customer, NumberImport, PhoneNumber, ReleasedNumber, UpstreamJob
from ocadmin.tasks import engine, lease, run
from ocadmin.tasks.models import ItemState, Task, TaskItem, TaskState
from sbc.models import SBC, DialPlanRule
from tests.numbers.operations import mortal_kinds
from tests.numbers.world import World
from tests.sandbox_process import Sandbox

MOST = 200
run.SQLITE_PAUSE_SECONDS = 0.0


class Life:
    """Counts moments and ends this process, as kill -9 would, at one of them."""

    def __init__(self, moments: int) -> None:
        self.left = moments

    def moment(self) -> None:
        """One step further."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def guard(self, owner: Any, name: str) -> None:
        """Moments before and after each call of a method."""
        plain = getattr(owner, name)

        def mortal(*args: Any, **more: Any) -> Any:
            self.moment()
            answer = plain(*args, **more)
            self.moment()
            return answer

        setattr(owner, name, mortal)


def work(task_id: int) -> None:
    """Slices until the task has ended, due or not, and of those that it leads: as a worker without pauses."""
    lease.free_the_dead()
    for _slice in range(100):
        for pk in Task.objects.alive().order_by("-pk").values_list("pk", flat=True):
            Task.objects.filter(pk=pk).update(next_run_at=timezone.now())
            engine.advance(pk)
        if not Task.objects.get(pk=task_id).alive:
            return
    raise AssertionError(f"the task did not end: {Task.objects.get(pk=task_id).message}")


def die_in_a_fork(task_id: int, moments: int) -> bool:
    """Whether the worker was killed; False when it came to the end first."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        life = Life(moments)
        life.guard(httpx2.Client, "send")
        life.guard(run.Run, "_save")  # just before the end of each fenced transaction
        life.guard(engine, "_give_back")
        status = 1
        try:
            work(task_id)
            status = 0
        finally:
            os._exit(status)
    _pid, how = os.waitpid(pid, 0)
    if os.WIFSIGNALED(how):
        assert os.WTERMSIG(how) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(how) == 0, "the worker failed by itself"
    return False


def empty() -> None:
    """No rows of ours."""
    for model in (AuditEntry, TaskItem, UpstreamJob, Task, ReleasedNumber, PhoneNumber, DialPlanRule):
        model.objects.all()._raw_delete(model.objects.db)
    NumberImport.objects.all().delete()
    Customer.objects.all().delete()
    CallingProfile.objects.all().delete()
    SBC.objects.all().delete()


def main(kind: str, folder: Path, every: int) -> None:
    """Write the number of moments at which a worker was killed to standard output."""
    call_command("migrate", verbosity=0)
    sandbox = Sandbox(folder / "sandbox")
    prepare: Callable[[World], Task]
    check: Callable[[World, Task], None]
    prepare, check = mortal_kinds.KINDS[kind]
    try:
        use_sandbox(settings.ENV, sandbox.url)
        state = sandbox.state()
        settings.ENV.operator_id, settings.ENV.entra_tenant = state["operatorId"], state["directoryTenantId"]
        settings.ENV.client_id, settings.ENV.client_secret = "console", "sandbox-only-secret"
        settings.ENV.job_size = 2
        for moments in range(1, MOST, every):
            sandbox.reset("demo")
            empty()
            world = World(sandbox)
            task = prepare(world)
            killed = die_in_a_fork(task.pk, moments)
            if killed:
                work(task.pk)
            task.refresh_from_db()
            assert task.state == TaskState.SUCCEEDED, (moments, task.state, task.message)
            assert not task.items.exclude(state=ItemState.SUCCEEDED).exists(), moments
            check(world, task)
            if not killed:
                sys.stdout.write(json.dumps({"moments": moments - 1}) + "\n")
                return
    finally:
        sandbox.stop()
    raise AssertionError("there is no end")
