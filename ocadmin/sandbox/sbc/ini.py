"""``/files/ini``: the running configuration as the device's configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exchange import Json
from . import devices, rules

if TYPE_CHECKING:
    from ..world import World


def write(world: World, device: Json) -> str:
    """Parameters and the two tables of dial plans; nothing else of a device is imitated."""
    plans = devices.plans(device)
    lines = [
        ";**************",
        ";** Ini File **",
        ";**************",
        f";Board: {device['productType']}",
        f";Serial Number: {device['serialNumber']}",
        f";Software Version: {device['versionID']}",
        "",
        "[ DialPlans ]",
        "FORMAT Index = Name;",
        *(f'DialPlans {plan.index} = "{plan.name}";' for plan in plans),
        "[ \\DialPlans ]",
        "",
        "[ DialPlanRule ]",
        "FORMAT Index = DialPlanName, RuleIndex, Name, Prefix, Tag;",
    ]
    place = 0
    for plan in plans:
        for rule in rules.of_plan(world.store, plan):
            values = f'"{plan.name}", {rule.place}, "{rule.name}", "{rule.prefix}", "{rule.tag}"'
            lines.append(f"DialPlanRule {place} = {values};")
            place += 1
    return "\n".join([*lines, "[ \\DialPlanRule ]", ""])
