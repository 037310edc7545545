"""The sandbox as a real process, for tests that talk to Microsoft's stand-in over HTTP."""

import json
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any


def free_port() -> int:
    """A loopback TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sandbox:
    """A running sandbox and its control plane."""

    def __init__(self, data: Path, *arguments: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "ocadmin.sandbox", "--port", str(port), "--data", str(data), "--control"]
        self.process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "ready" in line, f"the sandbox did not start: {line!r}"

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=10)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the control plane (`/_sim` + path). Returns the JSON answer, None for an empty one."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_sim{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def reset(self, seed: str = "demo", **more: Any) -> Any:
        """Start again from a seed, without faults."""
        return self.call("POST", "/reset", {"seed": seed, **more})

    def state(self) -> Any:
        """Operator, tenants, SBCs, counts."""
        return self.call("GET", "/state")

    def fault(self, match: dict[str, Any], action: dict[str, Any], times: int = 1) -> Any:
        """Let the next `times` matching requests go wrong."""
        return self.call("POST", "/faults", {"match": match, "action": action, "times": times})

    def numbers(self, **changes: Any) -> Any:
        """Change Microsoft's numbers: upsert=[…], delete=[…]."""
        return self.call("POST", "/numbers", changes)

    def requests(self) -> Any:
        """The log of requests so far."""
        return self.call("GET", "/requests")
