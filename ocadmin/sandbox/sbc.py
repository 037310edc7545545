"""``/sbc/{name}/api/v1``: the management interface of a Mediant SBC (upstreams.md 4, 9.6)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING

from .exchange import Json, Refusal, Request, Response
from .routing import Mount, Route

if TYPE_CHECKING:
    from .world import World

REALM = "Mediant"


def slug(name: str) -> str:
    """``US SP1 SBC`` -> ``us-sp1-sbc``: how an SBC is named in an address."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def find(world: World, name: str) -> Json:
    """The SBC with this slug, or 404."""
    for device in world.store.documents("sbc").values():
        if device["slug"] == name:
            found: Json = device
            return found
    raise Refusal(404, None, f"There is no SBC '{name}'.")


def guard(world: World, request: Request) -> Response | None:
    """An offline SBC does not answer at all; a running one asks for a password each time."""
    device = find(world, request.segments[1] if len(request.segments) > 1 else "")
    if not device["online"]:
        return Response(hang_up=True)
    expected = f"{world.options.client_id}:{world.options.client_secret}".encode()
    if not hmac.compare_digest(_login(request), expected):
        challenge = {"WWW-Authenticate": f'Basic realm="{REALM}"'}
        raise Refusal(401, None, "User name or password is wrong.", headers=challenge)
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


def status(world: World, request: Request) -> Response:
    """``GET /status``; the up time counts virtual seconds since the last restart.

    Devices differ in how they write booleans (upstreams.md 4), so one SBC uses strings.
    """
    device = find(world, request.parameters["name"])
    started = device.get("startedAt", 0)
    body = {
        "localTimeStamp": world.clock.stamp(),
        "ipAddress": device["ipAddress"],
        "subnetMask": "255.255.255.0",
        "defaultGateway": re.sub(r"\d+$", "1", device["ipAddress"]),
        "productType": device["productType"],
        "versionID": device["versionID"],
        "protocolType": "SIP",
        "operationalState": "UNLOCKED",
        "highAvailability": device["highAvailability"],
        "serialNumber": device["serialNumber"],
        "macAddress": device["macAddress"],
        "systemUpTime": int(world.clock.now() - started),
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


def render(request: Request, refusal: Refusal) -> Response:
    """The device's short error object (upstreams.md 9.6)."""
    body = {"status": "error", "description": refusal.message}
    return Response(refusal.status, body, dict(refusal.headers))


MOUNT = Mount(
    "sbc",
    (Route("GET", "/sbc/{name}/api/v1/status", status),),
    guard=guard,
    render=render,
)
