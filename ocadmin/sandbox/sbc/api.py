"""``/sbc/{name}/api/v1``: the management interface of a Mediant SBC (upstreams.md 4, 9.6)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..exchange import Json, Refusal, Request, Response
from ..routing import Handler, Mount, Route
from . import alarms, cli, dialplan, ini, rules, uploads
from .devices import find, update

if TYPE_CHECKING:
    from ..world import World

BASE = "/sbc/{name}/api/v1"
REALM = "Mediant"
# A user with the level Monitor; the administrator is the sandbox's client (upstreams.md 9.7 F23).
MONITOR = "monitor"
# No published page names the word for this; "Operational" and "Not Operational" are published.
SYNCHRONIZING = "Synchronizing"
Act = Callable[["World", Json, Request], Response]


def guard(world: World, request: Request) -> Response | None:
    """An offline SBC does not answer at all; a running one asks for a password each time.

    ``hang`` is how long either takes over it.
    """
    device = find(world, request.segments[1] if len(request.segments) > 1 else "")
    request.linger = device["hang"]
    if not device["online"]:
        return Response(hang_up=True)
    request.user = _user(world, request)
    if request.user is None:
        challenge = {"WWW-Authenticate": f'Basic realm="{REALM}"'}
        raise Refusal(401, None, "User name or password is wrong.", headers=challenge)
    return None


def _user(world: World, request: Request) -> str | None:
    """Who has logged in with the right password, None when nobody has."""
    given = _login(request)
    for user in (world.options.client_id, MONITOR):
        if hmac.compare_digest(given, f"{user}:{world.options.client_secret}".encode()):
            return user
    return None


def _login(request: Request) -> bytes:
    """``user:password`` of Basic authentication, empty when there is none."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _reading(act: Act, *, monitor: bool = True) -> Handler:
    """A handler that looks; ``monitor`` says whether the level Monitor is enough."""

    def handler(world: World, request: Request) -> Response:
        if not monitor:
            _require_administrator(request)
        return act(world, find(world, request.parameters["name"]), request)

    return handler


def _writing(act: Act) -> Handler:
    """A handler that changes the SBC: as a whole or not at all, and one at a time.

    403 for the monitor; 409 while HA synchronizes or an earlier change still runs, which it does
    for as long as the SBC takes to answer it.
    """

    def handler(world: World, request: Request) -> Response:
        _require_administrator(request)
        device = find(world, request.parameters["name"])
        if device["haSync"]:
            raise Refusal(409, None, "HA synchronization is in progress")
        if device["runningUntil"] > time.time():
            request.linger = 0
            raise Refusal(409, None, "Another script is running")
        if device["hang"]:
            device = update(world, device, runningUntil=time.time() + device["hang"])
        with world.store.transaction():
            return act(world, device, request)

    return handler


def _require_administrator(request: Request) -> None:
    if request.user == MONITOR:
        raise Refusal(403, None, "The user's privilege level is too low.")


def status(world: World, device: Json, request: Request) -> Response:
    """``GET /status``; the up time counts virtual seconds since the last restart.

    Devices differ in how they write booleans (upstreams.md 4), so one SBC uses strings.
    """
    body = {
        "localTimeStamp": world.clock.stamp(),
        "ipAddress": device["ipAddress"],
        "subnetMask": "255.255.255.0",
        "defaultGateway": re.sub(r"\d+$", "1", device["ipAddress"]),
        "productType": device["productType"],
        "versionID": device["versionID"],
        "protocolType": "SIP",
        "operationalState": "LOCKED" if device["locked"] else "UNLOCKED",
        "highAvailability": SYNCHRONIZING if device["haSync"] else device["highAvailability"],
        "serialNumber": device["serialNumber"],
        "macAddress": device["macAddress"],
        "systemUpTime": int(world.clock.now() - device.get("startedAt", 0)),
        "saveNeeded": _boolean(device, device["saveNeeded"]),
        "resetNeeded": _boolean(device, False),
        "upgradeStatus": "Idle",
        "mcUpgradeStatus": "Idle",
        "osType": "CentOS 8",
        "acceleratedNetworking": False,
    }
    return Response(body=body)


def _boolean(device: Json, value: bool) -> bool | str:
    return str(value).lower() if device["booleansAsText"] else value


def active_alarms(world: World, device: Json, request: Request) -> Response:
    """``GET /alarms/active[?limit&after&before]``."""
    return alarms.active(device, request)


def get_dial_plans(world: World, device: Json, request: Request) -> Response:
    """``GET /files/dialplan``: the running rules as CSV."""
    return Response(body=dialplan.write(world, device), content_type="text/csv; charset=utf-8")


def put_dial_plans(world: World, device: Json, request: Request) -> Response:
    """``PUT /files/dialplan``: a form with the field ``file``, or the CSV itself as text/csv."""
    dialplan.load(world, device, uploads.text_of(request, raw_type="text/csv"))
    update(world, device, saveNeeded=True)
    return _done("Dial plan file was loaded.")


def run_script(world: World, device: Json, request: Request) -> Response:
    """``PUT /files/cliScript/incremental``: a form with the field ``file``."""
    output, wrote = cli.run(world, device, uploads.text_of(request))
    if wrote:
        update(world, device, saveNeeded=True)
    return _done("Incremental CLI Script file was loaded.", output=output)


def get_ini(world: World, device: Json, request: Request) -> Response:
    """``GET /files/ini``: the whole running configuration."""
    return Response(body=ini.write(world, device), content_type="text/plain; charset=utf-8")


def save(world: World, device: Json, request: Request) -> Response:
    """``POST /actions/saveConfiguration``: what runs is what a restart brings back."""
    rules.copy(world.store, device["id"], rules.RUNNING, rules.SAVED)
    update(world, device, saveNeeded=False, saves=device["saves"] + 1)
    return Response(body={"description": "Configuration saved"})


def _done(description: str, **more: str) -> Response:
    return Response(body={"status": "success", "description": description, **more})


def render(request: Request, refusal: Refusal) -> Response:
    """The device's short error object (upstreams.md 9.6)."""
    body = {"status": "error", "description": refusal.message}
    return Response(refusal.status, body, dict(refusal.headers))


MOUNT = Mount(
    "sbc",
    (
        Route("GET", f"{BASE}/status", _reading(status)),
        Route("GET", f"{BASE}/alarms/active", _reading(active_alarms)),
        Route("GET", f"{BASE}/files/dialplan", _reading(get_dial_plans)),
        Route("PUT", f"{BASE}/files/dialplan", _writing(put_dial_plans)),
        Route("PUT", f"{BASE}/files/cliScript/incremental", _writing(run_script)),
        Route("GET", f"{BASE}/files/ini", _reading(get_ini, monitor=False)),
        Route("POST", f"{BASE}/actions/saveConfiguration", _writing(save)),
    ),
    guard=guard,
    render=render,
)
