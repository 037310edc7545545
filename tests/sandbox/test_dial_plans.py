"""The dial plans that the demo and the drift seed begin with."""

from __future__ import annotations

import re
from typing import Any

from ocadmin.sandbox.seeds.dial_plans import CASES, OLD_TRUNK, ORPHAN, short_form

from .devices import Device
from .process import Sim

SLUGS = {11: "us-sp1-sbc", 12: "emea-sp1-sbc", 14: "apac-sp1-sbc"}
Rules = dict[str, tuple[str, str]]


def expected(sim: Sim) -> dict[int, Rules]:
    """What the former platform's list and Microsoft's profiles make of it: prefix -> name, tag."""
    trunks: dict[tuple[str, int], str] = {}
    for profile in sim.oc("/calling-profiles").json["value"]:
        for trunk in profile["trunksEnrolled"]:
            for sbc in trunk["matchingSbcList"]:
                key = profile["callingProfileId"], sbc["sbcId"]
                trunks.setdefault(key, trunk["trunkFqdn"])
    found: dict[int, Rules] = {sbc: {} for sbc in SLUGS}
    for record in sim.all_records():
        if record["source"] not in ("webapi", "webui"):
            continue
        for sbc in record["sbcList"]:
            end = "#" if sbc["sbcId"] == 12 else ""
            tag = trunks[record["callingProfileId"], sbc["sbcId"]]
            name = short_form(record["umpCustomerFullName"])
            found[sbc["sbcId"]][record["telephoneNumber"] + end] = name, tag
    return found


def seeded(sim: Sim, kind: str = "running") -> dict[int, Rules]:
    found = {}
    for sbc, slug in SLUGS.items():
        state = Device(sim, slug).state()
        assert state["saveNeeded"] is False
        assert [one["index"] for one in state[kind]] == list(range(len(state[kind])))
        found[sbc] = {one["prefix"]: (one["name"], one["tag"]) for one in state[kind]}
    return found


def test_the_demo_has_a_rule_for_every_uploaded_number(sim: Sim) -> None:
    rules = seeded(sim)
    assert rules == expected(sim) == seeded(sim, "saved")
    assert all(len(of_sbc) > 30 for of_sbc in rules.values())
    assert rules[11]["+448718943000"] == ("BradOCDev", "trunk1.gb.sbc1.us.operator.example")
    for of_sbc in rules.values():
        for name, tag in of_sbc.values():
            assert re.fullmatch(r"[A-Za-z0-9-]{1,15}", name)
            assert tag.endswith(".operator.example")
    assert sim.control("GET", "/state")["sbcDrift"] == []


def test_short_forms() -> None:
    assert short_form("Sauerland Präzisionstechnik GmbH") == "Sauerland-Pr-zi"
    assert short_form("Kestrel & Vane Insurance") == "Kestrel-Vane-In"
    assert short_form("Southern Cross Clinics Pty Ltd") == "Southern-Cross"
    assert short_form("MSFT") == "MSFT"


def test_drift_is_the_demo_with_one_case_of_each_kind(sim: Sim) -> None:
    state = sim.control("POST", "/reset", {"seed": "drift"})
    cases = {one["kind"]: one for one in state["sbcDrift"]}
    assert {kind: one["sbcId"] for kind, one in cases.items()} == CASES
    numbers = {kind: one["telephoneNumber"] for kind, one in cases.items()}
    assert len(set(numbers.values())) == len(CASES)
    should, rules = expected(sim), seeded(sim)
    assert rules == seeded(sim, "saved")
    found: dict[tuple[int, str], Any] = {}
    for sbc in SLUGS:
        for prefix in should[sbc].keys() | rules[sbc].keys():
            if should[sbc].get(prefix) != rules[sbc].get(prefix):
                found[sbc, prefix] = rules[sbc].get(prefix)
    name = should[11][numbers["wrong_tag"]][0]
    assert found == {
        (11, ORPHAN): should[11][numbers["wrong_tag"]],
        (12, numbers["missing_rule"] + "#"): None,
        (11, numbers["wrong_tag"]): (name, OLD_TRUNK),
        (11, numbers["hash_variant"]): None,
        (11, numbers["hash_variant"] + "#"): should[11][numbers["hash_variant"]],
        (12, numbers["unmanaged_number_with_rule"] + "#"): should[12][numbers["wrong_tag"] + "#"],
    }


def test_nothing_else_is_the_matter_with_the_drifted_numbers(sim: Sim) -> None:
    demo = sim.all_numbers(), sim.all_records()
    sim.control("POST", "/reset", {"seed": "drift"})
    assert (sim.all_numbers(), sim.all_records()) == demo
    numbers = {one["telephoneNumber"]: one for one in demo[0]}
    records = {one["telephoneNumber"]: one for one in demo[1]}
    cases = sim.control("GET", "/state")["sbcDrift"]
    for case in cases:
        text = case["telephoneNumber"]
        if case["kind"] == "orphan_rule":
            assert text not in numbers.keys() | records.keys()
            continue
        for field in ("acquiredNumberStatus", "assignmentStatus", "locationId", "tenantId"):
            assert numbers[text][field] == records[text][field]
        unmanaged = case["kind"] == "unmanaged_number_with_rule"
        assert (records[text]["source"] == "ocsync") is unmanaged
    again = sim.control("POST", "/reset", {"seed": "drift"})["sbcDrift"]
    assert again == cases


def test_other_seeds(sim: Sim) -> None:
    sim.control("POST", "/reset", {"seed": "empty"})
    assert seeded(sim) == {11: {}, 12: {}, 14: {}}
    sim.control("POST", "/reset", {"seed": "large", "numbers": 100})
    assert {sbc: len(rules) for sbc, rules in seeded(sim).items()} == {11: 10, 12: 0, 14: 0}
