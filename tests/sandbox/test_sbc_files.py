"""Dial plans as files."""

from __future__ import annotations

import csv
import io

import pytest

from .devices import HEADER, MONITOR, Device, form, problem

TWO = {
    0: ("Harbourline", "+442079460000", "trunk1.example"),
    1: ("Harbourline", "+442079460001", "trunk1.example"),
}


def test_csv_lists_the_running_rules(device: Device) -> None:
    answer = device.send("GET", "/files/dialplan")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer.body.decode().splitlines() == [
        HEADER,
        '"OCDialPlan","Harbourline","+442079460000","trunk1.example"',
        '"OCDialPlan","Harbourline","+442079460001","trunk1.example"',
    ]


def test_what_was_read_may_be_written_back(device: Device) -> None:
    device.in_plan('dial-plan-rule 7 name "Two words" prefix [1-3]xx# tag ""')
    before = device.send("GET", "/files/dialplan").body
    assert device.send("PUT", "/files/dialplan", *form(before)).status == 200
    assert device.send("GET", "/files/dialplan").body == before
    assert list(device.rules()) == [0, 1, 2]


@pytest.mark.parametrize("raw", [False, True])
def test_a_file_replaces_the_plans_it_names(device: Device, raw: bool) -> None:
    device.script("configure voip", "sbc dial-plan CustDialPlan", "dial-plan-rule 4 prefix 7xx")
    device.save()
    text = f'{HEADER}\n"OCDialPlan","Kestrel","+442079460005#","trunk2.example"\n'
    body, content_type = (text.encode(), "text/csv") if raw else form(text)
    answer = device.send("PUT", "/files/dialplan", body, content_type)
    assert (answer.status, answer.json["status"]) == (200, "success")
    assert device.rules() == {0: ("Kestrel", "+442079460005#", "trunk2.example")}
    assert device.rules("CustDialPlan") == {4: ("", "7xx", "")}
    assert device.state()["saveNeeded"] is True
    assert list(device.saved()) == [0, 1]


def test_plans_are_told_apart(device: Device) -> None:
    """The same prefix may stand in two plans, and with and without # in one."""
    rows = ['"OCDialPlan","","1",""', '"CustDialPlan","","1",""', '"OCDialPlan","","1#",""']
    assert device.csv(*rows).status == 200
    assert device.rules() == {0: ("", "1", ""), 1: ("", "1#", "")}
    assert device.rules("CustDialPlan") == {0: ("", "1", "")}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('"Nowhere","a","1","t"', "Dial plan Nowhere not found"),
        ('"0","a","1","t"', "Dial plan 0 not found"),
        ('"OCDialPlan","a","1"', "Line 3: expected 4 values"),
        ('"OCDialPlan","a","","t"', "Line 3: prefix is missing"),
        ('"OCDialPlan","a","+1 2","t"', "Line 3: prefix is invalid"),
        ('"OCDialPlan","sixteen letters!","1","t"', "Line 3: name is longer than 15 characters"),
        ('"OCDialPlan","b","9","t"', "Line 3: duplicate prefix"),
        ('"OCDialPlan","a"1","t"', "Line 3: not CSV"),
    ],
)
def test_a_bad_file_changes_nothing(device: Device, row: str, words: str) -> None:
    assert problem(device.csv('"OCDialPlan","a","9","t"', row)) == (400, words)
    assert device.rules() == TWO
    assert device.state()["saveNeeded"] is False


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (f"{HEADER}\r\n", "The file contains no rules"),
        ("Plan;Name;Prefix;Tag\n", f"Line 1: expected {HEADER}"),
        (b"\xff\xfe\x00", "The file is not UTF-8 text"),
    ],
)
def test_an_unreadable_file(device: Device, content: str | bytes, words: str) -> None:
    assert problem(device.send("PUT", "/files/dialplan", *form(content))) == (400, words)
    assert device.rules() == TWO


def test_an_incomplete_form(device: Device) -> None:
    body, content_type = form("x", field="upload")
    answer = device.send("PUT", "/files/dialplan", body, content_type)
    assert problem(answer) == (400, "The form has no field 'file'")
    for cut in (body[:-20], b"", b"--" + body):
        answer = device.send("PUT", "/files/dialplan", cut, content_type)
        assert answer.status == 400
    answer = device.send("PUT", "/files/dialplan", b"{}", "application/json")
    expected = "Expected multipart/form-data with the field 'file' or text/csv"
    assert problem(answer) == (400, expected)


def test_the_table_is_full(device: Device) -> None:
    """Rules of all plans count together."""
    device.control(capacity=3)
    rows = [f'"CustDialPlan","","{place}",""' for place in (1, 2)]
    assert problem(device.csv(*rows)) == (400, "table is full")
    assert device.rules("CustDialPlan") == {}
    assert device.csv(rows[0]).status == 200


def test_the_largest_table(device: Device) -> None:
    rows = [
        f'"OCDialPlan","Large","+4420{place:08}#","trunk1.emea.sbc1.emea.operator.example"'
        for place in range(100_000)
    ]
    assert device.csv(*rows).status == 200
    assert device.save().status == 200
    text = device.send("GET", "/files/dialplan").body.decode()
    assert sum(1 for _ in csv.reader(io.StringIO(text))) == 100_001
    assert problem(device.in_plan("dial-plan-rule 100000 prefix 5")) == (400, "table is full")
    answer = device.in_plan("no dial-plan-rule 99999", "dial-plan-rule 100000 prefix 5")
    assert answer.status == 200
    device.control(restart=True)
    assert device.rules()[99_999][1] == "+442000099999#"


def test_ini(device: Device) -> None:
    answer = device.send("GET", "/files/ini")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    lines = answer.body.decode().splitlines()
    assert 'DialPlans 0 = "OCDialPlan";' in lines
    rule = 'DialPlanRule 1 = "OCDialPlan", 1, "Harbourline", "+442079460001", "trunk1.example";'
    assert rule in lines


def test_the_monitor_may_look_but_not_touch(device: Device) -> None:
    monitor = Device(device.sim, user=MONITOR)
    assert monitor.send("GET", "/status").status == 200
    assert monitor.send("GET", "/alarms/active").status == 204
    assert monitor.send("GET", "/files/dialplan").status == 200
    too_low = "The user's privilege level is too low."
    for answer in (
        monitor.csv('"OCDialPlan","a","1","t"'),
        monitor.in_plan("no dial-plan-rule 0"),
        monitor.script("show running-config"),
        monitor.save(),
        monitor.send("GET", "/files/ini"),
    ):
        assert problem(answer) == (403, too_low)
    assert device.rules() == TWO


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/files/dialplan", "GET, PUT"),
        ("GET", "/files/cliScript/incremental", "PUT"),
        ("PUT", "/files/ini", "GET"),
        ("GET", "/actions/saveConfiguration", "POST"),
        ("DELETE", "/alarms/active", "GET"),
    ],
)
def test_wrong_verb(device: Device, method: str, path: str, allowed: str) -> None:
    answer = device.send(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    assert answer.json["status"] == "error"
