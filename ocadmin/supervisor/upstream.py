"""Who speaks for Microsoft: the real one, a sandbox that is running elsewhere, or one that we start."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocadmin.environment import REAL_ONLY, Environment

from . import place
from .probe import get_json
from .problems import CannotRun

CLIENT = {"OCADMIN_CLIENT_ID": "console", "OCADMIN_CLIENT_SECRET": "sandbox-only-secret"}


@dataclass(frozen=True)
class Sandbox:
    """A stand-in: its address, whether we run it, and the address it had at the last start (empty: the same)."""

    url: str
    ours: bool
    before: str = ""

    def state(self) -> dict[str, Any] | None:
        """What its control plane tells; None as long as it does not answer."""
        status, state = get_json(f"{self.url}/_sim/state", timeout=5)
        return state if status == 200 and isinstance(state, dict) else None

    def argv(self, data_dir: Path) -> list[str]:
        """The command line of our own one."""
        port = self.url.rsplit(":", 1)[1]
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            port,
            "--data",
            str(data_dir / "sandbox"),
            "--seed",
            "drift",
            "--control",
        ]
        return [sys.executable, "-m", "ocadmin.sandbox", *options]


def choose(env: Environment, data_dir: Path) -> Sandbox | None:
    """The sandbox to use, None for the real Microsoft.

    Raises CannotRun where the settings contradict each other: a real secret must never travel to a stand-in.
    """
    if env.sandbox_url:
        # Asked of the environment: the settings have put the sandbox's own address into `operator_url` by now.
        if os.environ.get("OCADMIN_OPERATOR_URL"):
            raise CannotRun("OCADMIN_OPERATOR_URL and OCADMIN_SANDBOX_URL exclude each other: unset one of them.")
        return Sandbox(env.sandbox_url, ours=False)
    if env.operator_url:
        return None
    given = [f"OCADMIN_{name.upper()}" for name in REAL_ONLY if getattr(env, name)]
    if given:
        raise CannotRun(
            f"{given[0]} is set, but OCADMIN_OPERATOR_URL is not: set it to reach Microsoft, "
            f"or unset {given[0]} to use the sandbox."
        )
    return _our_own(data_dir)


def _our_own(data_dir: Path) -> Sandbox:
    """The port of the last start where it is still free: SBC records hold this address."""
    file = data_dir / "sandbox.port"
    text = file.read_text().strip() if file.exists() else ""
    before = int(text) if text.isdigit() and 0 < int(text) < 65536 else 0
    port = before if before and place.port_is_free(before) else place.free_port()
    if port != before:
        file.write_text(f"{port}\n")
    moved = f"http://127.0.0.1:{before}" if before and port != before else ""
    return Sandbox(f"http://127.0.0.1:{port}", ours=True, before=moved)


def settings_for(sandbox: Sandbox, env: Environment, state: dict[str, Any]) -> dict[str, str]:
    """Environment variables that point our processes at the sandbox; what is set already wins."""
    told = {
        "OCADMIN_SANDBOX_URL": sandbox.url,
        "OCADMIN_OPERATOR_ID": str(state.get("operatorId", "")),
        "OCADMIN_ENTRA_TENANT": str(state.get("directoryTenantId", "")),
        **CLIENT,
    }
    return {name: getattr(env, name.removeprefix("OCADMIN_").lower()) or value for name, value in told.items()}
