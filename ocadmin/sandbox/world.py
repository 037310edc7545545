"""The sandbox as a whole: state, time, mounts, and how one request passes through them."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import control, entra, former_platform, graph, operator_connect
from .clock import Clock
from .exchange import Refusal, Request, Response
from .faults import Fault, Faults
from .jobs import engine
from .jobs.settings import JobSettings
from .jobs.tables import Jobs
from .limits import Limits
from .numbers import Numbers
from .request_log import RequestLog
from .routing import Mount, Route
from .sbc import api as sbc
from .seeds import build_world
from .store import Store
from .tokens import Tokens, require_role

_TENANT_IN_PATH = re.compile(r"/(?:tenants|consents|login)/([^/]+)")


def _health(world: World, request: Request) -> Response:
    return Response(body={"status": "ok"})


@dataclass(frozen=True, slots=True)
class Options:
    """How the process was started; ``token_life`` is in seconds."""

    seed: str = "demo"
    numbers: int = 50_000
    token_life: int = 3599
    control: bool = False
    client_id: str = "console"
    client_secret: str = "sandbox-only-secret"

    @classmethod
    def credentials_from_environment(cls) -> dict[str, str]:
        """Overrides of the made-up login (SIM_CLIENT_ID, SIM_CLIENT_SECRET)."""
        names = {"client_id": "SIM_CLIENT_ID", "client_secret": "SIM_CLIENT_SECRET"}
        return {key: os.environ[name] for key, name in names.items() if os.environ.get(name)}


class World:
    """All imitated systems around one store."""

    def __init__(self, directory: Path, options: Options) -> None:
        self.options = options
        self.store = Store(directory)
        self.faults = Faults()
        self.log = RequestLog()
        if self.store.is_empty:
            self.seed(options.seed, options.numbers)
        self.clock = Clock(self.store)
        self.numbers = Numbers(self.store)
        self.tokens = Tokens(self.store)
        self.jobs = Jobs(self.store)
        self.job_settings = JobSettings(self.store)
        self.limits = Limits()
        self.mounts = {mount.name: mount for mount in self._mounts()}

    def _mounts(self) -> list[Mount]:
        mounts = [entra.MOUNT, operator_connect.MOUNT, graph.MOUNT, sbc.MOUNT]
        mounts += [former_platform.MOUNT, Mount("healthz", (Route("GET", "/healthz", _health),))]
        if self.options.control:
            mounts.append(control.MOUNT)
        return mounts

    def seed(self, name: str, numbers: int, random_seed: int = 42) -> None:
        """Replace the world by a freshly seeded one; issued tokens stay good."""
        self.store.rebuild(lambda connection: build_world(connection, name, numbers, random_seed))

    @property
    def token_life(self) -> int:
        """Life of new tokens in real seconds; the control plane may override the option."""
        changed = self.store.setting("token_life")
        return self.options.token_life if changed is None else int(changed)

    def answer(self, request: Request) -> Response:
        """Answer one request: faults first, then the mount; every request is noted in the log.

        An answer that is kept back is already in the log, and holds up nobody else.
        """
        mount = self.mounts.get(request.mount, Mount("", ()))
        with self.store.lock:
            request.tenant_id = self._tenant_of(request)
        fault = None if mount.name == "_sim" else self.faults.take(request)
        response = self._failing(mount, request, fault) if fault else self._plain(mount, request)
        if mount.name != "_sim":
            with self.store.lock:
                at = self.clock.stamp()
            status = None if response.hang_up else response.status
            self.log.add(request, at, status, fault.id if fault else None)
        if request.linger:
            time.sleep(request.linger)
        return response

    def _plain(self, mount: Mount, request: Request) -> Response:
        """Guard, route, role, handler, with every failure in the mount's own shape."""
        try:
            with self.store.lock:
                engine.advance(self)
                refused = mount.guard(self, request) if mount.guard else None
                if refused is not None:
                    return refused
                route = mount.find(request)
                if route.role:
                    require_role(request.token, route.role)
                return route.handler(self, request)
        except Refusal as refusal:
            return mount.render(request, refusal)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            failure = Refusal(500, None, "The sandbox failed; its standard error says why.")
            return mount.render(request, failure)

    def _failing(self, mount: Mount, request: Request, fault: Fault) -> Response:
        """Answer under a fault rule; the order of its parts is that of ``faults.ACTION_KEYS``."""
        action = fault.action
        if action.get("delayMs"):
            time.sleep(action["delayMs"] / 1000)
        drop = action.get("drop", "none")
        if drop == "before":
            return Response(hang_up=True)
        hook = action.get("onRequest") or {}
        if hook.get("when") == "before":
            control.run_hook(self, request, hook)
        control.run_customer(self, action, "before")
        if fault.replaces_answer and drop != "after_commit":
            own, refusal = fault.answer()
            response = own or mount.render(request, refusal or Refusal(500, None, "No answer."))
        else:
            response = self._plain(mount, request)
        if hook.get("when") != "before":
            control.run_hook(self, request, hook)
        control.run_customer(self, action, "after")
        response.hang_up = response.hang_up or drop == "after_commit"
        response.truncate = bool(action.get("truncate"))
        return response

    def _tenant_of(self, request: Request) -> str | None:
        """The tenant a request names in its path, query, body or token."""
        found = _TENANT_IN_PATH.search(request.path)
        if found:
            return found.group(1)
        for name in ("tenantId", "msTenantId"):
            if name in request.query:
                return request.query[name]
        if request.mount == "graph":
            token = self.tokens.find(request)
            return token.tenant_id if token else None
        return _tenant_in_body(request.body) if request.mount == "oc" else None

    def close(self) -> None:
        """Put everything away; waits shortly for a request that is being handled."""
        if self.store.lock.acquire(timeout=0.5):
            self.store.close()


def _tenant_in_body(body: bytes) -> str | None:
    if b'"tenantId"' not in body:
        return None
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    tenant = value.get("tenantId") if isinstance(value, dict) else None
    return tenant if isinstance(tenant, str) else None
