"""The token endpoint, and what becomes of good and bad tokens."""

from __future__ import annotations

import time
import uuid

import pytest

from .process import DIRECTORY, EXAMPLE, GRAPH, OC, PLATFORM, Sim

SYNERGY = "eb63d611-525e-4a31-abd7-0cb33f679599"


@pytest.mark.parametrize(
    ("scope", "tenant"),
    [
        (f"{SYNERGY}/.default", DIRECTORY),
        ("oc/.default", DIRECTORY),
        ("platform/.default", DIRECTORY),
        ("https://graph.microsoft.com/.default", EXAMPLE),
        ("graph/.default", EXAMPLE),
    ],
)
def test_token_is_issued(sim: Sim, scope: str, tenant: str) -> None:
    answer = sim.ask_token(scope, tenant)
    assert answer.status == 200
    token = answer.json
    assert token.pop("access_token").startswith("sim.")
    assert token == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}


@pytest.mark.parametrize(
    ("change", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "expired"}, 401, "invalid_client", 7000222),
        ({"client_id": "stranger"}, 400, "unauthorized_client", 700016),
        ({"scope": "oc"}, 400, "invalid_scope", 70011),
        ({"scope": "oc/.default graph/.default"}, 400, "invalid_scope", 70011),
        ({"scope": "elsewhere/.default"}, 400, "invalid_scope", 70011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"grant_type": ""}, 400, "invalid_request", 900144),
        ({"tenant": str(uuid.uuid4())}, 400, "invalid_request", 90002),
        ({"tenant": "nonsense"}, 400, "invalid_request", 90002),
        ({"tenant": EXAMPLE}, 400, "invalid_resource", 500011),
    ],
)
def test_token_is_refused(
    sim: Sim, change: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = sim.ask_token(**change)
    body = answer.json
    assert (answer.status, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= set(body)


def test_customer_without_connection_has_no_graph_token(sim: Sim) -> None:
    answer = sim.ask_token("graph/.default", sim.tenant("Southern Cross"))
    assert answer.json["error_codes"] == [700016]


def test_get_is_not_allowed_on_the_token_endpoint(sim: Sim) -> None:
    answer = sim.send("GET", f"/login/{DIRECTORY}/oauth2/v2.0/token")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.json["error"] == "invalid_request"


def test_token_expires(sim: Sim) -> None:
    sim.control("PUT", "/state", {"tokenLife": 1})
    answer = sim.ask_token().json
    assert answer["expires_in"] == 1
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert sim.send("GET", f"{OC}/consents", headers=headers).status == 200
    time.sleep(1.1)
    late = sim.send("GET", f"{OC}/consents", headers=headers)
    assert (late.status, late.code) == (401, "Unauthorized")
    assert 'error="invalid_token"' in late.headers["WWW-Authenticate"]


def test_revoked_tokens_are_refused(sim: Sim) -> None:
    headers = sim.bearer("oc")
    sim.control("DELETE", "/tokens")
    sim.tokens.clear()
    assert sim.send("GET", f"{OC}/consents", headers=headers).status == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made.up"}])
def test_missing_or_unknown_token(sim: Sim, headers: dict[str, str]) -> None:
    answer = sim.send("GET", f"{OC}/consents", headers=headers)
    assert (answer.status, answer.code) == (401, "Unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_token_for_another_audience(sim: Sim) -> None:
    graph, oc = sim.bearer("graph", EXAMPLE), sim.bearer("oc")
    assert sim.send("GET", f"{OC}/consents", headers=graph).status == 401
    assert sim.send("GET", GRAPH, headers=oc).status == 401
    platform = sim.send("GET", PLATFORM, headers=oc)
    assert platform.status == 401
    assert platform.headers["Content-Type"] == "application/problem+json"


def test_token_without_roles_names_the_missing_one(sim: Sim) -> None:
    token = sim.ask_token(client_id="noroles").json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = sim.send("GET", f"{OC}/telephone-numbers", headers=headers)
    assert (answer.status, answer.code) == (403, "Forbidden")
    assert "NumberManagement.Read" in answer.json["error"]["message"]


def test_tokens_outlive_a_reset(sim: Sim) -> None:
    headers = sim.bearer("oc")
    sim.control("POST", "/reset", {"seed": "empty"})
    answer = sim.send("GET", f"{OC}/telephone-numbers", headers=headers)
    assert (answer.status, answer.json["totalCount"]) == (200, 0)
