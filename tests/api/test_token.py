"""POST /oauth2/token, and the tokens that it gives."""

import base64
import time
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ocadmin.access.models import ApiClient, Membership, RateWindow, User
from ocadmin.access.permissions import Role
from ocadmin.api import oauth, tokens
from tests.factories import PhoneNumberFactory

from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
PATH = "v3/oc/numbers"


def ask(program: Program, http: Client | None = None, **changes: Any) -> Any:
    """The answer to a request with form fields; a change to None leaves the field out."""
    fields = {
        "grant_type": "client_credentials",
        "client_id": program.client.username,
        "client_secret": program.secret,
    } | changes
    body = "&".join(f"{name}={value}" for name, value in fields.items() if value is not None)
    return (http or Client()).post("/oauth2/token", body, content_type=FORM)


def status(token: str) -> int:
    """What the list of numbers says to a token."""
    return Client().get(f"/api/{PATH}", headers={"Authorization": f"Bearer {token}"}).status_code


def signed(with_key: bytes | None = None, algorithm: str | None = "HS256", **claims: Any) -> str:
    """A token with our claims, made by hand."""
    now = int(time.time())
    known = {"iss": tokens.ISSUER, "iat": now, "exp": now + 60, "scope": "", "key": ""} | claims
    return jwt.encode(known, tokens._key(settings.SECRET_KEY) if with_key is None else with_key, algorithm)


def test_form_fields_give_a_token(program: Programs) -> None:
    answer = ask(program())
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"
    assert status(body["access_token"]) == 200


def test_basic_gives_a_token(program: Programs) -> None:
    one = program()
    pair = base64.b64encode(f"{one.client.username}:{one.secret}".encode()).decode()
    http = Client(headers={"Authorization": f"Basic {pair}"})
    answer = ask(one, http, client_id=None, client_secret=None)
    assert answer.status_code == 200
    assert status(answer.json()["access_token"]) == 200


@pytest.mark.parametrize(
    ("changes", "code", "error"),
    [
        ({"client_secret": "ocs_wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_id": "%00"}, 401, "invalid_client"),
        ({"client_id": "x" * 200}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"extra": "x" * 20_000}, 413, "invalid_request"),
        ({"a": "1&a=2"}, 400, "invalid_request"),
    ],
)
def test_what_is_refused(program: Programs, changes: dict[str, Any], code: int, error: str) -> None:
    answer = ask(program(), **changes)
    assert answer.status_code == code
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"] == error
    assert answer.json().keys() == {"error", "error_description"}


@pytest.mark.parametrize("value", ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Basic /////w==", "Bearer x", "Digest x"])
def test_a_header_that_cannot_be_read(program: Programs, value: str) -> None:
    answer = ask(program(), Client(headers={"Authorization": value}), client_secret=None)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_failure_of_ours_is_a_problem(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("hunter2")

    one = program()
    monkeypatch.setattr(oauth.clients, "find", fail)
    answer = ask(one)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["errorCode"] == "internal_error"
    assert "hunter2" not in answer.text


def test_only_a_post_of_a_form(program: Programs) -> None:
    answer = Client().get("/oauth2/token")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = Client().post("/oauth2/token", {"grant_type": "client_credentials"}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


def test_a_secret_in_the_address_is_not_logged(program: Programs, caplog: pytest.LogCaptureFixture) -> None:
    one = program()
    with caplog.at_level("INFO"):
        answer = Client().post(f"/oauth2/token?client_id={one.client.username}&client_secret={one.secret}")
    assert answer.status_code == 415
    assert f"client_id={one.client.username}&client_secret=…" in caplog.text
    assert one.secret not in caplog.text


def test_the_secret_is_kept_as_a_hash_only(program: Programs) -> None:
    one = program()
    assert one.secret.startswith("ocs_")
    kept = str(ApiClient.objects.values().get(pk=one.client.pk))
    assert one.secret not in kept
    assert len(one.row.secret_hash) == 64


def test_a_program_cannot_sign_in(program: Programs) -> None:
    one = program()
    assert not one.row.has_usable_password()
    for password in (one.secret, "", "!"):
        assert not Client().login(username=one.client.username, password=password)


def test_a_scope_narrows_the_token(program: Programs) -> None:
    one = program()
    for scope, code in (("view", 200), ("export release", 403), ("api://console/.default", 200)):
        answer = ask(one, scope=scope.replace(" ", "+"))
        assert answer.json().get("scope", "") == ("" if "default" in scope else scope)
        assert status(answer.json()["access_token"]) == code


def test_wrong_secrets_are_limited_for_each_client(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "MISSES", 3)
    one, other = program(), program()
    for _n in range(3):
        assert ask(one, client_secret="wrong").status_code == 401
    answer = ask(one, client_secret="wrong")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= oauth.MISS_SECONDS
    assert ask(other, client_secret="wrong").status_code == 401
    assert ask(one).status_code == 200  # nobody locks it out by its id
    RateWindow.objects.update(started=time.time() - oauth.MISS_SECONDS)
    assert ask(one, client_secret="wrong").status_code == 401


def test_ids_that_there_are_not_share_one_limit(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "MISSES", 3)
    one = program()
    for n in range(3):
        ask(one, client_id=f"nobody-{n}")
    assert ask(one, client_id="nobody-4").status_code == 429
    assert ask(one).status_code == 200
    assert RateWindow.objects.count() == 1


@pytest.mark.parametrize("change", ["disabled", "expired", "deleted", "renewed", "no role"])
def test_what_ends_a_client_ends_its_tokens_at_once(program: Programs, change: str) -> None:
    one = program()
    token = ask(one).json()["access_token"]
    assert status(token) == 200
    match change:
        case "disabled":
            User.objects.filter(pk=one.client.pk).update(is_active=False)
        case "expired":
            ApiClient.objects.filter(pk=one.client.pk).update(expires_at=timezone.now())
        case "deleted":
            ApiClient.objects.get(pk=one.client.pk).delete()
        case "renewed":
            ApiClient.objects.filter(pk=one.client.pk).update(secret_hash="0" * 64)
        case "no role":
            Membership.objects.filter(user=one.client).delete()
    assert status(token) == (403 if change == "no role" else 401)
    assert ask(one).status_code == (200 if change == "no role" else 401)


def test_a_token_that_has_expired(program: Programs) -> None:
    one = program()
    fresh = {"sub": one.client.username, "key": one.row.secret_hash[:16]}
    assert status(signed(**fresh)) == 200
    assert status(signed(**fresh, exp=int(time.time()) - 1)) == 401


@pytest.mark.parametrize(
    "make",
    [
        lambda claims: signed(b"another key of the right length!", **claims),
        lambda claims: signed(settings.SECRET_KEY.encode(), **claims),
        lambda claims: jwt.encode(jwt.decode(signed(**claims), options={"verify_signature": False}), None, "none"),
        lambda claims: signed(algorithm="HS512", **claims),
        lambda claims: signed(**claims | {"iss": "somebody else"}),
        lambda claims: signed(**claims | {"key": ""}),
        lambda claims: signed(**claims)[:-2],
        lambda claims: signed(**claims).rpartition(".")[0] + ".",
        lambda claims: signed(**claims) + "." + "x" * 10_000,
        lambda claims: "x" * 9_000,
        lambda claims: "not.a.token",
        lambda claims: "",
        lambda claims: "\x00",
    ],
)
def test_tokens_that_are_not_good(program: Programs, make: Any) -> None:
    """Other keys, no signature, other algorithms, other issuers, damage."""
    one = program()
    claims = {"sub": one.client.username, "key": one.row.secret_hash[:16]}
    answer = Client().get(f"/api/{PATH}", headers={"Authorization": f"Bearer {make(claims)}"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("claim", ["exp", "iat", "sub", "iss", "scope", "key"])
def test_every_claim_is_needed(program: Programs, claim: str) -> None:
    one = program()
    claims = jwt.decode(one.token, options={"verify_signature": False})
    del claims[claim]
    assert status(jwt.encode(claims, tokens._key(settings.SECRET_KEY), "HS256")) == 401


def test_old_secret_keys_still_check(program: Programs) -> None:
    one = program()
    with override_settings(SECRET_KEY="k" * 40, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert status(one.token) == 200
    with override_settings(SECRET_KEY="k" * 40, SECRET_KEY_FALLBACKS=[]):
        assert status(one.token) == 401


def test_a_persons_session_opens_nothing(alice_client: Client) -> None:
    assert alice_client.get(f"/api/{PATH}").status_code == 401


def test_a_request_writes_nothing_once_its_use_is_noted(program: Programs) -> None:
    one = program(Role.MONITOR)
    PhoneNumberFactory()
    assert one.row.last_login is None
    one.get(PATH)
    assert one.row.last_login is not None
    with CaptureQueriesContext(connection) as caught:
        assert one.get(PATH).status_code == 200
    assert len(caught) == 3, "the client with its roles, the rows, their SBCs"
    assert all(query["sql"].startswith("SELECT") for query in caught)
