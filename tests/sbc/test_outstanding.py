"""What a device does not have yet is written by a task: by the schedule or by a person, and what it survives."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from ocadmin.access.permissions import Role
from ocadmin.tasks import engine
from ocadmin.tasks.models import Task, TaskState
from sbc import health, outstanding, services
from sbc.models import SBC, DialPlanRule, State
from tests.factories import SBCFactory, UserFactory, grant

from .bench import MINE, PREFIXES, Bench, once


class Killed(BaseException):
    """The worker is killed here: nothing of its own runs after that."""


@pytest.fixture
def bench(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """With three rules to be written; a lost connection is not tried again within a slice."""
    monkeypatch.setattr("sbc.device.TRIES", 1)
    services.want(bench.sbc, MINE)
    return bench


def scheduled() -> Task | None:
    """What the schedule starts now."""
    return Task.objects.latest("pk") if outstanding.start_due() else None


def advance(task: Task) -> Task:
    """A slice, due or not; the lease of a killed worker has ended."""
    now = timezone.now()
    Task.objects.filter(pk=task.pk).update(next_run_at=now, lease_until=None)
    engine.advance(task.pk)
    task.refresh_from_db()
    return task


def start(bench: Bench) -> Task:
    task = scheduled()
    assert task is not None
    return task


def succeeds(bench: Bench, task: Task) -> None:
    """The rules are there and survive a restart; nothing is outstanding."""
    assert advance(task).state == TaskState.SUCCEEDED, task.message
    bench.control(restart=True)
    assert bench.rules() == MINE
    assert not outstanding.todo(SBC.objects.get(pk=bench.sbc.pk))
    assert scheduled() is None


def test_the_schedule_writes_what_is_wanted_and_removes_what_is_not(bench: Bench) -> None:
    services.push(bench.sbc, PREFIXES)
    services.unwant(bench.sbc, PREFIXES[:1])
    DialPlanRule.objects.filter(prefix=PREFIXES[1]).update(present=None)
    task = advance(start(bench))
    assert (task.state, task.succeeded, task.channel) == (TaskState.SUCCEEDED, 2, "schedule")
    assert task.message == "2 rules were written or removed, and the configuration is saved."
    assert bench.rules("saved") == MINE[1:]
    messages = dict(task.items.values_list("key", "message"))
    assert messages == {PREFIXES[0]: "Its rule is off US SP1 SBC.", PREFIXES[1]: "Its rule is on US SP1 SBC."}
    assert scheduled() is None


def test_some_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outstanding, "CHUNK", 2)
    succeeds(bench, start(bench))
    assert Task.objects.get().succeeded == 3


def test_one_task_per_sbc(bench: Bench) -> None:
    assert scheduled() is not None
    assert scheduled() is None
    assert Task.objects.count() == 1


def test_rules_of_another_plan_are_left_alone(bench: Bench) -> None:
    DialPlanRule.objects.update(dial_plan="Other")
    assert scheduled() is None


@pytest.mark.parametrize("state", [State.OFFLINE, State.BAD_LOGIN, State.HA_SYNC])
def test_an_sbc_that_cannot_be_written_is_left_alone(bench: Bench, state: State) -> None:
    SBC.objects.update(state=state)
    assert scheduled() is None
    SBC.objects.update(state=State.DEGRADED)
    assert scheduled() is not None


# The failures of upstreams.md §9.7


def test_offline_before(bench: Bench) -> None:
    task = start(bench)
    bench.control(online=False)
    assert advance(task).state == TaskState.WAITING
    assert "Waiting for the SBC. US SP1 SBC: it could not be reached" in task.message
    assert task.next_run_at > timezone.now()
    bench.control(online=True)
    succeeds(bench, task)


@pytest.mark.parametrize("at", ["write", "save"])
def test_offline_during(bench: Bench, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    write = {"cli_incremental": "run_script", "csv_file": "put_plan"}[bench.sbc.write_strategy]
    once(monkeypatch, write if at == "write" else at, lambda: bench.control(online=False) and None)
    task = start(bench)
    assert advance(task).state == TaskState.WAITING
    bench.control(online=True)
    succeeds(bench, task)


def test_offline_after(bench: Bench) -> None:
    task = advance(start(bench))
    bench.control(online=False)
    health.ask_all()
    assert (task.state, scheduled()) == (TaskState.SUCCEEDED, None)
    assert bench.known() == dict.fromkeys(PREFIXES, (True, True))


def test_slow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "http_timeout", 0.2)
    bench.control(hang=0.6)
    task = advance(start(bench))
    assert (task.state, "no answer came within" in task.message) == (TaskState.WAITING, True)
    monkeypatch.setattr(settings.ENV, "http_timeout", 20)
    bench.control(hang=0)
    succeeds(bench, task)


def test_busy_as_long_as_the_device_says(bench: Bench) -> None:
    bench.control(haSync=True)
    task = advance(start(bench))
    assert (task.state, SBC.objects.get().state) == (TaskState.WAITING, State.HA_SYNC)
    assert timezone.now() < task.next_run_at <= timezone.now() + timedelta(seconds=10)
    bench.control(haSync=False)
    succeeds(bench, task)


@pytest.mark.parametrize(("user", "code"), [("nobody", "sbc_bad_credentials"), ("monitor", "sbc_low_privilege")])
def test_a_refused_login_is_not_tried_again_by_itself(bench: Bench, user: str, code: str) -> None:
    SBC.objects.update(username=user)
    task = advance(start(bench))
    assert (task.state, task.error_code) == (TaskState.FAILED, code)
    asked = len(bench.asked())
    Task.objects.update(finished_at=timezone.now() - timedelta(days=1))
    assert scheduled() is None
    assert health.ask_all() == 0
    assert len(bench.asked()) == asked


def test_a_full_table_and_a_missing_plan_are_left_alone_for_a_while(cli_bench: Bench) -> None:
    services.want(cli_bench.sbc, MINE)
    cli_bench.control(capacity=2)
    task = scheduled()
    assert task is not None
    assert (advance(task).state, task.error_code) == (TaskState.FAILED, "sbc_table_full")
    assert cli_bench.rules() == []
    assert scheduled() is None
    Task.objects.update(finished_at=timezone.now() - outstanding.AGAIN_AFTER - timedelta(seconds=1))
    cli_bench.control(deletePlan="OCDialPlan")
    task = scheduled()
    assert task is not None
    assert (advance(task).state, task.error_code) == (TaskState.FAILED, "sbc_plan_missing")


@pytest.mark.parametrize("at", ["status", "save"])
def test_the_worker_is_killed_between_writing_and_saving(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def kill() -> None:
        raise Killed

    task = start(bench)
    once(monkeypatch, at, kill)
    with pytest.raises(Killed):
        advance(task)
    assert (bench.rules(), bench.rules("saved")) == (MINE, [])
    succeeds(bench, task)


def test_what_somebody_else_left_unsaved_by_a_push_that_died_is_saved_by_the_schedule(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an upload, say: its rules are there, nobody comes back for them, and the flash is behind."""

    def kill() -> None:
        raise Killed

    once(monkeypatch, "save", kill)
    with pytest.raises(Killed):
        services.push(bench.sbc, PREFIXES)
    DialPlanRule.objects.update(present=True)
    assert outstanding.todo(SBC.objects.get()).save
    task = start(bench)
    assert advance(task).state == TaskState.SUCCEEDED
    bench.control(restart=True)
    assert bench.rules() == MINE
    assert not SBC.objects.get().save_pending


def test_restart_without_save_writes_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    once(monkeypatch, "save", lambda: bench.control(restart=True) and None)
    bench.fault("POST", "/actions/saveConfiguration", status=503)
    task = advance(start(bench))
    assert task.state == TaskState.WAITING
    succeeds(bench, task)


def test_a_change_that_is_not_ours_is_not_saved_by_the_schedule(bench: Bench) -> None:
    services.push(bench.sbc, PREFIXES)
    bench.by_hand("dial-plan-rule 90 name hand prefix +99 tag other")
    health.ask_all()
    row = SBC.objects.get()
    assert (row.state, row.save_needed, row.save_pending) == (State.SAVE_NEEDED, True, False)
    assert scheduled() is None


def test_a_hand_edit_between_looking_and_writing_survives(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    look = {"cli_incremental": "show", "csv_file": "read_plan"}[bench.sbc.write_strategy]
    edit = "dial-plan-rule 90 name hand prefix +99 tag other"

    def before_the_second_look() -> None:
        once(monkeypatch, look, lambda: bench.by_hand(edit))

    once(monkeypatch, look, before_the_second_look)
    assert advance(start(bench)).state == TaskState.SUCCEEDED
    assert [rule.prefix for rule in bench.rules("saved")] == [*PREFIXES, "+99"]


def test_two_sbcs_of_which_one_fails(bench: Bench) -> None:
    other = SBCFactory(rest_url="http://127.0.0.1:9", username="oc", sealed_password=bench.sbc.sealed_password)
    services.want(other, MINE)
    assert outstanding.start_due() == 2
    bad, good = sorted(Task.objects.all(), key=lambda task: task.params["sbc"] == bench.sbc.pk)
    assert advance(bad).state == TaskState.WAITING
    assert advance(good).state == TaskState.SUCCEEDED
    assert bench.rules("saved") == MINE


def test_cancelled_says_what_stays(bench: Bench) -> None:
    task = start(bench)
    Task.objects.update(state=TaskState.CANCELLING)
    assert advance(task).state == TaskState.CANCELLED
    assert "the rest stays outstanding" in task.message


def test_the_sbc_was_deleted(cli_bench: Bench) -> None:
    services.want(cli_bench.sbc, MINE)
    task = scheduled()
    assert task is not None
    SBC.objects.all().delete()
    assert (advance(task).state, task.error_code) == (TaskState.FAILED, "sbc_gone")


# By hand


def shown(client: Client, url: str) -> str:
    return client.get(url).context["shown"]


def test_written_by_hand_after_the_plan(cli_bench: Bench, alice_client: Client) -> None:
    services.want(cli_bench.sbc, MINE)
    services.unwant(cli_bench.sbc, ["+449"])
    url = f"/sbcs/{cli_bench.sbc.pk}/write/"
    assert "Write what is outstanding…" in alice_client.get(f"/sbcs/{cli_bench.sbc.pk}/").content.decode()
    plan = alice_client.get(url)
    assert (plan.context["todo"].write, plan.context["todo"].remove) == (3, 1)
    services.unwant(cli_bench.sbc, PREFIXES[:1])
    late = alice_client.post(url, {"shown": plan.context["shown"]})
    assert (late.status_code, Task.objects.count()) == (409, 0)
    answer = alice_client.post(url, {"shown": shown(alice_client, url)})
    task = Task.objects.get()
    assert answer.headers["Location"] == f"/tasks/{task.pk}/"
    again = alice_client.post(url, {"shown": shown(alice_client, url)})
    assert again.headers["Location"] == f"/tasks/{task.pk}/"
    assert advance(task).state == TaskState.SUCCEEDED
    assert cli_bench.rules("saved") == MINE[1:]
    assert "Nothing is outstanding on this SBC." in alice_client.get(url).content.decode()
    assert alice_client.post(url, {"shown": shown(alice_client, url)}).status_code == 409


def test_saved_by_hand_after_saying_whose_it_is(cli_bench: Bench, alice_client: Client) -> None:
    cli_bench.by_hand("dial-plan-rule 90 name hand prefix +99 tag other")
    health.ask_all()
    services.want(cli_bench.sbc, MINE)
    url = f"/sbcs/{cli_bench.sbc.pk}/save/"
    assert "Somebody else has changed the configuration, not the console." in alice_client.get(url).content.decode()
    alice_client.post(url, {"shown": shown(alice_client, url)})
    task = advance(Task.objects.get())
    assert (task.state, task.message) == (TaskState.SUCCEEDED, "The configuration is saved.")
    assert [rule.prefix for rule in cli_bench.rules("saved")] == ["+99"]
    assert SBC.objects.get().state == State.ONLINE


@pytest.mark.parametrize("act", ["write", "save"])
def test_who_may_write(bob_client: Client, act: str) -> None:
    sbc = SBCFactory()
    monitor, operator = Client(), Client()
    monitor.force_login(grant(UserFactory(), Role.MONITOR))
    operator.force_login(grant(UserFactory(), Role.OPERATOR))
    url = f"/sbcs/{sbc.pk}/{act}/"
    assert [who.get(url).status_code for who in (operator, monitor, bob_client)] == [200, 403, 404]
    assert [who.post(url).status_code for who in (operator, monitor, bob_client)] == [409, 403, 404]
