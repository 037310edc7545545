"""The control plane: clock, log, customers' acts, numbers."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest

from .process import EXAMPLE, Sim


def test_clock(sim: Sim) -> None:
    assert sim.control("GET", "/clock")["mode"] == "real"
    sim.control("POST", "/clock", {"mode": "manual", "now": "2026-03-01T12:00:00+00:00"})
    time.sleep(0.05)
    advanced = sim.control("POST", "/clock/advance", {"seconds": 90})
    assert advanced == {"mode": "manual", "speed": 1.0, "now": "2026-03-01T12:01:30Z"}
    sim.control("POST", "/clock", {"mode": "real", "speed": 1000})
    time.sleep(0.1)
    moment = datetime.fromisoformat(sim.control("GET", "/clock")["now"])
    assert moment >= datetime.fromisoformat("2026-03-01T12:02:30+00:00")


@pytest.mark.parametrize("body", [{"mode": "odd"}, {"speed": -1}, {"now": "noon"}, {"speed": "2"}])
def test_clock_is_refused(sim: Sim, body: dict[str, Any]) -> None:
    assert sim.send("POST", "/_sim/clock", json.dumps(body)).status == 400


def test_request_log(sim: Sim) -> None:
    sim.ask_token()
    sim.oc("/telephone-numbers", tenantId=EXAMPLE)
    log = sim.control("GET", "/requests")
    login, listing = log["value"][-2:]
    assert (login["mount"], login["method"], login["status"]) == ("login", "POST", 200)
    assert (listing["tenantId"], listing["clientId"]) == (EXAMPLE, "console")
    assert (listing["authorization"], listing["query"]) == ("***", f"tenantId={EXAMPLE}")
    assert log["last"] == listing["seq"]
    assert sim.control("GET", f"/requests?since={login['seq']}")["value"] == [listing]
    assert "sandbox-only-secret" not in json.dumps(log)
    assert "sim." not in json.dumps(log)


def test_log_knows_faults_and_lost_answers(sim: Sim) -> None:
    rule = sim.fault({"path": "/consents"}, {"drop": "before"})
    with pytest.raises(OSError):  # noqa: PT011 - any lost connection will do
        sim.oc("/consents")
    entry = sim.control("GET", "/requests")["value"][-1]
    assert (entry["status"], entry["faultId"]) == (None, rule["id"])


def test_state_is_merged(sim: Sim) -> None:
    tenant = sim.tenant("Southern")
    change = {"tenantId": tenant, "graphConnected": True, "consentStatus": "removed"}
    sim.control("PUT", "/state", {"tenants": [change]})
    assert sim.ask_token("graph/.default", tenant).status == 200
    assert sim.oc(f"/consents/{tenant}").json["status"] == "removed"
    assert sim.send("PUT", "/_sim/state", '{"weather":"fine"}').status == 400


def test_customer_assigns_and_releases(sim: Sim) -> None:
    text = "+448718943000"

    def act(action: str, **more: Any) -> Any:
        body = {"tenantId": EXAMPLE, "telephoneNumber": text, "action": action, **more}
        return sim.send("POST", "/_sim/customer", json.dumps(body))

    before = sim.oc(f"/telephone-numbers/{text}").json
    assert act("assign").status == 200
    assigned = sim.oc(f"/telephone-numbers/{text}").json
    assert assigned["assignmentStatus"] == "UserAssigned"
    assert assigned["assignmentTargetId"]
    assert assigned["etag"] != before["etag"]
    refused = act("release")
    assert (refused.status, refused.code) == (409, "NumberAssigned")
    assert act("unassign").status == 200
    assert act("release").json["acquiredNumberStatus"] == 2
    assert act("assign").status == 409
    assert act("release", vanish=True).json["deleted"] is True
    assert sim.oc(f"/telephone-numbers/{text}").status == 404
    assert act("dance").status == 404
    text = "+448718943001"
    assert act("dance").status == 400


def test_customer_adds_a_location_and_suspends(sim: Sim) -> None:
    tenant = sim.tenant("Sauerland")
    body: dict[str, Any] = {"tenantId": tenant, "action": "addLocation", "description": "Halle 9"}
    location = sim.control("POST", "/customer", body)
    path = f"/tenants/{tenant}/civic-addresses/{location['civicAddressId']}"
    assert sim.oc(path).json["locations"][-1]["description"] == "Halle 9"
    sim.control("POST", "/customer", {"tenantId": tenant, "action": "suspendConsent"})
    assert sim.oc(f"/consents/{tenant}").json["status"] == "suspended"
    sim.control("POST", "/customer", {"tenantId": tenant, "action": "resumeConsent"})
    assert sim.oc(f"/consents/{tenant}").json["status"] == "active"


def test_numbers_are_upserted_and_deleted(sim: Sim) -> None:
    tenant = sim.tenant("Kestrel")
    body = {
        "upsert": [
            {"telephoneNumber": "+442079460900", "tenantId": tenant},
            {"telephoneNumber": "+442079460901", "tenantId": tenant, "acquiredNumberStatus": 4},
            {"telephoneNumber": "+448718943000", "assignmentStatus": "VoiceApp"},
        ],
        "delete": ["+448718943001", "+10000000000"],
    }
    answer = sim.control("POST", "/numbers", body)
    assert answer == {"upserted": 3, "changed": 0, "deleted": 1}
    new, waiting = sim.all_numbers(tenantId=tenant)
    assert (new["acquiredNumberStatus"], new["isoCountryCode"]) == (0, "GB")
    assert (waiting["acquiredNumberStatus"], waiting["assignmentStatus"]) == (4, None)
    example = sim.all_numbers(tenantId=EXAMPLE)
    assert len(example) == 9
    assert example[0]["assignmentStatus"] == "VoiceApp"
    assert example[0]["tnUploadJobId"] == "1d3d24fd-3d2d-4b26-b964-ebb8558c1091"
    moved = {"upsert": [{"telephoneNumber": "+448718943000", "tenantId": tenant}]}
    sim.control("POST", "/numbers", moved)
    assert len(sim.all_numbers(tenantId=tenant)) == 3


def test_every_nth_number_is_changed(sim: Sim) -> None:
    tenant = sim.tenant("Brightwater")
    before = sim.all_numbers(tenantId=tenant)
    every = {"where": {"tenantId": tenant, "nth": 10}, "set": {"assignmentStatus": "VoiceApp"}}
    answer = sim.control("POST", "/numbers", {"every": every})
    after = sim.all_numbers(tenantId=tenant)
    assert answer["changed"] == len(before[::10])
    assert all(one["assignmentStatus"] == "VoiceApp" for one in after[::10])


def test_bad_numbers_change_nothing(sim: Sim) -> None:
    before = sim.all_numbers()
    good = {"telephoneNumber": "+442079460900"}
    for bad in ({"telephoneNumber": "0123"}, {**good, "tenantId": "nobody"}, "text"):
        body = json.dumps({"upsert": [good, bad]})
        assert sim.send("POST", "/_sim/numbers", body).status in (400, 404)
    assert sim.all_numbers() == before


def test_reset(sim: Sim) -> None:
    sim.fault({}, {"status": 500}, times=None)
    assert sim.control("POST", "/reset", {"seed": "empty"})["numbers"]["total"] == 0
    assert sim.oc("/consents").json["totalCount"] == 6
    large = sim.control("POST", "/reset", {"seed": "large", "numbers": 1000})
    assert large["numbers"]["total"] == 1000
    assert [one["numbers"] for one in large["tenants"]] == [10, 198, 198, 198, 198, 198]
    assert sim.platform().json["totalRecords"] == 10
    assert sim.send("POST", "/_sim/reset", '{"seed":"odd"}').status == 400
