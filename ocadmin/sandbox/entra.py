"""``/login``: the token endpoint of Entra ID, client credentials only (upstreams.md 3 and 9.1)."""

from __future__ import annotations

import hmac
import time
import uuid
from typing import TYPE_CHECKING

from .exchange import Json, Refusal, Request, Response, is_guid
from .routing import Mount, Route
from .tokens import ROLES, Token

if TYPE_CHECKING:
    from .world import World

# Resource part of the scope -> audience.  The first one is Project Synergy (upstreams.md 1.1).
AUDIENCES = {
    "eb63d611-525e-4a31-abd7-0cb33f679599": "oc",
    "oc": "oc",
    "https://graph.microsoft.com": "graph",
    "graph": "graph",
    "platform": "platform",
}

ERRORS = {
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not"),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    90002: (400, "invalid_request", "Tenant was not found. Check the tenant ID."),
    900144: (400, "invalid_request", "The request body must contain the following parameter:"),
    500011: (400, "invalid_resource", "The resource principal was not found in the tenant:"),
    700016: (400, "unauthorized_client", "The application was not found in the directory:"),
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    7000222: (401, "invalid_client", "The provided client secret keys are expired."),
}


class LoginRefusal(Refusal):
    """A refusal that carries an AADSTS number."""

    def __init__(self, number: int, addition: str = "") -> None:
        status, error, text = ERRORS[number]
        super().__init__(status, error, f"AADSTS{number}: {text} {addition}".rstrip())
        self.number = number


def issue_token(world: World, request: Request) -> Response:
    """``POST /login/{tenant}/oauth2/v2.0/token``."""
    form = request.form()
    for name in ("grant_type", "client_id", "client_secret", "scope"):
        if not form.get(name):
            raise LoginRefusal(900144, f"'{name}'.")
    tenant_id = request.parameters["tenant"].lower()
    directory = world.store.setting("directory_tenant_id")
    customer = world.store.documents("tenant").get(tenant_id)
    if not is_guid(tenant_id) or (customer is None and tenant_id != directory):
        raise LoginRefusal(90002)
    if form["grant_type"] != "client_credentials":
        raise LoginRefusal(70003)
    _check_client(world, form)
    audience = _audience(form["scope"])
    if tenant_id != directory and audience != "graph":
        raise LoginRefusal(500011, audience)
    if customer is not None and not customer["graphConnected"]:
        raise LoginRefusal(700016, tenant_id)
    roles = () if form["client_id"] == "noroles" else ROLES[audience]
    expires_at = time.time() + world.token_life
    text = world.tokens.issue(Token(audience, tenant_id, form["client_id"], roles, expires_at))
    life = world.token_life
    body = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
    return Response(body={**body, "access_token": text}, headers={"Cache-Control": "no-store"})


def _check_client(world: World, form: dict[str, str]) -> None:
    """Known clients: the configured one, ``noroles`` and ``expired``, all with the same secret."""
    if form["client_id"] not in (world.options.client_id, "noroles", "expired"):
        raise LoginRefusal(700016, form["client_id"])
    given, expected = form["client_secret"].encode(), world.options.client_secret.encode()
    if not hmac.compare_digest(given, expected):
        raise LoginRefusal(7000215)
    if form["client_id"] == "expired":
        raise LoginRefusal(7000222)


def _audience(scope: str) -> str:
    """The audience of ``<resource>/.default``; exactly one resource may be asked for."""
    resource, slash, rest = scope.strip().rpartition("/")
    if not slash or rest != ".default" or " " in scope.strip() or resource not in AUDIENCES:
        raise LoginRefusal(70011, f"valid: {scope}")
    return AUDIENCES[resource]


def render(request: Request, refusal: Refusal) -> Response:
    """The OAuth error object with Entra's additions (upstreams.md 9.1)."""
    number = getattr(refusal, "number", 90000)
    body: Json = {
        "error": refusal.code if isinstance(refusal, LoginRefusal) else "invalid_request",
        "error_description": refusal.message,
        "error_codes": [number],
        "timestamp": time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()),
        "trace_id": request.request_id,
        "correlation_id": request.correlation_id or str(uuid.uuid4()),
    }
    if not isinstance(refusal, LoginRefusal) and refusal.status >= 429:
        body["error"] = "temporarily_unavailable"
    return Response(refusal.status, body, dict(refusal.headers))


MOUNT = Mount(
    "login",
    (Route("POST", "/login/{tenant}/oauth2/v2.0/token", issue_token),),
    render=render,
)
