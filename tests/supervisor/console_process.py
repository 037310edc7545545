"""`manage.py run` as a real process, and the processes below it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.sandbox_process import free_port

BASE_DIR = Path(__file__).resolve().parent.parent.parent
OURS = ("OCADMIN_", "DATABASE_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "PYTEST", "HOST", "PORT")
# A Microsoft that nobody asks anything: the run starts neither a sandbox nor its demonstration data.
WITHOUT_SANDBOX = {
    "OCADMIN_OPERATOR_URL": "http://127.0.0.1:9/oc",
    "OCADMIN_OPERATOR_ID": "operator",
    "OCADMIN_ENTRA_TENANT": "tenant",
    "OCADMIN_CLIENT_ID": "client",
    "OCADMIN_CLIENT_SECRET": "asked-of-nobody",
    "OCADMIN_SYNC_MINUTES": "0",
}


def environment(**more: str) -> dict[str, str]:
    """The environment of somebody who has set nothing, and `more`."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | more


def manage(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py to its end."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=BASE_DIR, env=environment(**env), capture_output=True, text=True, timeout=120, check=False
    )


def processes() -> dict[int, tuple[int, str]]:
    """All living processes: id to parent and command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # gone meanwhile
            continue
        if stat[0] != "Z":
            found[int(folder.name)] = (int(stat[1]), line.strip())
    return found


def below(pid: int) -> dict[int, str]:
    """The descendants of a process: id to command line."""
    table = processes()
    found: dict[int, str] = {}
    front = {pid}
    while front:
        front = {child for child, (parent, _line) in table.items() if parent in front and child not in found}
        found |= {child: table[child][1] for child in front}
    return found


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """The first true value of `condition`; fails after `seconds`."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class ConsoleProcess:
    """One running console. Reads its output all the time, as a terminal does."""

    def __init__(self, data: Path, *arguments: str, port: int | None = None, **env: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "run", *arguments],
            cwd=BASE_DIR,
            env=environment(OCADMIN_DATA_DIR=str(data), PORT=str(self.port), **env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        """All it has said so far."""
        return "\n".join(self.lines)

    def wait_ready(self) -> "ConsoleProcess":
        """Until it says that it is ready."""

        def ready() -> bool:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.output}"
            return "stop       Ctrl-C" in self.output

        try:
            wait_for(ready, "the console", 90)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.output}") from None
        return self

    def child(self, part: str) -> int:
        """The id of the direct child whose command line contains `part`."""

        def find() -> int | None:
            table = processes()
            mine = [pid for pid, (parent, line) in table.items() if parent == self.process.pid and part in line]
            return mine[0] if mine else None

        return wait_for(find, f"a child with {part!r}")

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of a GET; (0, None) where nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except OSError:
            return 0, None

    def end(self, number: int = signal.SIGTERM, seconds: float = 20) -> int:
        """Send a signal and wait for the end. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=seconds)
        self._reader.join(5)
        return code
