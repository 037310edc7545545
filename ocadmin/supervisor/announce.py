"""What the person at the terminal is told when the console is up."""

from dataclasses import dataclass
from typing import Any

from . import place
from .upstream import Sandbox


@dataclass(frozen=True)
class Facts:
    """What the block tells. `seconds`: how long the start took."""

    host: str
    port: int
    database: str
    broker: str
    sandbox: Sandbox | None
    operator_url: str
    seconds: float


def block(facts: Facts, sign_in: str, missing: str = "") -> str:
    """Address, sign-in, database, broker, upstreams. `missing`: what does not answer, empty for nothing."""
    if facts.sandbox:
        upstreams = f"SIMULATED: Microsoft and the SBCs are played by the sandbox at {facts.sandbox.url}"
    else:
        upstreams = f"Microsoft's operator API at {facts.operator_url}"
    lines = {
        "address": f"http://{place.in_url(place.dial(facts.host))}:{facts.port}/",
        "sign in": sign_in,
        "database": facts.database,
        "broker": facts.broker,
        "upstreams": upstreams,
        "stop": "Ctrl-C",
    }
    if missing:
        lines["missing"] = missing
    rows = [f"  {name:<10} {text}" for name, text in lines.items()]
    return "\n".join(["", f"The console is ready after {facts.seconds:.1f} s.", *rows, ""])


def complete(parts: Any) -> bool:
    """Whether every part of a /readyz answer is fine."""
    return bool(_parts(parts)) and all(part.get("ok") for part in _parts(parts).values())


def what_is_missing(status: int, parts: Any) -> str:
    """The parts of a /readyz answer that are not fine, in words."""
    bad = [f"{name}: {part.get('why') or 'not ok'}" for name, part in _parts(parts).items() if not part.get("ok")]
    if bad:
        return "; ".join(bad)
    return f"/readyz answers with status {status}" if status else "the web server does not answer"


def _parts(parts: Any) -> dict[str, Any]:
    found = parts.get("parts") if isinstance(parts, dict) else None
    return found if isinstance(found, dict) else {}
