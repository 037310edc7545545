"""Dial plans as CSV: ``DialPlanName,Name,Prefix,Tag`` with quoted values (upstreams.md 4)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from ..exchange import Json, Refusal
from . import devices, rules
from .devices import Plan
from .rules import Rule

if TYPE_CHECKING:
    from ..world import World

HEADER = ("DialPlanName", "Name", "Prefix", "Tag")


def write(world: World, device: Json) -> str:
    """The running rules of all plans; an empty plan is not to be seen in it."""
    out = io.StringIO()
    out.write(",".join(HEADER) + "\r\n")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for plan in devices.plans(device):
        rows = ((plan.name, *rule[1:]) for rule in rules.of_plan(world.store, plan))
        writer.writerows(rows)
    return out.getvalue()


def load(world: World, device: Json, text: str) -> None:
    """Replace the running rules of the plans that the file names; the others stay as they are.

    The file knows no indices, so that the rules of these plans are numbered anew from 0, in its
    order.  400 for what cannot be read, a prefix that comes twice, an unknown plan, a full table;
    the caller's transaction takes back what was written.
    """
    found: dict[str, list[Rule]] = {}
    prefixes: dict[str, set[str]] = {}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(reader)) != HEADER:
            raise Refusal(400, None, f"Line 1: expected {','.join(HEADER)}")
        for row in reader:
            if row:
                _take(row, reader.line_num, found, prefixes)
    except csv.Error:
        raise Refusal(400, None, f"Line {reader.line_num}: not CSV") from None
    if not found:
        raise Refusal(400, None, "The file contains no rules")
    known: list[tuple[Plan, list[Rule]]] = [(_plan(device, name), found[name]) for name in found]
    for plan, its_rules in known:
        rules.replace(world.store, plan, its_rules)
    rules.require_room(world.store, device["id"], device["capacity"])


def _plan(device: Json, name: str) -> Plan:
    """By name only: a plan called 0 is not the first one."""
    for plan in devices.plans(device):
        if plan.name == name:
            return plan
    raise Refusal(400, None, f"Dial plan {name} not found")


def _take(
    row: list[str], line: int, found: dict[str, list[Rule]], prefixes: dict[str, set[str]]
) -> None:
    if len(row) != len(HEADER):
        raise Refusal(400, None, f"Line {line}: expected {len(HEADER)} values")
    plan, name, prefix, tag = row
    for field, value in (("name", name), ("prefix", prefix), ("tag", tag)):
        problem = rules.problem(field, value)
        if problem:
            raise Refusal(400, None, f"Line {line}: {problem}")
    seen = prefixes.setdefault(plan, set())
    if prefix in seen:
        raise Refusal(400, None, f"Line {line}: duplicate prefix")
    seen.add(prefix)
    its_rules = found.setdefault(plan, [])
    its_rules.append(Rule(len(its_rules), name, prefix, tag))
