"""How rules are read from a device and written to it: functions for each WriteStrategy that asks a device.

Both are built on published pages and were never tried on a real device (upstreams.md §4). An SBC whose rules are
written by hand has none here (by_hand.py).
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
    """`read(device)` looks; `prepare(sbc, plan, difference)` works the difference into the plan just read, and asks no
    device; `send(device, piece)` is one request for each of the pieces that it gave. All raise SBCError.

    They are apart so that everything that takes time is done before the last look at the device: what somebody types
    there between that look and our request is lost with a CSV file, because no device takes one on condition.
    """

    read: Callable[[Device], Plan]
    prepare: Callable[[SBC, Plan, Difference], list[bytes]]
    send: Callable[[Device, bytes], None]


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


def prepare_cli(sbc: SBC, plan: Plan, change: Difference) -> list[bytes]:
    """Only the rules that change. A script works as a whole or not at all."""
    return [script.encode() for script in cli.scripts(sbc.dial_plan, plan.rules, change)]


def send_script(device: Device, piece: bytes) -> None:
    """Run one script."""
    device.run_script(piece.decode())


def read_by_csv(device: Device) -> Plan:
    """Rules by the place of their row. An empty plan and a missing one look the same; writing tells them apart."""
    file = device.read_plan()
    return Plan(file.rules(device.sbc.dial_plan), file.size, file)


def prepare_csv(sbc: SBC, plan: Plan, change: Difference) -> list[bytes]:
    """The whole file, in which only our rows differ. Raises Rejected where no rule of our plan would be left."""
    if plan.file is None:
        raise TypeError("the plan was not read by read_by_csv")
    return [render(merged_csv(sbc, plan.file, change))]


def send_file(device: Device, piece: bytes) -> None:
    """Replace the file."""
    device.put_plan(piece)


def merged_csv(sbc: SBC, file: PlanFile, change: Difference) -> PlanFile:
    """The file with our rules worked in. Raises Rejected where no rule of our plan would be left."""
    merged = merge(file, sbc.dial_plan, change)
    if next(iter(merged.rules(sbc.dial_plan).items()), None) is None:
        said = _("a CSV file cannot empty a dial plan; let the SBC's rules be written by CLI script instead")
        raise Rejected(sbc.name, said=said)
    return merged


STRATEGIES: dict[str, Strategy] = {
    WriteStrategy.CLI_INCREMENTAL: Strategy(read_by_cli, prepare_cli, send_script),
    WriteStrategy.CSV_FILE: Strategy(read_by_csv, prepare_csv, send_file),
}
