"""How an SBC is: judged, asked by the schedule, kept as history, and left alone after a refused login."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from sbc import health, services
from sbc.device import MOST_ALARMS, Device, Status
from sbc.errors import BadCredentials, Busy, LowPrivilege, NotConfigured, Offline, SBCError, TableFull
from sbc.health import Seen
from sbc.models import SBC, HealthPeriod, State
from tests.factories import SBCFactory

from .bench import MINE, PREFIXES, Bench

GOOD = Status(False, False, None, 1, "UNLOCKED", "Not Operational", "Mediant", "7.4", "1")


def seen(**changes: Any) -> Seen:
    fields = {name: getattr(GOOD, name) for name in Status.__slots__} | changes
    alarms = fields.pop("alarms", [])
    return Seen(status=Status(**fields), alarms=alarms)


def ask(sbc: SBC) -> SBC:
    """One round. Returns the row as it is then."""
    assert health.ask_all() == 1
    return SBC.objects.get(pk=sbc.pk)


@pytest.mark.parametrize(
    ("what", "state", "reason"),
    [
        (seen(), State.ONLINE, ""),
        (seen(save_needed=None), State.ONLINE, ""),
        (seen(save_needed=True), State.SAVE_NEEDED, "a restart would lose"),
        (seen(operational_state="LOCKED"), State.DEGRADED, "It is locked"),
        (seen(reset_needed=True), State.DEGRADED, "has to be restarted"),
        (seen(alarms=["Fan failed", "No link"]), State.DEGRADED, "2 active alarms, the latest: No link."),
        (seen(high_availability="Synchronizing"), State.HA_SYNC, "is being synchronised"),
        (Seen(error=Busy("x", said="HA synchronization is in progress")), State.HA_SYNC, "is being synchronised"),
        (Seen(error=Busy("x", said="Another script is running")), State.DEGRADED, "Another script"),
        (Seen(error=Offline("x", reason="refused")), State.OFFLINE, "refused"),
        (Seen(error=BadCredentials("x")), State.BAD_LOGIN, "(401)"),
        (Seen(error=LowPrivilege("x")), State.BAD_LOGIN, "(403)"),
        (Seen(error=TableFull("x", said="full")), State.DEGRADED, "table of rules is full"),
        (Seen(error=NotConfigured("x", problem="nothing entered")), State.UNKNOWN, ""),
    ],
)
def test_one_function_says_the_state_and_why(db: None, what: Seen, state: State, reason: str) -> None:
    sbc = SBCFactory()
    health.note(sbc, what)
    row = SBC.objects.get()
    assert row.state == sbc.state == state
    assert reason in " ".join(row.reasons)
    assert bool(row.reasons) == bool(reason)


def test_high_availability_that_was_there_and_is_not_any_more(db: None) -> None:
    sbc = SBCFactory()
    health.note(sbc, seen(high_availability="Operational"))
    assert sbc.state == State.ONLINE
    health.note(sbc, seen(high_availability="Not Operational"))
    assert (sbc.state, sbc.reasons) == (State.DEGRADED, ["Its HA pair is not operational any more."])


def test_unsaved_for_long_is_degraded(db: None) -> None:
    sbc = SBCFactory()
    health.note(sbc, seen(save_needed=True))
    since = timezone.now() - health.SAVE_OVERDUE - timedelta(minutes=1)
    SBC.objects.update(save_needed_since=since)
    health.note(sbc, seen(save_needed=True))
    assert (sbc.state, sbc.save_needed_since) == (State.DEGRADED, since)
    health.note(sbc, seen(save_needed=False))
    assert (sbc.state, sbc.save_needed_since) == (State.ONLINE, None)


def test_a_full_table_is_not_forgotten_because_the_device_answers(db: None) -> None:
    sbc = SBCFactory()
    health.note(sbc, Seen(error=TableFull("x", said="full")))
    health.note(sbc, seen())
    assert (sbc.state, sbc.problem_code) == (State.DEGRADED, "sbc_table_full")
    health.note(sbc, Seen(wrote=True))
    assert (sbc.state, sbc.problem) == (State.ONLINE, "")


def test_history_has_a_row_per_change_and_the_latest_reasons(db: None) -> None:
    sbc = SBCFactory()
    for what in (seen(), seen(), seen(alarms=["A"]), seen(alarms=["A", "B"]), Seen(error=Offline("x", reason="gone"))):
        health.note(sbc, what)
    now, before, first = HealthPeriod.objects.all()
    assert [one.state for one in (now, before, first)] == [State.OFFLINE, State.DEGRADED, State.ONLINE]
    assert (before.reasons, before.alarms) == (["2 active alarms, the latest: B."], ["A", "B"])
    assert (first.until, before.until, now.until) == (before.since, now.since, None)
    assert (sbc.state_since, sbc.alarms) == (now.since, ["A", "B"])


def test_old_history_goes_and_the_present_stays(db: None) -> None:
    sbc = SBCFactory()
    for what in (seen(), seen(alarms=["A"]), seen()):
        health.note(sbc, what)
    long_ago = timezone.now() - health.KEEP_HISTORY - timedelta(days=1)
    HealthPeriod.objects.filter(until=None).update(since=long_ago)
    HealthPeriod.objects.filter(state=State.DEGRADED).update(until=long_ago)
    health.forget_old()
    assert sorted(HealthPeriod.objects.values_list("state", flat=True)) == [State.ONLINE, State.ONLINE]


def test_an_sbc_that_was_deleted_meanwhile(db: None) -> None:
    sbc = SBCFactory()
    SBC.objects.all().delete()
    health.note(sbc, seen())
    assert not HealthPeriod.objects.exists()


# The round, with a device


def test_a_round_notes_what_the_device_says(cli_bench: Bench) -> None:
    row = ask(cli_bench.sbc)
    assert (row.state, row.alarms, row.asking_until) == (State.ONLINE, [], None)
    assert row.told["product"]
    cli_bench.control(alarms=[f"Alarm {n}" for n in range(250)])
    row = ask(cli_bench.sbc)
    assert (row.state, len(row.alarms), row.alarms[-1]) == (State.DEGRADED, 250, "Alarm 249")
    cli_bench.control(alarms=[], haSync=True)
    assert ask(cli_bench.sbc).state == State.HA_SYNC
    cli_bench.control(haSync=False, locked=True)
    assert ask(cli_bench.sbc).state == State.DEGRADED
    cli_bench.control(locked=False, online=False)
    assert ask(cli_bench.sbc).state == State.OFFLINE
    cli_bench.control(online=True)
    assert ask(cli_bench.sbc).state == State.ONLINE


def test_alarms_are_read_to_a_bound(cli_bench: Bench) -> None:
    cli_bench.control(alarms=["x"] * (MOST_ALARMS + 50))
    with Device(cli_bench.sbc) as device:
        assert len(device.alarms()) == MOST_ALARMS
    assert len(cli_bench.asked()) == MOST_ALARMS / 100


@pytest.mark.parametrize("body", ["[]", "{}", '{"alarms": [1, {"description": 2}], "cursor": {"after": "no"}}', "null"])
def test_alarms_that_make_no_sense(cli_bench: Bench, body: str) -> None:
    cli_bench.fault("GET", "/alarms/active", status=200, body=body)
    row = ask(cli_bench.sbc)
    assert row.state in (State.ONLINE, State.DEGRADED)
    assert row.told["product"]  # its status counts all the same


def test_a_page_that_leads_to_itself_ends(cli_bench: Bench) -> None:
    page = '{"alarms": [{"description": "x"}], "cursor": {"after": "7"}}'
    cli_bench.sandbox.fault({"mount": "sbc", "path": "/alarms/active"}, {"status": 200, "body": page}, times=9)
    with Device(cli_bench.sbc) as device:
        assert device.alarms() == ["x", "x"]


@pytest.mark.parametrize(("change", "asked"), [({"username": "nobody"}, 1), ({}, 4)])
def test_after_a_refused_login_the_schedule_asks_no_more(cli_bench: Bench, change: dict[str, str], asked: int) -> None:
    SBC.objects.update(**change)
    for _round in range(2):
        health.ask_all()
    assert len(cli_bench.asked()) == asked
    assert (SBC.objects.get().state == State.BAD_LOGIN) == bool(change)


def test_a_login_that_was_changed_while_it_was_refused_is_asked_again(
    cli_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    SBC.objects.update(username="nobody")
    original = health.ask

    def corrected_meanwhile(sbc: SBC) -> Seen:
        return original(sbc)

    def note(sbc: SBC, what: Seen, **how: bool) -> None:
        SBC.objects.update(username=settings.ENV.client_id)
        noted(sbc, what, **how)

    noted = health.note
    monkeypatch.setattr(health, "note", note)
    health.ask_all()
    monkeypatch.setattr(health, "note", noted)
    assert SBC.objects.get().state == State.UNKNOWN
    assert ask(cli_bench.sbc).state == State.ONLINE


def test_rounds_do_not_overlap(cli_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[int] = []
    noted = health.note

    def another_round(sbc: SBC, what: Seen, **how: bool) -> None:
        inner.append(health.ask_all())
        noted(sbc, what, **how)

    monkeypatch.setattr(health, "note", another_round)
    assert health.ask_all() == 1
    assert inner == [0]
    monkeypatch.setattr(health, "note", noted)
    assert health.ask_all() == 1


def test_a_round_that_died_lets_go(cli_bench: Bench) -> None:
    SBC.objects.update(asking_until=timezone.now() + timedelta(minutes=1))
    assert health.ask_all() == 0
    SBC.objects.update(asking_until=timezone.now() - timedelta(seconds=1))
    assert health.ask_all() == 1


def test_sbcs_are_asked_side_by_side(cli_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are being asked before the first one has answered."""
    import threading

    for _ in range(3):
        SBCFactory(rest_url="http://127.0.0.1:9", username="oc", sealed_password=cli_bench.sbc.sealed_password)
    together = threading.Barrier(4, timeout=20)

    def wait(sbc: SBC) -> Seen:
        together.wait()
        return seen()

    monkeypatch.setattr(health, "ask", wait)
    assert health.ask_all() == 4


def test_who_has_no_login_is_not_asked(db: None) -> None:
    SBCFactory(rest_url="http://127.0.0.1:9")
    SBCFactory(rest_url="", username="oc", sealed_password="x")
    assert health.ask_all() == 0


def test_a_push_and_the_round_tell_the_same_story(bench: Bench) -> None:
    services.want(bench.sbc, MINE)
    bench.control(online=False)
    with pytest.raises(SBCError):
        services.push(bench.sbc, PREFIXES)
    assert SBC.objects.get().state == State.OFFLINE
    bench.control(online=True)
    services.push(bench.sbc, PREFIXES)
    assert SBC.objects.get().state == ask(bench.sbc).state == State.ONLINE
    assert HealthPeriod.objects.count() == 2
