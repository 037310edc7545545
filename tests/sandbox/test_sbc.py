"""The SBCs' management interface."""

from __future__ import annotations

import base64
import http.client

import pytest

from .process import Answer, Sim

LOGIN = "Basic " + base64.b64encode(b"console:sandbox-only-secret").decode()


def status(sim: Sim, name: str, login: str | None = LOGIN) -> Answer:
    headers = {"Authorization": login} if login else {}
    return sim.send("GET", f"/sbc/{name}/api/v1/status", headers=headers)


def test_status(sim: Sim) -> None:
    answer = status(sim, "us-sp1-sbc").json
    assert (answer["ipAddress"], answer["operationalState"]) == ("192.0.2.11", "UNLOCKED")
    assert answer["saveNeeded"] is False
    assert set(answer) >= {
        "localTimeStamp",
        "subnetMask",
        "defaultGateway",
        "productType",
        "versionID",
        "protocolType",
        "highAvailability",
        "serialNumber",
        "macAddress",
        "systemUpTime",
        "resetNeeded",
        "upgradeStatus",
        "mcUpgradeStatus",
        "osType",
    }


def test_one_device_writes_booleans_as_text(sim: Sim) -> None:
    assert status(sim, "emea-sp1-sbc").json["saveNeeded"] == "false"
    sim.control("POST", "/sbc/emea-sp1-sbc", {"saveNeeded": True})
    assert status(sim, "emea-sp1-sbc").json["saveNeeded"] == "true"


@pytest.mark.parametrize("login", [None, "Basic bm9wZTpub3Bl", "Basic ???", "Bearer x"])
def test_wrong_login(sim: Sim, login: str | None) -> None:
    answer = status(sim, "us-sp1-sbc", login)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.json["status"] == "error"


def test_offline_sbc_does_not_answer(sim: Sim) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        status(sim, "apac-sp1-sbc")
    sim.control("POST", "/sbc/apac-sp1-sbc", {"online": True})
    assert status(sim, "apac-sp1-sbc").status == 200
    sim.control("PUT", "/state", {"sbcs": [{"slug": "us-sp1-sbc", "online": False}]})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        status(sim, "us-sp1-sbc")


def test_unknown(sim: Sim) -> None:
    assert status(sim, "nowhere").status == 404
    headers = {"Authorization": LOGIN}
    assert sim.send("GET", "/sbc/us-sp1-sbc/api/v1/nothing", headers=headers).status == 404
    wrong = sim.send("POST", "/sbc/us-sp1-sbc/api/v1/status", headers=headers)
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET")
