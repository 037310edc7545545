"""What goes wrong with a device (upstreams.md §9.7, F20 to F24), and that the next push finishes the work."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from ocadmin.tasks import lease
from sbc import push, services
from sbc.device import Device
from sbc.dialplan import Rule
from sbc.errors import (
    BadAnswer,
    BadCredentials,
    Busy,
    LowPrivilege,
    NotVerified,
    Offline,
    PlanMissing,
    Rejected,
    SBCError,
    TableFull,
    TimedOut,
)
from sbc.models import SBC
from sbc.services import Pushed
from sbc.strategies import STRATEGIES
from sbc.writer import only_writer

from .bench import MINE, PREFIXES, Bench, once


class Crash(Exception):
    """The worker dies here."""


def fails(bench: Bench, error: type[SBCError], sentence: str, *, online: bool | None = True) -> SBCError:
    """A push that fails in this way; the SBC's row tells it, and the lock is free again."""
    with pytest.raises(error, match=sentence) as caught:
        services.push(bench.sbc, PREFIXES)
    row = SBC.objects.get(pk=bench.sbc.pk)
    assert (row.online, row.problem, row.writer) == (online, caught.value.message, "")
    return caught.value


def finishes(bench: Bench) -> None:
    """The next push does what is left: the rules are there and survive a restart."""
    services.push(bench.sbc, PREFIXES)
    bench.control(restart=True)
    assert bench.rules() == MINE
    assert bench.known() == dict.fromkeys(PREFIXES, (True, True))
    row = SBC.objects.get(pk=bench.sbc.pk)
    assert (row.online, row.problem, row.save_pending) == (True, "", False)


@pytest.fixture
def bench(bench: Bench) -> Bench:
    """With three rules to be written."""
    services.want(bench.sbc, MINE)
    return bench


def test_offline_before(bench: Bench) -> None:
    bench.control(online=False)
    error = fails(bench, Offline, "could not be reached", online=False)
    assert error.retryable
    assert bench.known()[PREFIXES[0]] == (True, None)
    bench.control(online=True)
    finishes(bench)


def test_no_device_at_the_address(bench: Bench) -> None:
    address = bench.sbc.rest_url
    bench.sbc.rest_url = "http://127.0.0.1:9/sbc"
    fails(bench, Offline, "could not be reached", online=False)
    bench.sbc.rest_url = address
    finishes(bench)


@pytest.mark.parametrize("at", ["write", "save"])
def test_offline_during(bench: Bench, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    write = {"cli_incremental": "run_script", "csv_file": "put_plan"}[bench.sbc.write_strategy]
    once(monkeypatch, write if at == "write" else at, lambda: bench.control(online=False) and None)
    fails(bench, Offline, "could not be reached", online=False)
    assert not any(present for _wanted, present in bench.known().values())
    bench.control(online=True)
    finishes(bench)


def test_the_answer_to_a_write_is_lost_and_the_write_is_not_sent_twice(bench: Bench) -> None:
    path = {"cli_incremental": "/files/cliScript", "csv_file": "/files/dialplan"}[bench.sbc.write_strategy]
    skip = 2 if bench.sbc.write_strategy == "cli_incremental" else 0  # two looks, then the script
    rule = {"match": {"mount": "sbc", "method": "PUT", "path": path}, "action": {"drop": "after_commit"}}
    bench.sandbox.call("POST", "/faults", {**rule, "times": 1, "after": skip})
    fails(bench, Offline, "could not be reached", online=False)
    assert (bench.rules(), bench.rules("saved")) == (MINE, [])
    assert SBC.objects.get(pk=bench.sbc.pk).save_pending
    assert services.push(bench.sbc, PREFIXES) == Pushed(unchanged=3)
    finishes(bench)


def test_a_lost_connection_while_reading_is_tried_again(bench: Bench) -> None:
    path = {"cli_incremental": ("PUT", "/files/cliScript"), "csv_file": ("GET", "/files/dialplan")}
    bench.fault(*path[bench.sbc.write_strategy], drop="before")
    bench.fault("GET", "/status", drop="before")
    finishes(bench)


def test_slow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "http_timeout", 0.2)
    bench.control(hang=0.6)
    error = fails(bench, TimedOut, "no answer came within 0.2 seconds", online=False)
    assert error.retryable
    monkeypatch.setattr(settings.ENV, "http_timeout", 20)
    bench.control(hang=0)
    finishes(bench)


def test_a_wrong_password_is_not_tried_again(bench: Bench) -> None:
    bench.sbc.set_password("not the password")
    error = fails(bench, BadCredentials, "does not accept our user name and password")
    assert not error.retryable
    assert len(bench.asked()) == 1


def test_a_user_who_may_only_look(bench: Bench) -> None:
    bench.sbc.username = "monitor"
    error = fails(bench, LowPrivilege, "may not do this")
    assert not error.retryable
    assert bench.rules() == []


def test_ha_synchronisation(bench: Bench) -> None:
    bench.control(haSync=True)
    error = fails(bench, Busy, "HA synchronization is in progress")
    assert (error.retryable, error.retry_after) == (True, 10)
    bench.control(haSync=False)
    finishes(bench)


def test_the_dial_plan_is_missing(bench: Bench) -> None:
    bench.control(deletePlan="OCDialPlan")
    error = fails(bench, PlanMissing, "it has no dial plan OCDialPlan")
    assert not error.retryable


def test_our_capacity_is_full_and_nothing_is_written(bench: Bench) -> None:
    bench.sbc.max_rules = 3
    fails(bench, TableFull, "it holds 1 rules, 3 more are to be written, there is room for 3")
    assert (bench.rules(), SBC.objects.get(pk=bench.sbc.pk).save_pending) == ([], False)
    bench.sbc.max_rules = 4
    finishes(bench)


def test_the_device_is_full_and_nothing_is_written(bench: Bench) -> None:
    bench.control(capacity=3)
    fails(bench, TableFull, "table is full")
    assert bench.rules() == []
    bench.control(capacity=4)
    finishes(bench)


def test_rules_can_go_from_a_table_that_is_too_full(bench: Bench) -> None:
    services.push(bench.sbc, PREFIXES)
    bench.sbc.max_rules = 1
    services.unwant(bench.sbc, PREFIXES[:1])
    assert services.push(bench.sbc, PREFIXES) == Pushed(removed=1, unchanged=2)


def test_a_web_page_instead_of_an_answer(bench: Bench) -> None:
    bench.fault("GET", "/status", status=502, body="<html><b>Bad gateway</b></html>", contentType="text/html")
    error = fails(bench, BadAnswer, "status 502, Bad gateway")
    assert error.retryable
    finishes(bench)


def test_a_hand_edit_between_looking_and_writing_survives(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first free index is taken, and a rule is added that a file read before would not have."""
    look = {"cli_incremental": "show", "csv_file": "read_plan"}[bench.sbc.write_strategy]
    original = getattr(Device, look)
    looks: list[str] = []

    def edited_after_the_first(device: Device, *args: str) -> object:
        looks.append(look)
        found = original(device, *args)
        if len(looks) == 1:
            bench.by_hand("dial-plan-rule 1 name hand prefix +99 tag other")
        return found

    monkeypatch.setattr(Device, look, edited_after_the_first)
    assert services.push(bench.sbc, PREFIXES) == Pushed(added=3)
    assert bench.rules() == [*MINE, Rule("+99", "hand", "other")]


def test_a_hand_edit_while_our_rules_are_worked_in_survives(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long plan that takes a while: it is done before the last look."""
    kind = bench.sbc.write_strategy
    original = STRATEGIES[kind]
    times: list[str] = []

    def edited_the_first_time(*args: Any) -> list[bytes]:
        times.append(kind)
        pieces = original.prepare(*args)
        if len(times) == 1:
            bench.by_hand("dial-plan-rule 1 name hand prefix +99 tag other")
        return pieces

    monkeypatch.setitem(STRATEGIES, kind, replace(original, prepare=edited_the_first_time))
    services.want(bench.sbc, MINE)
    assert services.push(bench.sbc, PREFIXES) == Pushed(added=3)
    assert bench.rules("saved") == [*MINE, Rule("+99", "hand", "other")]
    assert len(times) == 2


def test_a_hand_edit_that_makes_a_script_senseless(cli_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    edit = f"dial-plan-rule 9 name hand prefix {PREFIXES[0]} tag other"
    services.want(cli_bench.sbc, MINE)
    once(monkeypatch, "run_script", lambda: cli_bench.by_hand(edit))
    services.push(cli_bench.sbc, PREFIXES)
    assert cli_bench.rules("saved") == MINE


def test_somebody_who_edits_all_the_time_is_left_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    look = {"cli_incremental": "show", "csv_file": "read_plan"}[bench.sbc.write_strategy]
    original = getattr(Device, look)
    edits: list[int] = []

    def edited_after_each(device: Device, *args: str) -> object:
        found = original(device, *args)
        edits.append(len(edits))
        bench.by_hand(f"dial-plan-rule {100 + len(edits)} name hand prefix +99{len(edits)} tag other")
        return found

    monkeypatch.setattr(Device, look, edited_after_each)
    fails(bench, Busy, "is being edited by somebody else")
    assert len(edits) == 2 * push.HAND_EDITS


@pytest.mark.parametrize("at", ["status", "save"])
def test_a_crash_between_writing_and_saving(bench: Bench, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def crash() -> None:
        raise Crash

    once(monkeypatch, at, crash)
    with pytest.raises(Crash):
        services.push(bench.sbc, PREFIXES)
    assert (bench.rules(), bench.rules("saved")) == (MINE, [])
    assert SBC.objects.get(pk=bench.sbc.pk).save_pending
    assert not any(present for _wanted, present in bench.known().values())
    assert services.push(bench.sbc, PREFIXES) == Pushed(unchanged=3)
    finishes(bench)


def test_a_crash_and_then_a_restart_of_the_device(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> None:
        raise Crash

    once(monkeypatch, "save", crash)
    with pytest.raises(Crash):
        services.push(bench.sbc, PREFIXES)
    bench.control(restart=True)
    assert bench.rules() == []
    assert services.push(bench.sbc, PREFIXES) == Pushed(added=3)
    finishes(bench)


def test_a_restart_between_writing_and_saving_is_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    once(monkeypatch, "status", lambda: bench.control(restart=True) and None)
    error = fails(bench, NotVerified, "3 rules are not as written, such as the one for")
    assert error.retryable
    finishes(bench)


def test_saving_that_does_not_save_is_noticed(bench: Bench) -> None:
    bench.fault("POST", "/actions/saveConfiguration", status=200, body="{}")
    fails(bench, NotVerified, "its configuration is still not saved")
    assert not any(present for _wanted, present in bench.known().values())
    finishes(bench)


def test_a_write_that_does_not_write_is_noticed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = {"cli_incremental": "run_script", "csv_file": "put_plan"}[bench.sbc.write_strategy]
    with monkeypatch.context() as patch:
        patch.setattr(Device, writes, lambda _device, _content: "")
        fails(bench, NotVerified, "3 rules are not as written")
    finishes(bench)


def test_a_script_that_is_refused_changes_nothing(cli_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    services.want(cli_bench.sbc, MINE)
    with monkeypatch.context() as patch:
        patch.setattr("sbc.cli._block", lambda index, _rule: f"dial-plan-rule {index} colour red\n")
        error = fails(cli_bench, Rejected, "Line 3: Invalid command")
    assert not error.retryable
    finishes(cli_bench)


def test_two_writers(bench: Bench) -> None:
    with only_writer(bench.sbc):
        with pytest.raises(Busy, match="somebody else writes to it") as caught:
            services.push(bench.sbc, PREFIXES)
        assert (caught.value.retryable, caught.value.retry_after) == (True, 5)
        assert bench.asked() == []
    finishes(bench)


def test_the_lock_of_a_dead_writer_is_taken_over(bench: Bench) -> None:
    machine, _pid, started, name = lease.new_owner().split(":")
    dead = f"{machine}:{2**22 + 1}:{started}:{name}"
    until = timezone.now() + timedelta(hours=1)
    SBC.objects.filter(pk=bench.sbc.pk).update(writer=dead, writer_until=until)
    finishes(bench)


def test_a_lock_ends_by_itself(bench: Bench) -> None:
    until = timezone.now() - timedelta(seconds=1)
    SBC.objects.filter(pk=bench.sbc.pk).update(writer="elsewhere:1:1:x", writer_until=until)
    finishes(bench)


def test_who_has_lost_the_lock_writes_no_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    look = {"cli_incremental": "show", "csv_file": "read_plan"}[bench.sbc.write_strategy]
    taken = {"writer": "somebody", "writer_until": timezone.now()}
    once(monkeypatch, look, lambda: SBC.objects.filter(pk=bench.sbc.pk).update(**taken) and None)
    with pytest.raises(Busy, match="somebody else has begun to write to it"):
        services.push(bench.sbc, PREFIXES)
    assert bench.rules() == []
    assert SBC.objects.get(pk=bench.sbc.pk).writer == "somebody"
