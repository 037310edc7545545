"""What happens to an SBC behind the console's back, and answers that go wrong."""

from __future__ import annotations

import http.client
import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from .devices import ADMINISTRATOR, Device, form, login, problem
from .process import Sim

CUT = (http.client.RemoteDisconnected, ConnectionResetError)
ADD = "dial-plan-rule 5 prefix 5"


def test_restart_loses_what_was_not_saved(device: Device) -> None:
    device.in_plan(ADD, "no dial-plan-rule 0")
    assert list(device.rules()) == [1, 5]
    assert list(device.saved()) == [0, 1]
    assert device.send("GET", "/status").json["saveNeeded"] is True
    device.control(restart=True)
    assert list(device.rules()) == [0, 1]
    assert device.send("GET", "/status").json["saveNeeded"] is False


def test_save_keeps_it(device: Device) -> None:
    device.in_plan(ADD)
    answer = device.save()
    assert (answer.status, answer.json) == (200, {"description": "Configuration saved"})
    assert device.send("GET", "/status").json["saveNeeded"] is False
    device.control(restart=True)
    assert list(device.rules()) == list(device.saved()) == [0, 1, 5]
    assert device.state()["saves"] == 1


def test_rules_are_edited_by_hand(device: Device) -> None:
    edited = [{"prefix": "9"}, {"index": 70, "name": "a", "prefix": "7#", "tag": "t"}]
    device.control(rules=edited)
    assert device.rules() == {0: ("", "9", ""), 70: ("a", "7#", "t")}
    assert device.saved() == {0: "9", 70: "7#"}
    assert device.state()["saveNeeded"] is False


def test_a_plan_is_deleted_and_comes_back(device: Device) -> None:
    device.control(deletePlan="OCDialPlan")
    assert device.rules() == {}
    missing = (400, "Dial plan OCDialPlan not found")
    assert problem(device.in_plan(ADD)) == missing
    assert problem(device.csv('"OCDialPlan","","1",""')) == missing
    device.control(restart=True)
    assert problem(device.in_plan(ADD)) == missing
    device.control(rules=[])
    assert device.in_plan(ADD).status == 200
    assert [one["name"] for one in device.state()["plans"]] == ["OCDialPlan", "CustDialPlan"]


def test_ha_synchronization_keeps_writers_out(device: Device) -> None:
    device.control(haSync=True)
    answers = [device.in_plan(ADD), device.csv('"OCDialPlan","","1",""'), device.save()]
    assert [problem(answer)[0] for answer in answers] == [409, 409, 409]
    assert device.send("GET", "/files/dialplan").status == 200
    assert list(device.rules()) == [0, 1]
    device.control(haSync=False)
    assert device.in_plan(ADD).status == 200


def test_alarms(device: Device) -> None:
    assert device.send("GET", "/alarms/active").status == 204
    device.control(alarms=[f"Alarm {place}" for place in range(1, 31)])
    first = device.send("GET", "/alarms/active").json
    assert first["alarms"][0] == {"id": "1", "description": "Alarm 1", "url": "/alarms/active/1"}
    assert (len(first["alarms"]), first["cursor"]) == (20, {"after": "20", "before": "-1"})
    second = device.send("GET", f"/alarms/active?after={first['cursor']['after']}").json
    assert [one["id"] for one in second["alarms"]] == [str(place) for place in range(21, 31)]
    assert second["cursor"] == {"after": "-1", "before": "21"}
    back = device.send("GET", "/alarms/active?before=21&limit=5").json
    assert [one["id"] for one in back["alarms"]] == ["16", "17", "18", "19", "20"]
    assert back["cursor"] == {"after": "20", "before": "16"}
    assert device.send("GET", "/alarms/active?after=-1").status == 204
    assert device.send("GET", "/alarms/active?limit=none").status == 400
    device.control(alarms=[{"description": "One"}])
    assert len(device.send("GET", "/alarms/active").json["alarms"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"online": "no"},
        {"haSync": 1},
        {"capacity": -1},
        {"capacity": "2000"},
        {"hang": -1},
        {"hang": True},
        {"alarms": "fire"},
        {"alarms": [1]},
        {"deletePlan": "Nowhere"},
        {"rules": {}},
        {"rules": [{"name": "a"}]},
        {"rules": [{"prefix": "1"}, {"prefix": "1"}]},
        {"rules": [{"prefix": "1", "index": 1}, {"prefix": "2"}]},
        {"rules": [{"prefix": "1", "index": "0"}]},
        {"restart": "now"},
        {"colour": "red"},
    ],
)
def test_a_bad_change_changes_nothing(device: Device, body: dict[str, Any]) -> None:
    before = device.state()
    answer = device.sim.send(
        "POST", "/_sim/sbc/us-sp1-sbc", json.dumps({"saveNeeded": True, **body})
    )
    assert (answer.status, answer.code) == (400, "InvalidState")
    assert device.state() == before


def test_an_overview_is_in_the_state(device: Device) -> None:
    device.in_plan(ADD)
    shown = device.sim.control("GET", "/state")["sbcs"][0]
    assert (shown["slug"], shown["rules"], shown["saveNeeded"]) == ("us-sp1-sbc", 3, True)
    assert device.sim.send("GET", "/_sim/sbc/nowhere").status == 404


class Late:
    """A write whose answer the SBC keeps back; leaving ends the wait."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.thread = threading.Thread(target=self.write)
        self.answers: list[int] = []

    def write(self) -> None:
        self.answers.append(self.device.in_plan(ADD).status)

    def begin(self, seconds: float) -> None:
        self.device.control(hang=seconds)
        self.thread.start()
        while 5 not in self.device.rules():
            assert self.thread.is_alive()


def test_only_one_script_runs_at_a_time(device: Device) -> None:
    late = Late(device)
    late.begin(1)
    running = (409, "Another script is running")
    assert problem(device.in_plan("dial-plan-rule 6 prefix 6")) == running
    assert problem(device.save()) == running
    device.control(hang=0)
    assert device.in_plan("dial-plan-rule 6 prefix 6").status == 200
    late.thread.join()
    assert late.answers == [200]
    assert list(device.rules()) == [0, 1, 5, 6]


def test_an_sbc_that_hangs_holds_up_nobody_else(device: Device) -> None:
    late = Late(device)
    late.begin(1)
    assert Device(device.sim, "emea-sp1-sbc").send("GET", "/status").status == 200
    assert late.answers == []
    late.thread.join()


def test_an_offline_sbc_hangs_up_late(device: Device) -> None:
    device.control(online=False, hang=0.05)
    with pytest.raises(CUT):
        device.in_plan(ADD)
    assert list(device.rules()) == [0, 1]


def test_faults_before_and_after_the_commit(device: Device) -> None:
    match = {"mount": "sbc", "method": "PUT", "path": "us-sp1-sbc"}
    device.sim.fault(match, {"drop": "before"})
    with pytest.raises(CUT):
        device.in_plan(ADD)
    assert list(device.rules()) == [0, 1]
    device.sim.fault(match, {"drop": "after_commit"})
    with pytest.raises(CUT):
        device.in_plan(ADD)
    assert list(device.rules()) == [0, 1, 5]
    assert device.state()["saveNeeded"] is True


def test_faults_with_an_answer_of_their_own(device: Device) -> None:
    match = {"mount": "sbc", "path": "/actions/saveConfiguration"}
    device.sim.fault(match, {"status": 503, "delayMs": 50})
    device.sim.fault(match, {"status": 502, "body": "<html>", "contentType": "text/html"})
    device.sim.fault({"mount": "sbc"}, {"truncate": True})
    assert problem(device.save()) == (503, "The sandbox was told to fail.")
    assert device.save().body == b"<html>"
    with pytest.raises(http.client.IncompleteRead):
        device.send("GET", "/files/dialplan")
    assert device.save().status == 200
    assert device.state()["saves"] == 1


def test_the_log_knows_who_asked_for_what(device: Device) -> None:
    device.in_plan(ADD)
    Device(device.sim, user=login("console", "guessed-password")).send("GET", "/status")
    log = device.sim.control("GET", "/requests")
    write, look = log["value"][-2:]
    assert (write["mount"], write["method"], write["status"]) == ("sbc", "PUT", 200)
    assert write["path"] == "/sbc/us-sp1-sbc/api/v1/files/cliScript/incremental"
    assert (write["clientId"], write["authorization"]) == ("console", "***")
    assert (look["clientId"], look["status"]) == (None, 401)
    text = json.dumps(log)
    assert "sandbox-only-secret" not in text
    assert "guessed-password" not in text
    assert ADMINISTRATOR.removeprefix("Basic ") not in text


def test_rules_survive_a_kill(tmp_path: Path) -> None:
    sim = Sim(tmp_path, "--control")
    Device(sim).control(rules=[])
    Device(sim).in_plan(ADD)
    sim.stop(signal.SIGKILL)
    sim = Sim(tmp_path, "--control")
    try:
        assert list(Device(sim).rules()) == [5]
        assert Device(sim).saved() == {}
    finally:
        sim.stop()


def test_a_large_file_is_taken(device: Device) -> None:
    """Scripts and files may be larger than other requests."""
    comment = "# " + "x" * 2_000_000
    body, content_type = form(f"{comment}\nconfigure voip\nsbc dial-plan 0\n{ADD}")
    answer = device.send("PUT", "/files/cliScript/incremental", body, content_type)
    assert answer.status == 200
    assert 5 in device.rules()
