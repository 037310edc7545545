"""An SBC of the sandbox on the bench: our row for it, its rules, and what happens to it behind our back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from sbc.device import Device
from sbc.dialplan import Rule
from sbc.models import SBC, DialPlanRule
from tests.sandbox_process import Sandbox

SLUG = "us-sp1-sbc"
MINE = [Rule(f"+4420794603{last}", "Harbourline", "trunk1.us.example") for last in (10, 11, 12)]
PREFIXES = [rule.prefix for rule in MINE]
FOREIGN = {"prefix": "+1212", "name": "by hand", "tag": "old trunk"}


class Bench:
    """One device, empty but for a rule that somebody else made, and our row for it."""

    def __init__(self, sandbox: Sandbox, strategy: str) -> None:
        self.sandbox = sandbox
        self.sbc = SBC(name="US SP1 SBC", rest_url=f"{sandbox.url}/sbc/{SLUG}", write_strategy=strategy)
        self.sbc.username, self.sbc.prefix_hash = settings.ENV.client_id, False
        self.sbc.set_password(settings.ENV.client_secret)
        self.sbc.save()
        self.control(rules=[FOREIGN])

    def control(self, **change: Any) -> Any:
        """What somebody does to the device: online, haSync, capacity, hang, restart, rules, deletePlan."""
        return self.sandbox.call("POST", f"/sbc/{SLUG}", change)

    def fault(self, method: str, path: str, **action: Any) -> None:
        """The next matching request goes wrong."""
        self.sandbox.fault({"mount": "sbc", "method": method, "path": path}, action)

    def rules(self, where: str = "running") -> list[Rule]:
        """The rules of OCDialPlan but for the foreign one, in order of their prefix; `where`: running or saved."""
        told = self.sandbox.call("GET", f"/sbc/{SLUG}")[where]
        rules = [Rule(one["prefix"], one["name"], one["tag"]) for one in told]
        assert Rule(**FOREIGN) in rules, "a rule that is not ours was touched"
        return sorted(rule for rule in rules if rule != Rule(**FOREIGN))

    def by_hand(self, *lines: str) -> None:
        """Somebody types commands into OCDialPlan on the device."""
        script = "\n".join(["configure voip", "sbc dial-plan OCDialPlan", *lines, "exit", "exit", ""])
        with Device(self.sbc) as device:
            device.run_script(script)

    def asked(self) -> list[str]:
        """The requests to the device so far, such as "GET /status"."""
        log = self.sandbox.requests()["value"]
        base = f"/sbc/{SLUG}/api/v1"
        return [f"{one['method']} {one['path'].removeprefix(base)}" for one in log if one["path"].startswith(base)]

    def known(self) -> dict[str, tuple[bool, bool | None]]:
        """Prefix to (wanted, present) of our rows."""
        return {row.prefix: (row.wanted, row.present) for row in DialPlanRule.objects.filter(sbc=self.sbc)}


def once(patch: pytest.MonkeyPatch, method: str, act: Callable[[], None]) -> None:
    """Before the next call of `method` of a Device, `act` happens: a hand edit, or a crash."""
    original = getattr(Device, method)

    def first(device: Device, *args: Any) -> Any:
        patch.setattr(Device, method, original)
        act()
        return original(device, *args)

    patch.setattr(Device, method, first)
