"""The rules in the SBCs' dial plans, and the drift between them and the former platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..sbc.rules import RUNNING, SAVED
from .directory import trunk_on

# SBC id -> prefix -> (rule name, tag), in the order of their indices.
Rules = dict[int, dict[str, tuple[str, str]]]

# The SBC whose rules end with #; both forms mean the same number (design.md 5).
WITH_END = frozenset({12})
NAME_LENGTH = 15
_OC_DIAL_PLAN = 0

# What somebody did by hand (upstreams.md 9.7 F25) -> on which SBC.  Each happens to one number.
CASES = {
    "orphan_rule": 11,
    "missing_rule": 12,
    "wrong_tag": 11,
    "hash_variant": 11,
    "unmanaged_number_with_rule": 12,
}
UNMANAGED = "unmanaged_number_with_rule"
# A number nobody has, on any side.
ORPHAN = "+442079460977"
OLD_TRUNK = "trunk9.old.operator.example"


def short_form(customer: str) -> str:
    """A customer's name as the name of a rule: up to 15 ASCII letters, digits and hyphens.

    ``Kestrel & Vane Insurance`` -> ``Kestrel-Vane-In`` (upstreams.md 4).
    """
    words = re.sub(r"[^A-Za-z0-9]+", "-", customer).strip("-")
    return words[:NAME_LENGTH].rstrip("-")


def rules_for(records: list[dict[str, Any]]) -> Rules:
    """One rule per number and SBC of the former platform's records.

    Only numbers of the sources webapi and webui are on an SBC (live-platform.md 4.4).
    """
    rules: Rules = {}
    for record in records:
        for sbc in record["sbcList"] if record["source"] != "ocsync" else []:
            prefix = _prefix(record["telephoneNumber"], sbc["sbcId"])
            rules.setdefault(sbc["sbcId"], {})[prefix] = _target(record, sbc["sbcId"])
    return rules


def _prefix(telephone_number: str, sbc_id: int) -> str:
    return f"{telephone_number}#" if sbc_id in WITH_END else telephone_number


def _target(record: dict[str, Any], sbc_id: int) -> tuple[str, str]:
    """Name and tag of a number's rule."""
    name = short_form(record["umpCustomerFullName"])
    return name, trunk_on(record["callingProfileId"], sbc_id)


def make_drift(
    rules: Rules, records: list[dict[str, Any]], numbers: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Change the rules by one case of each kind; answers ``{"kind", "sbcId", "telephoneNumber"}``.

    The numbers are ones that nothing else is the matter with: both sides know them and agree.
    """
    at_microsoft = {number["telephoneNumber"]: number for number in numbers}
    sound = [one for one in records if _agrees(one, at_microsoft.get(one["telephoneNumber"]))]
    managed = iter([one for one in sound if {11, 12} == {sbc["sbcId"] for sbc in one["sbcList"]}])
    unmanaged = iter([one for one in sound if one["source"] == "ocsync"])
    cases = []
    for kind, sbc_id in CASES.items():
        record = next(unmanaged if kind == UNMANAGED else managed)
        text = _drift(kind, rules[sbc_id], record, sbc_id)
        cases.append({"kind": kind, "sbcId": sbc_id, "telephoneNumber": text})
    return cases


def _agrees(record: dict[str, Any], number: dict[str, Any] | None) -> bool:
    same = ("tenantId", "acquiredNumberStatus", "assignmentStatus", "locationId")
    return number is not None and all(record[name] == number[name] for name in same)


def _drift(
    kind: str, rules: dict[str, tuple[str, str]], record: dict[str, Any], sbc_id: int
) -> str:
    """Make one case and answer its number; an orphan has the name and tag of a record's rule."""
    text: str = ORPHAN if kind == "orphan_rule" else record["telephoneNumber"]
    prefix = _prefix(text, sbc_id)
    name, tag = _target(record, sbc_id)
    if kind == "missing_rule":
        del rules[prefix]
    elif kind == "wrong_tag":
        rules[prefix] = name, OLD_TRUNK
    elif kind == "hash_variant":
        rules[f"{prefix}#"] = rules.pop(prefix)
    else:
        rules[prefix] = name, tag
    return text


def rows(rules: Rules) -> Iterator[tuple[Any, ...]]:
    """Rows for the table of rules, running and saved, numbered from 0 on every SBC."""
    for sbc_id, of_sbc in rules.items():
        for place, (prefix, (name, tag)) in enumerate(of_sbc.items()):
            for flash in (RUNNING, SAVED):
                yield sbc_id, flash, _OC_DIAL_PLAN, place, name, prefix, tag
