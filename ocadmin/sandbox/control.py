"""``/_sim``: the strings behind the scenes, served only when asked for (upstreams.md 9.8)."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import changes
from .exchange import Json, Refusal, Request, Response, whole_number
from .jobs import engine, release_requests
from .jobs.settings import DEFAULTS
from .routing import Mount, Route
from .sbc import control as sbc
from .seeds import SEEDS

if TYPE_CHECKING:
    from .world import World

STATUS_NAMES = (
    "Active",
    "ReleaseRequested",
    "MarkedForRemoval",
    "ReadyForRemoval",
    "PendingFirstSync",
)


def reset(world: World, request: Request) -> Response:
    """``POST /_sim/reset {"seed", "numbers", "random"}``: a fresh world, no faults, an empty log.

    Issued tokens stay good; the clock follows the wall clock again.
    """
    body = request.json()
    name = body.get("seed", world.options.seed)
    if name not in SEEDS:
        raise Refusal(400, "InvalidSeed", f"seed must be one of {', '.join(SEEDS)}.")
    numbers = whole_number(str(body.get("numbers", world.options.numbers)), "numbers", 0, 5_000_000)
    random_seed = whole_number(str(body.get("random", 42)), "random", 0)
    world.seed(name, numbers, random_seed)
    world.clock.load()
    world.faults.clear()
    world.log.clear()
    world.limits.clear()
    return Response(body=_summary(world))


def get_clock(world: World, request: Request) -> Response:
    """``GET /_sim/clock``."""
    return Response(body=world.clock.describe())


def set_clock(world: World, request: Request) -> Response:
    """``POST /_sim/clock {"mode": "real|manual", "speed": 1, "now": "ISO-8601"}``, all optional."""
    body = request.json()
    mode = body.get("mode", world.clock.mode)
    if mode not in ("real", "manual"):
        raise Refusal(400, "InvalidClock", "mode is real or manual.")
    speed = _number(body, "speed", world.clock.speed)
    try:
        now = body.get("now")
        at = datetime.fromisoformat(now).timestamp() if now else None
    except (TypeError, ValueError):
        raise Refusal(400, "InvalidClock", "now is an ISO-8601 time with a zone.") from None
    world.clock.set(mode, speed, at)
    return Response(body=world.clock.describe())


def advance_clock(world: World, request: Request) -> Response:
    """``POST /_sim/clock/advance {"seconds": 60}``."""
    world.clock.advance(_number(request.json(), "seconds", 0))
    engine.advance(world)
    return Response(body=world.clock.describe())


def _number(body: Json, name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        raise Refusal(400, "InvalidParameter", f"{name} must be a number that is not negative.")
    return value


def add_fault(world: World, request: Request) -> Response:
    """``POST /_sim/faults {"match", "action", "times", "after"}``; see ``faults.py``."""
    return Response(201, world.faults.add(request.json()).describe())


def list_faults(world: World, request: Request) -> Response:
    """``GET /_sim/faults``: rules with how often they were seen and used."""
    return Response(body={"value": world.faults.list()})


def clear_faults(world: World, request: Request) -> Response:
    """``DELETE /_sim/faults``."""
    return Response(body={"deleted": world.faults.clear()})


def list_requests(world: World, request: Request) -> Response:
    """``GET /_sim/requests?since=``: what was asked after that ``seq``, oldest first."""
    since = whole_number(request.query.get("since", "0"), "since", 0)
    entries = world.log.since(since)
    return Response(body={"value": entries, "last": entries[-1]["seq"] if entries else since})


def get_state(world: World, request: Request) -> Response:
    """``GET /_sim/state``: an overview."""
    return Response(body=_summary(world))


def _summary(world: World) -> Json:
    counts = world.numbers.counts()
    by_status = dict.fromkeys(STATUS_NAMES, 0)
    for (_, status), count in counts.items():
        by_status[STATUS_NAMES[status]] += count
    records = world.store.connection.execute("SELECT COUNT(*) FROM platform_number").fetchone()[0]
    return {
        "seed": world.store.setting("seed"),
        "operatorId": world.store.setting("operator_id"),
        "directoryTenantId": world.store.setting("directory_tenant_id"),
        "tokenLife": world.token_life,
        "clock": world.clock.describe(),
        "tenants": _tenants(world, counts),
        "sbcs": sbc.summary(world),
        "sbcDrift": world.store.setting("sbc_drift") or [],
        "numbers": {"total": sum(counts.values()), "byStatus": by_status},
        "platformNumbers": records,
        "jobs": world.jobs.by_status(),
        "releaseRequests": release_requests.by_status(world),
        "jobSettings": world.job_settings.all(),
    }


def _tenants(world: World, counts: dict[tuple[int, int], int]) -> list[Json]:
    tenants = world.store.documents("tenant").values()
    return [
        {
            "tenantId": tenant["tenantId"],
            "name": tenant["name"],
            "consentStatus": tenant["consent"]["status"],
            "customerRelationship": tenant["consent"]["customerRelationship"]["status"],
            "consentedCountries": tenant["consent"]["consentedCountries"],
            "graphConnected": tenant["graphConnected"],
            "numbers": sum(counts.get((place, status), 0) for status in range(5)),
        }
        for place, tenant in enumerate(tenants)
    ]


def put_state(world: World, request: Request) -> Response:
    """``PUT /_sim/state``: merge ``tokenLife``, ``tenants`` (by id), ``sbcs`` (by slug).

    Also every setting of the jobs (``jobs/settings.py``), such as ``durations``, ``lag``, ``hold``.
    """
    body = request.json()
    unknown = set(body) - {"tokenLife", "tenants", "sbcs", *DEFAULTS}
    if unknown:
        raise Refusal(400, "InvalidState", f"Cannot be set: {', '.join(sorted(unknown))}.")
    with world.store.transaction():
        if "tokenLife" in body:
            life = whole_number(str(body["tokenLife"]), "tokenLife", 0, 86_400)
            world.store.set_setting("token_life", life)
        for change in body.get("tenants", []):
            changes.change_tenant(world, change)
        for change in body.get("sbcs", []):
            sbc.change(world, str(change.get("slug")), change)
        world.job_settings.change(body)
        engine.release_held(world)
        engine.advance(world)
    return Response(body=_summary(world))


def customer(world: World, request: Request) -> Response:
    """``POST /_sim/customer``: what the customer's own Teams administrator does."""
    return Response(body=changes.customer_acts(world, request.json()))


def change_numbers(world: World, request: Request) -> Response:
    """``POST /_sim/numbers {"upsert": [...], "delete": [...], "every": {...}}``."""
    return Response(body=changes.change_numbers(world, request.json()))


def revoke_tokens(world: World, request: Request) -> Response:
    """``DELETE /_sim/tokens``: every token answers 401 from now on."""
    return Response(body={"revoked": world.tokens.revoke_all()})


def run_hook(world: World, request: Request, hook: dict[str, Any]) -> None:
    """The ``onRequest`` part of a fault, so that a list changes while it is read (F27)."""
    if hook:
        with world.store.lock:
            changes.shift(world, hook, request.tenant_id)


def run_customer(world: World, action: Json, when: str) -> None:
    """The ``customer`` part of a fault: what the customer does just before or after (F16).

    It takes what ``POST /_sim/customer`` takes and ``when`` (``after`` unless told otherwise).  A
    customer who comes too late is refused, which nobody but standard error is told.
    """
    act = action.get("customer")
    if not act or act.get("when", "after") != when:
        return
    try:
        with world.store.lock:
            engine.advance(world)
            changes.customer_acts(world, act)
    except Refusal as refusal:
        print(f"sandbox: the customer was refused: {refusal.message}", file=sys.stderr)


MOUNT = Mount(
    "_sim",
    (
        Route("POST", "/_sim/reset", reset),
        Route("GET", "/_sim/clock", get_clock),
        Route("POST", "/_sim/clock", set_clock),
        Route("POST", "/_sim/clock/advance", advance_clock),
        Route("POST", "/_sim/faults", add_fault),
        Route("GET", "/_sim/faults", list_faults),
        Route("DELETE", "/_sim/faults", clear_faults),
        Route("GET", "/_sim/requests", list_requests),
        Route("GET", "/_sim/state", get_state),
        Route("PUT", "/_sim/state", put_state),
        Route("GET", "/_sim/sbc/{name}", sbc.get),
        Route("POST", "/_sim/sbc/{name}", sbc.post),
        Route("POST", "/_sim/customer", customer),
        Route("POST", "/_sim/numbers", change_numbers),
        Route("DELETE", "/_sim/tokens", revoke_tokens),
    ),
)
