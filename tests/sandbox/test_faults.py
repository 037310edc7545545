"""Answers that go wrong on purpose."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

import pytest

from .process import EXAMPLE, OC, PLATFORM, Sim

CUT = (http.client.RemoteDisconnected, ConnectionResetError)


def test_status_headers_and_times(sim: Sim) -> None:
    action = {"status": 429, "headers": {"Retry-After": "7"}}
    sim.fault({"mount": "oc", "method": "get", "path": "/consents"}, action, times=2)
    for _ in range(2):
        answer = sim.oc("/consents")
        assert (answer.status, answer.code) == (429, "TooManyRequests")
        assert answer.headers["Retry-After"] == "7"
    assert sim.oc("/consents").status == 200
    (rule,) = sim.control("GET", "/faults")["value"]
    assert (rule["used"], rule["seen"]) == (2, 2)


def test_only_what_matches_fails(sim: Sim) -> None:
    sim.fault({"path": "skip=200", "tenantId": None}, {"status": 503}, times=None)
    assert sim.oc("/telephone-numbers").status == 200
    assert sim.oc("/telephone-numbers", skip=200).status == 503
    assert sim.oc("/telephone-numbers", skip=200).status == 503
    sim.control("DELETE", "/faults")
    assert sim.oc("/telephone-numbers", skip=200).status == 200


def test_tenant_is_found_in_path_query_body_and_token(sim: Sim) -> None:
    sim.fault({"tenantId": EXAMPLE}, {"status": 500}, times=None)
    other = sim.tenant("Harbourline")
    body = {"tenantId": EXAMPLE, "telephoneNumbers": ["+448718943000"]}
    assert sim.oc(f"/tenants/{EXAMPLE}/usages").status == 500
    assert sim.oc("/telephone-numbers", tenantId=EXAMPLE).status == 500
    assert sim.oc("/telephone-numbers:validate", "POST", body).status == 500
    assert sim.platform(msTenantId=EXAMPLE).status == 500
    assert sim.ask_token("graph/.default", EXAMPLE).status == 500
    assert sim.oc("/telephone-numbers", tenantId=other).status == 200


def test_shape_of_the_mount_is_kept(sim: Sim) -> None:
    sim.fault({"mount": "platform"}, {"status": 503})
    answer = sim.platform()
    assert (answer.status, answer.json["errorCode"]) == (503, "ServiceUnavailable")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_page_of_html(sim: Sim) -> None:
    page = "<html>Bad gateway</html>"
    sim.fault({"mount": "oc"}, {"status": 502, "body": page, "contentType": "text/html"})
    answer = sim.oc("/consents")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (
        502,
        page.encode(),
        "text/html",
    )


def test_half_a_json_body(sim: Sim) -> None:
    sim.fault({"mount": "oc"}, {"body": '{"value":[{"tele'})
    answer = sim.oc("/telephone-numbers")
    assert (answer.status, answer.body) == (200, b'{"value":[{"tele')


def test_truncated_body(sim: Sim) -> None:
    sim.fault({"mount": "oc"}, {"truncate": True})
    with pytest.raises(http.client.IncompleteRead):
        sim.oc("/telephone-numbers")
    assert sim.oc("/telephone-numbers").status == 200


def test_dropped_before_and_after_the_commit(sim: Sim) -> None:
    tenant = sim.tenant("Kestrel")
    change = {"customerRelationship": {"status": "AgreementSigned"}}

    def relationship() -> Any:
        return sim.oc(f"/consents/{tenant}").json["customerRelationship"]["status"]

    sim.fault({"method": "PATCH"}, {"drop": "before"})
    with pytest.raises(CUT):
        sim.oc(f"/consents/{tenant}", "PATCH", change)
    assert relationship() == "ConsentAcknowledged"
    sim.fault({"method": "PATCH"}, {"drop": "after_commit"})
    with pytest.raises(CUT):
        sim.oc(f"/consents/{tenant}", "PATCH", change)
    assert relationship() == "AgreementSigned"


def test_delay(sim: Sim) -> None:
    sim.fault({"mount": "oc"}, {"delayMs": 300})
    start = time.monotonic()
    assert sim.oc("/consents").status == 200
    assert time.monotonic() - start >= 0.3


def test_delay_holds_up_nobody_else(sim: Sim) -> None:
    sim.fault({"path": "/consents"}, {"delayMs": 1500})
    sim.bearer("oc")
    slow = threading.Thread(target=sim.oc, args=("/consents",))
    slow.start()
    time.sleep(0.1)
    start = time.monotonic()
    assert sim.oc("/calling-profiles").status == 200
    assert time.monotonic() - start < 1
    slow.join()


def test_first_matches_may_pass(sim: Sim) -> None:
    sim.fault({"path": "/telephone-numbers"}, {"status": 500}, after=2)
    statuses = [sim.oc("/telephone-numbers", skip=skip).status for skip in (0, 10, 20, 30)]
    assert statuses == [200, 200, 500, 200]


def test_a_page_shifts_while_it_is_read(sim: Sim) -> None:
    """F27: a number added in front makes the last one of page one come again on page two."""
    tenant = sim.tenant("Harbourline")
    plain = [one["telephoneNumber"] for one in sim.all_numbers(tenantId=tenant, top=50)]
    hook = {"onRequest": {"insert": 1}}
    sim.fault({"path": "/telephone-numbers", "tenantId": tenant}, hook)
    shifted = [one["telephoneNumber"] for one in sim.all_numbers(tenantId=tenant, top=50)]
    assert shifted[49] == shifted[50] == plain[49]
    assert len(shifted) == len(plain) + 1
    removal = {"onRequest": {"delete": [plain[0]]}}
    sim.fault({"path": "/telephone-numbers", "tenantId": tenant}, removal)
    missing = [one["telephoneNumber"] for one in sim.all_numbers(tenantId=tenant, top=50)]
    assert len(missing) == len(plain)
    assert plain[49] not in missing
    after = sim.oc("/telephone-numbers", tenantId=tenant, top=1).json
    assert after["totalCount"] == len(plain)


def test_a_page_shifts_before_it_is_read(sim: Sim) -> None:
    tenant = sim.tenant("Harbourline")
    hook = {"onRequest": {"insert": 2, "when": "before"}}
    sim.fault({"path": "skip=50"}, hook)
    first = sim.oc("/telephone-numbers", tenantId=tenant, top=50).json["value"]
    second = sim.oc("/telephone-numbers", tenantId=tenant, top=50, skip=50).json["value"]
    assert first[48:] == second[:2]


def test_a_hook_with_a_failure(sim: Sim) -> None:
    hook = {"status": 500, "onRequest": {"delete": ["+442079460000"]}}
    sim.fault({"path": "/telephone-numbers"}, hook)
    assert sim.oc("/telephone-numbers").status == 500
    assert sim.oc("/telephone-numbers/+442079460000").status == 404


@pytest.mark.parametrize(
    "rule",
    [
        {"match": {"colour": "red"}},
        {"action": {"colour": "red"}},
        {"action": {"drop": "later"}},
        {"action": {"status": "500"}},
        {"times": "many"},
        {"match": "everything"},
    ],
)
def test_rule_is_refused(sim: Sim, rule: dict[str, Any]) -> None:
    answer = sim.send("POST", "/_sim/faults", json.dumps(rule))
    assert (answer.status, answer.code) == (400, "InvalidFault")


def test_an_unexpected_error_stays_inside(sim: Sim) -> None:
    """Nothing on the wire shows the workings, whatever is sent."""
    for path in (f"{OC}/consents/%00", f"{OC}/tenants/%ff/usages", "//", "/%2e%2e/etc", PLATFORM):
        answer = sim.send("GET", path, headers=sim.bearer("oc"))
        assert answer.status in (401, 404)
        assert b"Traceback" not in answer.body
