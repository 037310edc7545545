"""Tokens: kept, renewed in time, renewed once after a 401, and the reasons why there is none."""

import os
import threading
import time

import httpx2
import pytest
from django.conf import settings

from ocadmin.numbers.microsoft import entra, errors
from ocadmin.numbers.microsoft.graph import Graph
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from tests.sandbox_process import Sandbox

from .conftest import TOKEN, Microsoft


def token(life: object = 3599, text: str = "t") -> httpx2.Response:
    return httpx2.Response(200, json={"token_type": "Bearer", "expires_in": life, "access_token": text})


def refusal(status: int, word: str, *numbers: int, text: str = "Reason.") -> httpx2.Response:
    return httpx2.Response(
        status, json={"error": word, "error_description": f"{text}\r\nTrace ID: x", "error_codes": list(numbers)}
    )


def requests_for(sandbox: Sandbox, mount: str) -> list[dict]:
    return [entry for entry in sandbox.requests()["value"] if entry["mount"] == mount]


@pytest.mark.parametrize(("life", "kept_for"), [(3599, 3299), (5, 4), ("1000", 800), (1500, 1200)])
def test_renewed_at_80_percent_or_5_minutes_before_the_end(
    microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch, life: object, kept_for: int
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    microsoft.token_answer = token(life)
    entra.get_token("a", "s")
    now += kept_for - 0.5
    entra.get_token("a", "s")
    assert len(microsoft.requests) == 1
    now += 1
    entra.get_token("a", "s")
    assert len(microsoft.requests) == 2


def test_kept_per_tenant_scope_client_and_secret(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    for tenant, scope in (("a", "s"), ("A", "s"), ("a", "s"), ("b", "s"), ("a", "z")):
        entra.get_token(tenant, scope)
    assert len(microsoft.requests) == 3
    monkeypatch.setattr(settings.ENV, "client_secret", "another")
    entra.get_token("a", "s")
    monkeypatch.setattr(settings.ENV, "client_id", "another")
    entra.get_token("a", "s")
    assert len(microsoft.requests) == 5


def test_one_thread_fetches_for_all(microsoft: Microsoft) -> None:
    threads = [threading.Thread(target=entra.get_token, args=("a", "s")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(microsoft.requests) == 1


def test_the_old_token_serves_while_entra_is_away(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    microsoft.token_answer = token(100, "old")
    entra.get_token("a", "s")
    microsoft.token_answer = httpx2.Response(503)
    now += 90
    assert entra.get_token("a", "s") == "old"
    now += 11
    with pytest.raises(errors.ServerError):
        entra.get_token("a", "s")


def test_only_the_rejected_token_is_dropped(microsoft: Microsoft) -> None:
    microsoft.token_answer = token(text="new")
    entra.get_token("a", "s")
    entra.drop("a", "s", "old")
    entra.get_token("a", "s")
    assert len(microsoft.requests) == 1
    entra.drop("a", "s", "new")
    entra.get_token("a", "s")
    assert len(microsoft.requests) == 2


@pytest.mark.parametrize(
    ("answer", "expected", "code", "words"),
    [
        (refusal(401, "invalid_client", 7000215), errors.BadCredentials, "wrong_secret", "secret's value"),
        (refusal(401, "invalid_client", 7000222), errors.BadCredentials, "expired_secret", "has expired"),
        (refusal(401, "invalid_client", 1), errors.BadCredentials, "bad_credentials", "OCADMIN_CLIENT_ID"),
        (refusal(400, "unauthorized_client", 700016), errors.ApplicationUnknown, "application_unknown", "not known"),
        (refusal(400, "invalid_request", 90002), errors.TenantUnknown, "tenant_unknown", "no such tenant"),
        (refusal(400, "invalid_scope", 70011), errors.InvalidScope, "invalid_scope", "OCADMIN_OPERATOR_SCOPE"),
        (refusal(400, "invalid_resource", 500011), errors.InvalidScope, "invalid_scope", "Reason"),
        (refusal(400, "x", text="AADSTS90002: No."), errors.TenantUnknown, "tenant_unknown", "no such tenant"),
        (refusal(400, "invalid_request", 900144), errors.Refused, "refused", "invalid_request: Reason"),
        (refusal(429, "temporarily_unavailable", 7000215), errors.Throttled, "throttled", "429"),
        (refusal(503, "temporarily_unavailable", 90033), errors.ServerError, "server_error", "503"),
        (httpx2.Response(200, html="<p>Hello"), errors.BadAnswer, "bad_answer", "Hello"),
        (httpx2.Response(200, json={"expires_in": 1}), errors.BadAnswer, "bad_answer", "no access token"),
        (token("soon"), errors.BadAnswer, "bad_answer", "how long"),
        (token(None), errors.BadAnswer, "bad_answer", "how long"),
        (token("9" * 5000), errors.BadAnswer, "bad_answer", "how long"),
        (token(text="a\nb"), errors.BadAnswer, "bad_answer", "no access token"),
        (httpx2.ConnectError("refused"), errors.Unreachable, "unreachable", "login.test (refused)"),
    ],
)
def test_why_there_is_no_token(
    microsoft: Microsoft, answer: httpx2.Response | Exception, expected: type, code: str, words: str
) -> None:
    microsoft.token_answer = answer
    with pytest.raises(expected) as caught:
        entra.get_token("the-tenant", "s")
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.message.startswith("Microsoft Entra ID was asked for a token for the tenant the-tenant: ")
    assert "Trace" not in caught.value.message


def test_a_life_beyond_measure_is_a_day(microsoft: Microsoft) -> None:
    microsoft.token_answer = token(10**400)
    assert entra.get_token("a", "s") == "t"


def test_a_secret_of_another_interface_is_not_repeated(microsoft: Microsoft) -> None:
    microsoft.token_answer = refusal(401, "invalid_client", text="You sent hunter2hunter2.")
    with pytest.raises(errors.BadCredentials) as caught:
        entra.fetch("https://other.test/oauth2/token", "me", "hunter2hunter2", "s", errors.Asked("Other", "a token"))
    assert "hunter2" not in repr(vars(caught.value))


def test_a_token_is_not_in_a_repr(microsoft: Microsoft) -> None:
    entra.get_token("a", "s")
    assert TOKEN["access_token"] not in repr(entra._entries)
    assert settings.ENV.client_secret not in repr(entra._entries)


def test_a_forked_process_starts_without_tokens(microsoft: Microsoft) -> None:
    entra.get_token("a", "s")
    held = next(iter(entra._entries.values())).lock
    with held:  # as if another thread were fetching at this moment
        child = os.fork()
        if child == 0:
            os._exit(len(entra._entries))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(entra._entries) == 1


def test_a_rejected_token_is_renewed_exactly_once(sandbox: Sandbox) -> None:
    OperatorConnect().numbers_page(top=1)
    sandbox.call("DELETE", "/tokens")
    before = len(requests_for(sandbox, "login"))
    OperatorConnect().numbers_page(top=1)
    assert len(requests_for(sandbox, "login")) == before + 1
    assert [entry["status"] for entry in requests_for(sandbox, "oc")] == [200, 401, 200]


def test_a_token_that_is_rejected_again_is_given_up(sandbox: Sandbox) -> None:
    sandbox.fault({"mount": "oc"}, {"status": 401}, times=10)
    with pytest.raises(errors.TokenRejected, match="registered"):
        OperatorConnect().numbers_page()
    assert len(requests_for(sandbox, "oc")) == 2
    assert len(requests_for(sandbox, "login")) == 2


def test_a_short_lived_token_is_renewed_before_it_ends(sandbox: Sandbox) -> None:
    sandbox.call("PUT", "/state", {"tokenLife": 1})
    OperatorConnect().numbers_page(top=1)
    time.sleep(0.85)
    OperatorConnect().numbers_page(top=1)
    sandbox.call("PUT", "/state", {"tokenLife": 3599})
    assert [entry["status"] for entry in requests_for(sandbox, "oc")] == [200, 200]
    assert len(requests_for(sandbox, "login")) == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"client_secret": "not the secret"}, errors.WrongSecret),
        ({"client_id": "expired"}, errors.ExpiredSecret),
        ({"client_id": "nobody"}, errors.ApplicationUnknown),
        ({"entra_tenant": "6f3b0f6a-0000-4000-8000-000000000000"}, errors.TenantUnknown),
        ({"operator_scope": "something/else"}, errors.InvalidScope),
    ],
)
def test_the_sandbox_gives_no_token(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], expected: type
) -> None:
    for name, value in change.items():
        monkeypatch.setattr(settings.ENV, name, value)
    with pytest.raises(expected):
        OperatorConnect().numbers_page()
    assert requests_for(sandbox, "oc") == []


def test_a_customer_that_is_not_connected(sandbox: Sandbox) -> None:
    tenants = {tenant["graphConnected"]: tenant["tenantId"] for tenant in sandbox.state()["tenants"]}
    Graph(tenants[True]).check_connection()
    with pytest.raises(errors.ApplicationUnknown, match=tenants[False]):
        Graph(tenants[False]).check_connection()
