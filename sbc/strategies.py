"""How rules are read from a device and written to it: one pair of functions for each WriteStrategy that asks a device.

Both are built on published pages and were never tried on a real device (upstreams.md §4). An SBC whose rules are
written by hand has no pair here (by_hand.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from . import cli
from .device import Device
from .dialplan import Difference, PlanFile, Rules, UnreadablePlan, merge, render
from .errors import BadAnswer, PlanMissing, Rejected
from .models import SBC, WriteStrategy


@dataclass(frozen=True, slots=True)
class Plan:
    """One dial plan as it was read. Two that are equal were not edited in between.

    `rules` have the keys that the strategy writes by, and may be looked at more than once; `table_size` counts the
    rules of all plans of the device; `file` is what the CSV strategy read.
    """

    rules: Rules
    table_size: int
    file: PlanFile | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """`read(device)` looks; `write(device, plan, difference, before_each)` works a difference into the plan just read.

    `before_each` is called before every request that changes something. Both raise SBCError.
    """

    read: Callable[[Device], Plan]
    write: Callable[[Device, Plan, Difference, Callable[[], None]], None]


def read_by_cli(device: Device) -> Plan:
    """Rules by their index, from a `show` command."""
    try:
        return plan_of_cli(device.sbc, device.show(cli.SHOW))
    except UnreadablePlan as problem:
        raise BadAnswer(device.sbc.name, str(problem), retryable=True) from None


def plan_of_cli(sbc: SBC, output: str) -> Plan:
    """The SBC's plan in the output of `cli.SHOW`. Raises UnreadablePlan, PlanMissing."""
    plans = cli.read_plans(output)
    if sbc.dial_plan not in plans:
        raise PlanMissing(sbc.name, plan=sbc.dial_plan)
    return Plan(plans[sbc.dial_plan], sum(len(rules) for rules in plans.values()))


def write_by_cli(device: Device, plan: Plan, change: Difference, before_each: Callable[[], None]) -> None:
    """Only the rules that change. A script works as a whole or not at all."""
    for script in cli.scripts(device.sbc.dial_plan, plan.rules, change):
        before_each()
        device.run_script(script)


def read_by_csv(device: Device) -> Plan:
    """Rules by the place of their row. An empty plan and a missing one look the same; writing tells them apart."""
    file = device.read_plan()
    return Plan(file.rules(device.sbc.dial_plan), file.size, file)


def write_by_csv(device: Device, plan: Plan, change: Difference, before_each: Callable[[], None]) -> None:
    """The whole file, in which only our rows differ. Raises Rejected where no rule of our plan would be left."""
    if plan.file is None:
        raise TypeError("the plan was not read by read_by_csv")
    merged = merged_csv(device.sbc, plan.file, change)
    before_each()
    device.put_plan(render(merged))


def merged_csv(sbc: SBC, file: PlanFile, change: Difference) -> PlanFile:
    """The file with our rules worked in. Raises Rejected where no rule of our plan would be left."""
    merged = merge(file, sbc.dial_plan, change)
    if next(iter(merged.rules(sbc.dial_plan).items()), None) is None:
        said = _("a CSV file cannot empty a dial plan; let the SBC's rules be written by CLI script instead")
        raise Rejected(sbc.name, said=said)
    return merged


STRATEGIES: dict[str, Strategy] = {
    WriteStrategy.CLI_INCREMENTAL: Strategy(read_by_cli, write_by_cli),
    WriteStrategy.CSV_FILE: Strategy(read_by_csv, write_by_csv),
}
