"""Access tokens of an Entra tenant: checked against its keys over HTTP."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client

from ocadmin.access import clients
from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission, Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api import authentication, entra
from ocadmin.numbers.models import Customer

from .conftest import Programs

pytestmark = pytest.mark.django_db

TENANT = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
ISSUER, AUDIENCE = f"https://login.example/{TENANT}/v2.0", "api://console"
APP = uuid.UUID("5f3fbb3b-df9b-483d-b294-c7eb01e22aac")
KEYS = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in ("old", "new", "theirs")}


def public(kid: str) -> dict[str, Any]:
    return json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[kid].public_key())) | {"kid": kid, "use": "sig"}


class Tenant:
    """Serves keys, counts who asks."""

    def __init__(self) -> None:
        self.asked, self.code, self.text = 0, 200, ""
        self.serve("old")
        tenant = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tenant.asked += 1
                self.send_response(tenant.code)
                self.end_headers()
                self.wfile.write(tenant.text.encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, *kids: str) -> None:
        unusable = [{"kty": "EC", "kid": "ec"}, {"kty": "RSA", "kid": "broken", "n": "!"}, {"kty": "oct", "kid": "oct"}]
        self.text = json.dumps({"keys": [*unusable, *map(public, kids)]})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/keys"


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    tenant = Tenant()
    monkeypatch.setattr(entra, "_stores", {})
    for name, value in {"issuer": ISSUER, "audience": AUDIENCE, "tenant": TENANT, "jwks_url": tenant.url}.items():
        monkeypatch.setattr(settings.ENV, f"api_jwt_{name}", value)
    yield tenant
    tenant.server.shutdown()
    tenant.server.server_close()


@pytest.fixture
def app(db: None) -> str:
    clients.make("portal", Role.OPERATOR, by=SYSTEM, channel=Channel.COMMAND, entra_app=APP)
    return str(APP)


def token(kid: str = "old", algorithm: str = "RS256", key: Any = None, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tid": TENANT,
        "nbf": now - 5,
        "exp": now + 300,
        "azp": str(APP),
        "roles": ["Admin"],
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key if key is not None else KEYS[kid], algorithm, headers={"kid": kid})


def status(text: str) -> int:
    return Client().get("/api/v3/oc/numbers", headers={"Authorization": f"Bearer {text}"}).status_code


@pytest.mark.parametrize(
    "changes", [{}, {"azp": None, "appid": str(APP).upper()}, {"roles": ["Other", "Lite Operator"]}]
)
def test_a_good_token(tenant: Tenant, app: str, changes: dict[str, Any]) -> None:
    assert status(token(**changes)) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://login.example/other/v2.0"},
        {"aud": "api://other"},
        {"tid": str(uuid.uuid4())},
        {"exp": int(time.time()) - 3600},
        {"nbf": int(time.time()) + 3600},
        {"azp": str(uuid.uuid4())},
        {"azp": "", "appid": ""},
        {"scp": "user_impersonation"},
        *({name: None} for name in ("iss", "aud", "tid", "exp", "nbf", "azp")),
    ],
)
def test_claims_that_are_not_good(tenant: Tenant, app: str, changes: dict[str, Any]) -> None:
    assert status(token(**changes)) == 401


@pytest.mark.parametrize("roles", [None, [], ["King"], "Admin", [None]])
def test_a_token_without_a_role(tenant: Tenant, app: str, roles: Any) -> None:
    assert status(token(roles=roles)) == 403


def test_another_key_under_a_known_id(tenant: Tenant, app: str) -> None:
    assert status(token(key=KEYS["theirs"])) == 401


def test_the_public_key_is_no_shared_secret(tenant: Tenant, app: str) -> None:
    """The attack of the confused algorithm: HS256 with what everybody can fetch."""
    pem = (
        KEYS["old"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head, body, _signature = token().split(".")
    for algorithm in ("HS256", "none", "RS512", "PS256"):
        forged = jwt.utils.base64url_encode(
            json.dumps({"alg": algorithm, "kid": "old", "typ": "JWT"}).encode()
        ).decode()
        signing = f"{forged}.{body}".encode()
        mark = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(signing, pem)
        assert status(f"{forged}.{body}.{jwt.utils.base64url_encode(mark).decode()}") == 401
        assert status(f"{forged}.{body}.") == 401
    assert head


@pytest.mark.parametrize("kid", ["ec", "broken", "oct", "nowhere"])
def test_keys_that_cannot_sign(tenant: Tenant, app: str, kid: str) -> None:
    assert status(token(kid, key=KEYS["theirs"])) == 401


def test_keys_are_fetched_once(tenant: Tenant, app: str) -> None:
    for _n in range(5):
        assert status(token()) == 200
    assert tenant.asked == 1


def test_a_new_key_is_fetched_and_strange_ids_do_not_make_us_ask_again(
    tenant: Tenant, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status(token()) == 200
    tenant.serve("old", "new")
    assert status(token("new")) == 401, "within the same minute nobody asks again"
    assert tenant.asked == 1
    monkeypatch.setattr(entra, "FETCH_SECONDS", 0.0)
    assert status(token("new")) == 200
    assert tenant.asked == 2


@pytest.mark.parametrize(
    ("code", "text"), [(500, ""), (200, "<html>"), (200, "[]"), (200, '{"keys": []}'), (200, "{}")]
)
def test_keys_that_cannot_be_fetched_leave_the_old_ones(
    tenant: Tenant, app: str, monkeypatch: pytest.MonkeyPatch, code: int, text: str
) -> None:
    assert status(token()) == 200
    monkeypatch.setattr(entra, "FETCH_SECONDS", 0.0)
    monkeypatch.setattr(entra, "FRESH_SECONDS", 0.0)
    tenant.code, tenant.text = code, text
    assert status(token()) == 200
    assert tenant.asked == 2


def test_without_any_key_it_is_not_the_callers_fault(tenant: Tenant, app: str) -> None:
    tenant.code = 500
    assert status(token()) == 503


def test_off_without_settings(app: str) -> None:
    assert status(token()) == 401


def test_the_lower_role_holds(tenant: Tenant, app: str) -> None:
    """The application was made an Operator here."""
    for word, permission, may in (
        ("Admin", Permission.RELEASE, True),
        ("Admin", Permission.MANAGE_ACCESS, False),
        ("Lite Operator", Permission.RELOCATE, True),
        ("Lite Operator", Permission.RELEASE, False),
        ("Monitor", Permission.RELOCATE, False),
    ):
        assert authentication.principal_of(token(roles=[word])).can(permission) is may


def test_its_place_holds(tenant: Tenant, contoso: Customer) -> None:
    place = {"customer": contoso}
    clients.make("small", Role.ADMIN, by=SYSTEM, channel=Channel.COMMAND, entra_app=APP, place=place)
    scope = authentication.principal_of(token()).scope()
    assert (scope.everything, scope.customers) == (False, {contoso.pk})


def test_a_client_with_a_secret_is_no_application(tenant: Tenant, program: Programs) -> None:
    assert status(token(azp=program().client.username)) == 401


def test_an_application_has_no_secret(app: str) -> None:
    for secret in ("", "-", "x"):
        body = f"grant_type=client_credentials&client_id={app}&client_secret={secret}"
        answer = Client().post("/oauth2/token", body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 401
