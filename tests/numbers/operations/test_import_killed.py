"""A check and an import that are cut off: by kill -9 at every step, and by people who cancel them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from ocadmin.access.models import User
from ocadmin.access.services import principal_of
from ocadmin.numbers.models import ImportState, Mode, PhoneNumber
from ocadmin.numbers.operations.imports import check, start_check, start_import
from ocadmin.tasks import services
from ocadmin.tasks.models import Task, TaskState
from tests.factories import PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.imports import checked, confirmed, keep, run, sheet
from tests.numbers.world import World

from .uploads import place

__all__ = ["place"]
pytestmark = pytest.mark.django_db

KNOWN = "+442079460500"
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "every", "least"), [("import-check", 1, 10), ("import", 11, 120)])
def test_a_worker_may_die_at_any_step(operation: str, every: int, least: int) -> None:
    command = [sys.executable, "-m", "tests.numbers.operations.mortal", operation, str(every)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["moments"] >= least


def test_a_cancelled_check_leaves_nothing_and_can_be_made_again(
    alice: User, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "CHUNK", 2)
    monkeypatch.setattr("ocadmin.tasks.run.SLICE_SECONDS", 0.0)
    PhoneNumberFactory(e164=KNOWN)
    batch = keep(sheet(["telephoneNumber", "note"], [KNOWN, "Desk"], ["x", ""], ["y", ""]), alice, mode=Mode.UPDATE)
    task = start_check(batch, by=principal_of(alice), channel="csv")
    passes.advance(task)
    assert batch.rows.count() == 2
    services.cancel(Task.objects.filter(pk=task.pk), by=principal_of(alice), channel="web")
    passes.finish(task)
    batch.refresh_from_db()
    assert (task.state, task.message) == (TaskState.CANCELLED, "The check was cancelled. Nothing has been changed.")
    assert batch.state == ImportState.UNUSABLE
    page = alice_client.get(f"/numbers/import/{batch.pk}/").content.decode()
    assert page.count("Nothing has been changed.") == 1
    assert "Check again" in page
    alice_client.post(f"/numbers/import/{batch.pk}/check/")
    batch.refresh_from_db()
    passes.finish(Task.objects.get(pk=batch.check_ref))
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == (ImportState.READY, {"changed": 1, "refused": 2})


def test_an_import_that_is_cancelled_at_once_says_that_nothing_was_done(
    world: World, alice: User, alice_client: Client
) -> None:
    world.numbers(1)
    batch = checked(sheet(["telephoneNumber", "note"], [KNOWN, "Desk"]), alice)
    task = start_import(batch, whole=False, by=principal_of(alice), channel="csv", ticket="", comment="")
    alice_client.post(f"/tasks/{task.pk}/cancel/")
    run(task)
    assert (task.state, task.message) == (TaskState.CANCELLED, "Cancelled before anything was changed.")
    assert PhoneNumber.objects.get().note == ""
    # The file is still there, and can be checked and imported.
    answer = alice_client.post(f"/numbers/import/{batch.pk}/check/")
    assert answer.status_code == 302
    batch.refresh_from_db()
    passes.finish(Task.objects.get(pk=batch.check_ref))
    batch.refresh_from_db()
    assert (batch.state, batch.counts, batch.task_ref) == (ImportState.READY, {"changed": 1}, None)
    assert confirmed(batch, alice).succeeded == 1


def test_an_import_that_is_cancelled_while_its_tasks_run_says_how_much_was_done(place: World, alice: User) -> None:
    place.numbers(1)
    place.sandbox.call("PUT", "/state", {"durations": 60})
    headers = ["telephoneNumber", "msTenantId", "usage", "allowTenantAddressUpdate", "note"]
    new = [str(place.customer.tenant_id), "CallingUserAssignment", "true", "Later"]
    content = sheet(headers, [KNOWN, "", "", "", "Desk"], *([f"+44207946070{n}", *new] for n in range(3)))
    batch = checked(content, alice)
    assert batch.counts == {"changed": 1, "new": 3}, list(batch.rows.values_list("problems", flat=True))
    task = start_import(batch, whole=False, by=principal_of(alice), channel="csv", ticket="", comment="")
    for _slice in range(4):
        for one in Task.objects.alive().order_by("-pk"):
            passes.advance(one)
    task.refresh_from_db()
    assert (task.state, task.step) == (TaskState.WAITING, "Writing notes and tags")
    assert place.posts("/uploads")
    services.cancel(Task.objects.filter(pk=task.pk), by=principal_of(alice), channel="web")
    for one in Task.objects.alive().order_by("-pk"):
        passes.advance(one)
    task.refresh_from_db()
    assert (task.state, task.message) == (TaskState.CANCELLING, "The tasks of this import are being cancelled.")
    upload = Task.objects.get(kind="upload")
    assert upload.state == TaskState.CANCELLING  # Microsoft is at work, and this is followed to its end
    place.sandbox.call("POST", "/clock/advance", {"seconds": 24 * 3600})
    run(task)
    assert task.state == TaskState.CANCELLED
    assert task.message == "Cancelled: 4 changes of 7 were made; the tasks below say which."
    assert (task.succeeded, PhoneNumber.objects.count()) == (4, 4)
    assert not Task.objects.alive().exists()
