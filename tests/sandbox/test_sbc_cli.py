"""Dial plans on the command line."""

from __future__ import annotations

import pytest

from .devices import Device, form, problem

LOADED = "Incremental CLI Script file was loaded."
FIRST = ("Harbourline", "+442079460000", "trunk1.example")
TWO = {0: FIRST, 1: ("Harbourline", "+442079460001", "trunk1.example")}
THIRD = ("Kestrel", "+442079460002#", "trunk2.example")


def test_a_rule_on_one_line(device: Device) -> None:
    line = "dial-plan-rule 5 name Kestrel prefix +442079460002# tag trunk2.example"
    answer = device.in_plan(line)
    assert answer.status == 200
    assert answer.json == {"status": "success", "description": LOADED, "output": ""}
    assert device.rules() == {**TWO, 5: THIRD}
    state = device.state()
    assert (state["saveNeeded"], state["saves"], len(state["saved"])) == (True, 0, 2)


def test_a_rule_on_lines_of_its_own(device: Device) -> None:
    answer = device.script(
        "configure voip\r",
        "  sbc dial-plan 0\r",
        "    dial-plan-rule 5",
        '      name "Two words"',
        '      prefix "+442079460002#"',
        "      tag trunk2.example",
        "      activate",
        "    exit",
        "",
        "    dial-plan-rule 6",
        "      prefix 6",
        "    exit",
        "    activate",
        "  exit",
        "exit",
    )
    assert answer.status == 200
    assert device.rules() == {**TWO, 5: ("Two words", *THIRD[1:]), 6: ("", "6", "")}


def test_the_next_rule_ends_the_one_before(device: Device) -> None:
    answer = device.in_plan(
        "dial-plan-rule 5", "name a", "prefix 5", "dial-plan-rule 6 prefix 6", "no dial-plan-rule 5"
    )
    assert answer.status == 200
    assert device.rules() == {**TWO, 6: ("", "6", "")}


def test_a_taken_index_gets_new_properties(device: Device) -> None:
    device.in_plan("dial-plan-rule 0 name Kestrel prefix +442079460002# tag trunk2.example")
    device.in_plan("dial-plan-rule 1", "tag trunk3.example")
    assert device.rules() == {0: THIRD, 1: (*TWO[1][:2], "trunk3.example")}


def test_indices_stay_when_rules_go(device: Device) -> None:
    device.in_plan("no dial-plan-rule 0")
    assert device.rules() == {1: TWO[1]}


def test_a_prefix_may_move_within_a_script(device: Device) -> None:
    answer = device.in_plan("no dial-plan-rule 0", "dial-plan-rule 9 prefix +442079460000")
    assert answer.status == 200
    assert device.rules() == {1: TWO[1], 9: ("", "+442079460000", "")}


def test_another_plan(device: Device) -> None:
    answer = device.in_plan("exit", "sbc dial-plan 1", "dial-plan-rule 0 prefix +442079460000")
    assert answer.status == 200
    assert device.rules() == TWO
    assert device.rules("CustDialPlan") == {0: ("", "+442079460000", "")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dial-plan-role 6", "Line 4: Invalid command"),
        ("dial-plan-rule x", "Line 4: Invalid command"),
        ("dial-plan-rule 6 prefix", "Line 4: Invalid command"),
        ("dial-plan-rule 6 colour red", "Line 4: Invalid command"),
        ('dial-plan-rule 6 name "open prefix 6', "Line 4: Invalid command"),
        ("copy cli-script", "Line 4: Invalid command"),
        ("show running-config everything", "Line 4: Invalid command"),
        ("dial-plan-rule 6 name a", "Line 4: prefix is missing"),
        ("dial-plan-rule 6\nname a\nexit", "Line 4: prefix is missing"),
        ("dial-plan-rule 6 prefix +442079460001", "Line 4: duplicate prefix"),
        ("dial-plan-rule 6\ntag t\nprefix 5\nexit", "Line 6: duplicate prefix"),
        ("dial-plan-rule 6 prefix 1_2", "Line 4: prefix is invalid"),
        ("dial-plan-rule 6 name sixteen-letters!", "Line 4: name is longer than 15 characters"),
        (f"dial-plan-rule 6 prefix {'1' * 51}", "Line 4: prefix is longer than 50 characters"),
        ("no dial-plan-rule 6", "Line 4: Dial plan rule 6 not found"),
        ("exit\nexit\nexit\nexit", "Line 7: Invalid command"),
        ("exit\nexit\nprefix 1", "Line 6: Invalid command"),
        ("sbc dial-plan Nowhere", "Dial plan Nowhere not found"),
        ("sbc dial-plan 2", "Dial plan 2 not found"),
    ],
)
def test_a_bad_line_undoes_the_script(device: Device, line: str, words: str) -> None:
    assert problem(device.in_plan("dial-plan-rule 5 prefix 5", line)) == (400, words)
    assert device.rules() == TWO
    assert device.state()["saveNeeded"] is False


@pytest.mark.parametrize("line", ["sbc dial-plan 0", "dial-plan-rule 5 prefix 5", "activate"])
def test_a_line_in_the_wrong_place(device: Device, line: str) -> None:
    assert problem(device.script("# nothing yet", line)) == (400, "Line 2: Invalid command")


def test_the_table_is_full(device: Device) -> None:
    device.control(capacity=3)
    lines = [f"dial-plan-rule {place} prefix {place}" for place in (5, 6)]
    assert problem(device.in_plan(*lines)) == (400, "table is full")
    assert device.rules() == TWO
    assert device.in_plan("no dial-plan-rule 0", *lines).status == 200
    assert list(device.rules()) == [1, 5, 6]
    assert device.in_plan("dial-plan-rule 6 tag t").status == 200


def test_show_prints_a_plan_as_a_script(device: Device) -> None:
    device.in_plan('dial-plan-rule 5 name "Two words" prefix 5 tag ""')
    device.save()
    answer = device.script("show running-config voip sbc dial-plan OCDialPlan")
    listing = [
        "configure voip",
        " sbc dial-plan OCDialPlan",
        "  dial-plan-rule 0 name Harbourline prefix +442079460000 tag trunk1.example",
        "  dial-plan-rule 1 name Harbourline prefix +442079460001 tag trunk1.example",
        '  dial-plan-rule 5 name "Two words" prefix 5 tag ""',
        " exit",
        "exit",
    ]
    assert answer.json["output"].splitlines() == listing
    assert device.state()["saveNeeded"] is False
    device.control(rules=[])
    assert device.script(*listing).status == 200
    assert device.rules() == {**TWO, 5: ("Two words", "5", "")}


def test_show_sees_what_the_script_has_done(device: Device) -> None:
    answer = device.in_plan(
        "show running-config voip sbc dial-plan CustDialPlan",
        "no dial-plan-rule 0",
        "dial-plan-rule 5 prefix 5",
        "show running-config voip sbc dial-plan",
        "show system version",
    )
    lines = answer.json["output"].splitlines()
    assert " sbc dial-plan CustDialPlan" in lines[:2]
    assert [line.split()[1] for line in lines if "dial-plan-rule" in line] == ["1", "5"]
    assert lines[-1] == "Mediant VE SBC 7.40A.500.357"


def test_a_script_comes_in_a_form(device: Device) -> None:
    answer = device.send("PUT", "/files/cliScript/incremental", b"configure voip", "text/plain")
    assert problem(answer) == (400, "Expected multipart/form-data with the field 'file'")
    answer = device.send("PUT", "/files/cliScript/incremental", *form(" \n"))
    assert problem(answer) == (400, "The file is empty")


def test_ten_thousand_rules(device: Device) -> None:
    lines = [
        f"dial-plan-rule {place} name Large prefix +4420{place:08} tag trunk1.example"
        for place in range(2, 10_002)
    ]
    assert device.in_plan(*lines).status == 200
    assert len(device.rules()) == 10_002
    last = f"dial-plan-rule 20000 prefix {lines[0].split()[5]}"
    removals = [f"no dial-plan-rule {place}" for place in range(5000)]
    refused = device.in_plan(*removals[100:], last)
    assert problem(refused) == (400, "Line 4903: duplicate prefix")
    assert len(device.rules()) == 10_002
