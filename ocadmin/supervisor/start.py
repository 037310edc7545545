"""From nothing to a running console, and on to its end."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from django.conf import settings
from django.db import connection

from ocadmin.environment import Environment

from . import announce, broker, place, services, upkeep, upstream
from .child import end_with_parent
from .family import Family
from .probe import get_json
from .problems import AskedToStop, CannotRun

SECONDS_FOR_A_SERVER = 60.0
SECONDS_FOR_THE_REST = 15.0


def run(out: TextIO, *, with_parent: bool = False) -> int:
    """Run the console until somebody asks it to stop. Returns 0 then, 1 where it could not start or go on.

    `with_parent`: end as well when the process that started this one dies.
    """
    if with_parent:
        parent = os.getppid()
        if not end_with_parent(parent, signal.SIGTERM):
            return 1
    family = Family(out)
    try:
        with _signals():
            try:
                Console(settings.ENV, family).run()
            finally:
                family.stop()
    except CannotRun as problem:
        out.flush()
        sys.stderr.write(f"ocadmin cannot run: {problem}\n")
        return 1
    except AskedToStop:
        family.say("stopped")
    return 0


@contextmanager
def _signals() -> Iterator[None]:
    """Turn INT, TERM and HUP into AskedToStop; HUP stays ignored where it is (nohup)."""

    def ask(number: int, frame: FrameType | None) -> None:
        raise AskedToStop(number)

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Console:
    """One run of the console."""

    def __init__(self, env: Environment, family: Family) -> None:
        self.env = env
        self.family = family
        self.data_dir = Path(env.data_dir).resolve()
        self.started = time.monotonic()
        self.broker = "given in CELERY_BROKER_URL"
        self.child_settings: dict[str, str] = {}

    def run(self) -> None:
        """Returns never: ends by AskedToStop or CannotRun."""
        with place.lock(self.data_dir), place.bind(self.env.host, self.env.port) as listener:
            sandbox = upstream.choose(self.env, self.data_dir)
            self._name_hosts()
            if os.geteuid() == 0:
                self.family.say("warning: this runs as root; a user without rights on the rest of the system is safer")
            self._start_broker()
            if sandbox and sandbox.ours:
                self.family.start(services.sandbox_server(sandbox, self.data_dir))
            empty = self._prepare()
            if sandbox:
                self._point_at(sandbox)
            self._start_console(listener.fileno())
            if sandbox and empty:
                self._load_demo()
            self._finish(sandbox)
            while True:
                self.family.tend()

    def _name_hosts(self) -> None:
        hosts = place.allowed_hosts(self.env.host, self.env.allowed_hosts)
        self.child_settings["OCADMIN_ALLOWED_HOSTS"] = ",".join(hosts)
        if self.env.host in place.EVERYWHERE:
            self.family.say(
                f"warning: HOST={self.env.host} answers on every network of this machine, without encryption; "
                f"it answers to the names {', '.join(hosts)} (others: OCADMIN_ALLOWED_HOSTS)"
            )

    def _start_broker(self) -> None:
        if self.env.celery_broker_url:
            broker.check(self.env.celery_broker_url)
            return
        binary, socket = broker.server_binary(), broker.socket_path(self.data_dir)
        self.broker = f"{binary}, started with the console"
        self.child_settings["CELERY_BROKER_URL"] = broker.url(socket)
        self.family.start(services.broker_server(binary, socket, self.data_dir))

    def _prepare(self) -> bool:
        """Database and static files. True when there is no number yet."""
        from ocadmin.numbers.models import PhoneNumber

        upkeep.open_database()
        applied = upkeep.migrate()
        if applied:
            self.family.say(f"database: {applied} migrations applied")
        if upkeep.collect_static(self.data_dir):
            self.family.say("static files collected")
        return not PhoneNumber.objects.exists()

    def _point_at(self, sandbox: upstream.Sandbox) -> None:
        """Wait for the sandbox and let the processes of the console use it."""
        if not self.family.wait_until(lambda: sandbox.state() is not None, SECONDS_FOR_A_SERVER if sandbox.ours else 1):
            raise CannotRun(f"the sandbox at {sandbox.url} does not answer.")
        self.child_settings |= upstream.settings_for(sandbox, self.env, sandbox.state() or {})
        if sandbox.before:
            _move_devices(sandbox.before, sandbox.url)

    def _start_console(self, descriptor: int) -> None:
        connection.close()
        env = services.environment(self.child_settings)
        for command in (services.web(env, descriptor), services.worker(env), services.beat(env)):
            self.family.start(command)

    def _load_demo(self) -> None:
        self.family.say("the database is empty: loading the demonstration data")
        env = services.environment(self.child_settings)
        if self.family.run_once(services.load_demo(env)):
            self.family.say("the demonstration data could not be loaded; the next start tries again")

    def _finish(self, sandbox: upstream.Sandbox | None) -> None:
        """Wait until everything answers, then say where it is."""
        if not self.family.wait_until(lambda: self._ready()[0] == 200, SECONDS_FOR_A_SERVER):
            status, parts = self._ready()
            raise CannotRun(f"the console does not become ready: {announce.what_is_missing(status, parts)}.")
        self.family.wait_until(lambda: announce.complete(self._ready()[1]), SECONDS_FOR_THE_REST)
        _status, parts = self._ready()
        facts = announce.Facts(
            host=self.env.host,
            port=self.env.port,
            database=upkeep.describe_database(),
            broker=self.broker,
            sandbox=sandbox,
            operator_url=self.env.operator_url,
            seconds=time.monotonic() - self.started,
        )
        missing = "" if announce.complete(parts) else announce.what_is_missing(200, parts)
        self.family.say(announce.block(facts, _sign_in(), missing))
        connection.close()

    def _ready(self) -> tuple[int, Any]:
        """Status and parts of /readyz, asked as the console's own users ask."""
        url = f"http://{place.in_url(place.dial(self.env.host))}:{self.env.port}/readyz"
        name = self.child_settings["OCADMIN_ALLOWED_HOSTS"].split(",")[0].lstrip(".").replace("*", "localhost")
        headers = {"Host": name} | ({"X-Forwarded-Proto": "https"} if self.env.https else {})
        return get_json(url, 3, headers)


def _sign_in() -> str:
    """Make the administrator where there is nobody yet, and say how to sign in."""
    from ocadmin.management.commands.create_administrator import describe, ensure_administrator

    return describe(ensure_administrator())


def _move_devices(before: str, now: str) -> None:
    """The sandbox has another port than last time: the SBC records that point at it follow."""
    from sbc.models import SBC

    for device in SBC.objects.filter(rest_url__startswith=f"{before}/"):
        device.rest_url = now + device.rest_url.removeprefix(before)
        device.save(update_fields=["rest_url"])
