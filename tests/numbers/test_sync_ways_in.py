"""The ways into a synchronisation beside the button: the command line and the schedule."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ocadmin.numbers import tasks
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import Task, TaskState
from tests.sandbox_process import Sandbox

from . import passes

pytestmark = pytest.mark.django_db

TENANT = "3bc57cac-5794-457f-ad36-2c88cade9dbb"


def test_the_command_goes_through_the_task_and_says_what_was_found(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("sync")
    said = capsys.readouterr().out
    assert "Task " in said
    assert "418 new, 0 unchanged." in said
    assert PhoneNumber.objects.count() == 418


def test_the_command_can_leave_the_task_to_the_workers(sandbox: Sandbox) -> None:
    call_command("sync", no_wait=True)
    assert Task.objects.get().state == TaskState.QUEUED


def test_the_command_synchronises_one_customer(sandbox: Sandbox) -> None:
    passes.synchronise()
    PhoneNumber.objects.all().delete()
    call_command("sync", customer=TENANT)
    assert PhoneNumber.objects.count() == 10


@pytest.mark.parametrize("tenant", ["nonsense", "00000000-0000-0000-0000-000000000001"])
def test_the_command_refuses_an_unknown_customer(sandbox: Sandbox, tenant: str) -> None:
    with pytest.raises(CommandError, match=f"no customer with the tenant ID {tenant}"):
        call_command("sync", customer=tenant)
    assert not Task.objects.exists()


def test_the_command_fails_with_the_reason(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "client_id", "expired")
    with pytest.raises(CommandError, match="secret"):
        call_command("sync")


def test_the_command_does_not_start_a_second_pass(sandbox: Sandbox) -> None:
    task = passes.start()
    with pytest.raises(CommandError, match=f"already running as task {task.pk}"):
        call_command("sync")


def test_an_upstream_that_is_not_configured_is_named(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings.ENV, "operator_url", "")
    with pytest.raises(CommandError, match="OCADMIN_OPERATOR_URL"):
        call_command("sync")


def test_the_schedule_starts_a_pass_and_leaves_one_out_while_another_runs(sandbox: Sandbox) -> None:
    tasks.scheduled_sync()
    task = Task.objects.get()
    assert (task.channel, task.kind) == ("schedule", "sync")
    tasks.scheduled_sync()
    assert Task.objects.count() == 1
    assert passes.finish(task).state == TaskState.SUCCEEDED
    tasks.scheduled_sync()
    assert Task.objects.count() == 2


def test_the_schedule_follows_the_settings() -> None:
    assert settings.CELERY_BEAT_SCHEDULE["sync"]["schedule"] == settings.ENV.sync_minutes * 60
