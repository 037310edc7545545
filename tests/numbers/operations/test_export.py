"""Preparing an export in the background: progress, a worker that dies, cancelling, who may have the file, and when."""

import os
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, Membership, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.exporting import csv_file, prepared, workbook
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.numbers.operations import export as background
from ocadmin.numbers.tasks import forget_exports
from ocadmin.numbers.views import export as views
from ocadmin.tasks import engine, services
from ocadmin.tasks.models import Task, TaskState
from ocadmin.tasks.run import Run
from tests.factories import CustomerFactory, PhoneNumberFactory, UserFactory, grant
from tests.numbers.exporting.files import body, rows_of, sheet

COUNT = 25
E164S = [f"+44207946{n:04d}" for n in range(COUNT)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and limits that 25 numbers exceed."""
    monkeypatch.setattr(background, "CHUNK", 10)
    monkeypatch.setattr(background, "PULSE_SECONDS", 0.0)
    monkeypatch.setattr(views, "WORKBOOK_AT_ONCE", 20)
    monkeypatch.setattr(settings.ENV, "export_task_rows", 20)


@pytest.fixture
def numbers(contoso: Customer) -> None:
    for e164 in E164S:
        PhoneNumberFactory(e164=e164, customer=contoso, calling_profile=None, note="=1")
    PhoneNumberFactory(e164="+49301234567")


def ordered(client: Client, query: str = "") -> Task:
    response = client.post(f"/numbers/export/?{query}")
    assert response.status_code == 302, response.content
    return Task.objects.get(pk=int(response["Location"].strip("/").split("/")[-1]))


def slices(task: Task, most: int = 50) -> Task:
    """A worker, until the task has ended."""
    for _slice in range(most):
        Task.objects.filter(pk=task.pk).update(next_run_at=timezone.now())
        engine.advance(task.pk)
        task.refresh_from_db()
        if not task.alive:
            break
    return task


def files(task: Task) -> prepared.Prepared:
    return prepared.Prepared(str(task.uid), task.params["suffix"])


def kept(task: Task) -> list[str]:
    return sorted(path.name for path in files(task).keys.parent.glob(f"{task.uid}*"))


def fetch(client: Client, task: Task) -> bytes:
    return body(client.get(f"/numbers/export/{task.pk}/"))


def test_csv(bob_client: Client, numbers: None) -> None:
    task = slices(ordered(bob_client, "sort=-e164&columns=country"))
    assert (task.state, task.total, task.done, task.succeeded) == (TaskState.SUCCEEDED, 25, 25, 25)
    assert task.message == "The file with 25 rows is ready."
    rows = rows_of(fetch(bob_client, task))
    assert [row["telephoneNumber"] for row in rows] == E164S[::-1]
    assert kept(task) == [f"{task.uid}.csv"]
    assert files(task).file.parent.stat().st_mode & 0o77 == 0


def test_workbook(bob_client: Client, numbers: None) -> None:
    task = slices(ordered(bob_client, "format=xlsx&which=all"))
    assert task.state == TaskState.SUCCEEDED
    header, *rows = sheet(fetch(bob_client, task))
    assert [row[0] for row in rows] == E164S
    assert {row[header.index("note")] for row in rows} == {"=1"}
    assert kept(task) == [f"{task.uid}.xlsx"]


def test_the_same_bytes_as_at_once(bob_client: Client, numbers: None) -> None:
    task = slices(ordered(bob_client, "which=all&sort=-e164"))
    assert fetch(bob_client, task) == body(bob_client.get("/numbers/export/?which=all&sort=-e164&direct=1"))


def test_a_long_list_is_asked_about_first(bob_client: Client, numbers: None) -> None:
    page = bob_client.get("/numbers/export/?sort=-e164&format=csv").content.decode()
    assert "Export 25 rows" in page
    assert "Prepare in the background" in page
    assert "direct=1" in page
    page = bob_client.get("/numbers/export/?format=xlsx&direct=1").content.decode()
    assert "Download as CSV" in page
    assert not Task.objects.exists()
    assert len(rows_of(body(bob_client.get("/numbers/export/?format=csv&direct=1")))) == 25
    assert bob_client.get("/numbers/export/?format=csv&q=0001").streaming


def test_more_rows_than_a_sheet_has(bob_client: Client, numbers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 24)
    for answer in (bob_client.get("/numbers/export/?format=xlsx"), bob_client.post("/numbers/export/?format=xlsx")):
        assert answer.status_code == 400
        assert "as CSV" in answer.content.decode()
    assert not Task.objects.exists()


def test_which_rows_is_fixed_when_it_is_asked(bob_client: Client, numbers: None, contoso: Customer) -> None:
    task = ordered(bob_client)
    PhoneNumber.objects.filter(e164=E164S[3]).delete()
    PhoneNumberFactory(e164="+442079469999", customer=contoso)
    slices(task)
    assert (task.succeeded, task.refused) == (24, 1)
    assert "1 number had left in the meantime and is not in it." in task.message
    found = [row["telephoneNumber"] for row in rows_of(fetch(bob_client, task))]
    assert found == [e164 for e164 in E164S if e164 != E164S[3]]


def test_progress_is_saved_chunk_by_chunk(bob_client: Client, numbers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "over", property(lambda _run: True))
    task = ordered(bob_client)
    engine.advance(task.pk)
    task.refresh_from_db()
    assert (task.state, task.done, task.percent) == (TaskState.RUNNING, 10, 40)
    assert task.cursor["position"] == 10
    assert "Writing rows" in bob_client.get(f"/tasks/{task.pk}/").content.decode()


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_worker_that_dies_anywhere(
    bob_client: Client, numbers: None, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Killed while it writes a chunk, and again before it saves the place: the next one cuts off what is too much."""
    monkeypatch.setattr(Run, "over", property(lambda _run: True))
    task = ordered(bob_client, f"format={suffix}")
    engine.advance(task.pk)
    before = files(task).part.read_bytes()
    with files(task).part.open("ab") as part:
        part.write(b"half a line, never saved")
    task.refresh_from_db()
    assert len(before) == task.cursor["size"]
    Task.objects.filter(pk=task.pk).update(lease_owner="dead", lease_until=timezone.now())
    slices(task)
    assert task.state == TaskState.SUCCEEDED
    data = fetch(bob_client, task)
    found = [row["telephoneNumber"] for row in rows_of(data)] if suffix == "csv" else [r[0] for r in sheet(data)][1:]
    assert found == E164S


def test_a_worker_that_dies_after_the_last_file_was_named(bob_client: Client, numbers: None) -> None:
    task = ordered(bob_client)
    run = Run(task, "")
    while run.cursor.get("position", 0) < COUNT:
        background.Export().step(run)
    files(task).part.replace(files(task).file)
    Task.objects.filter(pk=task.pk).update(cursor=run.cursor, succeeded=25, done=25, lease_until=None)
    assert slices(task).state == TaskState.SUCCEEDED
    assert len(rows_of(fetch(bob_client, task))) == 25


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_cancelled_in_the_middle(
    bob_client: Client, numbers: None, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(Run, "over", property(lambda _run: True))
    task = ordered(bob_client, f"format={suffix}")
    engine.advance(task.pk)
    assert "Cancel this task" in bob_client.get(f"/tasks/{task.pk}/").content.decode()
    bob_client.post(f"/tasks/{task.pk}/cancel/")
    slices(task)
    assert task.state == TaskState.CANCELLED
    assert task.message == "Stopped: 10 of 25 rows were written. The unfinished file was deleted."
    assert kept(task) == []
    assert bob_client.get(f"/numbers/export/{task.pk}/").status_code == 404


def test_cancelled_while_the_workbook_is_made(
    bob_client: Client, bob: User, numbers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = ordered(bob_client, "format=xlsx")
    real = workbook.write

    def cancelling(*given: object) -> None:
        services.cancel(Task.objects.filter(pk=task.pk), by=background.NOBODY, channel="web")
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(workbook, "write", cancelling)
    slices(task)
    assert task.state == TaskState.CANCELLED
    assert kept(task) == []


def test_the_file_is_for_the_person_who_asked(
    bob_client: Client, alice_client: Client, numbers: None, contoso: Customer
) -> None:
    task = slices(ordered(bob_client))
    page = bob_client.get(f"/tasks/{task.pk}/").content.decode()
    assert f'href="/numbers/export/{task.pk}/"' in page
    assert "Only you can download it, until" in page
    colleague = Client()
    colleague.force_login(grant(UserFactory(), Role.OPERATOR, customer=contoso))
    for other in (alice_client, colleague):
        assert other.get(f"/numbers/export/{task.pk}/").status_code == 404
    assert f"/numbers/export/{task.pk}/" not in alice_client.get(f"/tasks/{task.pk}/").content.decode()
    assert colleague.get(f"/tasks/{task.pk}/").status_code == 404
    assert Client().get(f"/numbers/export/{task.pk}/").status_code == 302
    assert bob_client.post(f"/numbers/export/{task.pk}/").status_code == 405
    assert bob_client.head(f"/numbers/export/{task.pk}/").status_code == 200


def test_downloads_are_in_the_audit_trail(bob_client: Client, numbers: None) -> None:
    task = slices(ordered(bob_client, "country=GB"))
    fetch(bob_client, task)
    export, download = (AuditEntry.objects.get(action=f"numbers.{name}") for name in ("export", "download"))
    assert (export.task_ref, export.after["rows"], export.after["filter"]) == (task.pk, 25, "country=GB")
    assert download.task_ref == task.pk


def test_a_permission_that_is_gone(bob_client: Client, bob: User, numbers: None) -> None:
    task = slices(ordered(bob_client))
    Membership.objects.filter(user=bob).delete()
    assert bob_client.get(f"/numbers/export/{task.pk}/").status_code == 403
    grant(bob, Role.OPERATOR, customer=CustomerFactory())
    assert bob_client.get(f"/numbers/export/{task.pk}/").status_code == 403
    grant(bob, Role.MONITOR)
    assert bob_client.get(f"/numbers/export/{task.pk}/").status_code == 200
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert bob_client.get(f"/numbers/export/{task.pk}/").status_code == 302


def test_a_permission_that_goes_before_it_is_done(bob_client: Client, bob: User, numbers: None) -> None:
    task = ordered(bob_client)
    Membership.objects.filter(user=bob).delete()
    slices(task)
    assert (task.state, task.error_code) == (TaskState.FAILED, "not_permitted")
    assert kept(task) == []


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_the_file_goes_after_its_time(bob_client: Client, numbers: None) -> None:
    task = slices(ordered(bob_client))
    age(files(task).file, 23.9)
    forget_exports()
    assert bob_client.get(f"/numbers/export/{task.pk}/").status_code == 200
    age(files(task).file, 24.1)
    answer = bob_client.get(f"/numbers/export/{task.pk}/")
    assert answer.status_code == 404
    assert "its time was over" in answer.content.decode()
    forget_exports()
    assert kept(task) == []
    page = bob_client.get(f"/tasks/{task.pk}/").content.decode()
    assert "The file was deleted" in page
    assert "Download the file" not in page


def test_rows_whose_list_was_deleted(bob_client: Client, numbers: None) -> None:
    task = ordered(bob_client)
    age(files(task).keys, 25)
    forget_exports()
    slices(task)
    assert (task.state, task.error_code) == (TaskState.FAILED, "expired")


def test_an_empty_list(bob_client: Client, contoso: Customer) -> None:
    task = slices(ordered(bob_client))
    assert task.state == TaskState.SUCCEEDED
    assert fetch(bob_client, task).startswith(csv_file.BOM + b"telephoneNumber,")
