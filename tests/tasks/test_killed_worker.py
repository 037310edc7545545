"""kill -9 of the worker in the middle of a large synchronisation: it goes on, and nothing is lost or doubled.

Everything is real here: the sandbox, a broker, a Celery worker and its clock, a database file of its own.
"""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocadmin.supervisor import broker, child
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.slow

NUMBERS = 50_000
PATIENCE_SECONDS = 400
ROOT = Path(__file__).resolve().parents[2]


class House:
    """The console's processes around one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.sandbox = Sandbox(data / "sandbox", "--seed", "large", "--numbers", str(NUMBERS))
        state = self.sandbox.state()
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "ocadmin.settings",
            "OCADMIN_DATA_DIR": str(data),
            "OCADMIN_SANDBOX_URL": self.sandbox.url,
            "OCADMIN_OPERATOR_ID": state["operatorId"],
            "OCADMIN_ENTRA_TENANT": state["directoryTenantId"],
            "OCADMIN_CLIENT_ID": "console",
            "OCADMIN_CLIENT_SECRET": "sandbox-only-secret",
            "OCADMIN_SYNC_MINUTES": "0",
            "DATABASE_URL": f"sqlite:///{data / 'console.sqlite3'}",
            "CELERY_BROKER_URL": broker.url(data / "broker.sock"),
        }
        self.processes = [self.start(*broker.argv(broker.server_binary(), data / "broker.sock", data))]
        self.manage("migrate", "-v0")
        self.processes.append(self.celery("beat", "--schedule", str(data / "beat")))

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        log = (self.data / "processes.log").open("ab")
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=child.leash(),
        )

    def celery(self, *command: str) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "celery", "-A", "ocadmin.celery", *command)

    def worker(self) -> subprocess.Popen[bytes]:
        return self.celery("worker", "-P", "threads", "-c", "2")

    def manage(self, *command: str) -> None:
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, check=True)

    def rows(self, sql: str) -> list[tuple]:
        """What stands in the database now."""
        connection = sqlite3.connect(f"file:{self.data / 'console.sqlite3'}?mode=ro", uri=True, timeout=20)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def one(self, sql: str) -> int:
        return self.rows(sql)[0][0]

    def wait(self, sql: str, least: int = 1) -> None:
        """Until the query answers at least `least`."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while self.one(sql) < least:
            assert time.monotonic() < ends, f"{sql} stayed below {least}: {self.rows('SELECT * FROM tasks_task')}"
            time.sleep(0.05)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=20)
        self.sandbox.stop()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.stop()


def kill(process: subprocess.Popen[bytes]) -> None:
    """The whole process group, as an out-of-memory kill or a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_large_synchronisation_survives_kill_9_at_every_stage(house: House) -> None:
    house.manage("sync", "--no-wait")
    stages = [
        ("SELECT count(*) FROM numbers_stagednumber", 5_000),
        ("SELECT count(*) FROM numbers_stagednumber", 30_000),
        ("SELECT done FROM tasks_task", 3_000),
        ("SELECT done FROM tasks_task", 20_000),
        ("SELECT done FROM tasks_task", 45_000),
    ]
    for sql, least in stages:
        worker = house.worker()
        house.processes.append(worker)
        house.wait(sql, least)
        kill(worker)
    house.processes.append(house.worker())
    house.wait("SELECT state NOT IN ('queued', 'running', 'waiting') FROM tasks_task")

    upstream = house.sandbox.state()["numbers"]["total"]
    assert house.rows("SELECT state, done, succeeded, unchanged, failed FROM tasks_task") == [
        ("succeeded", upstream, upstream, 0, 0)
    ]
    assert house.rows("SELECT count(*), count(DISTINCT e164) FROM numbers_phonenumber") == [(upstream, upstream)]
    entries = "FROM access_auditentry WHERE action = 'sync.new' AND object_type = 'number'"
    assert house.rows(f"SELECT count(*), count(DISTINCT object_id) {entries}") == [(upstream, upstream)]
    assert house.one("SELECT count(*) FROM tasks_taskitem") == upstream
    assert house.one("SELECT count(*) FROM numbers_stagednumber") == 0
