"""Graph's view of a customer's numbers."""

from __future__ import annotations

import base64

import pytest

from .process import EXAMPLE, GRAPH, OPERATOR, Sim


def test_list_shows_synchronised_numbers_only(sim: Sim) -> None:
    answer = sim.graph(EXAMPLE, count="true").json
    assert answer["@odata.count"] == len(answer["value"]) == 2
    first = answer["value"][0]
    assert base64.b64decode(first["id"]).decode() == f"{OPERATOR}|+448718943000"
    assert (first["numberType"], first["activationState"]) == ("operatorConnect", "activated")
    assert first["assignmentStatus"] == "unassigned"
    assert first["locationId"] == "00000000-0000-0000-0000-000000000000"
    assert "userAssignment" in first["capabilities"]


def test_next_link_walk(sim: Sim) -> None:
    tenant = sim.tenant("Harbourline")
    answer = sim.graph(tenant, top=60, count="true").json
    total, found = answer["@odata.count"], answer["value"]
    while "@odata.nextLink" in answer:
        path = answer["@odata.nextLink"].split(str(sim.port), 1)[1]
        answer = sim.send("GET", path, headers=sim.bearer("graph", tenant)).json
        found += answer["value"]
    assert len({one["telephoneNumber"] for one in found}) == total > 120
    assert {one["assignmentStatus"] for one in found} >= {
        "unassigned",
        "userAssigned",
        "conferenceAssigned",
        "voiceApplicationAssigned",
        "thirdPartyAppAssigned",
        "unknownFutureValue",
    }


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("assignmentStatus eq 'userAssigned'", "assignmentStatus", "userAssigned"),
        ("assignmentStatus eq 'unknownFutureValue'", "assignmentStatus", "unknownFutureValue"),
        ("isoCountryCode eq 'FR'", "isoCountryCode", "FR"),
        ("telephoneNumber eq '+442079460000'", "telephoneNumber", "+442079460000"),
        ("activationState eq 'activated'", "activationState", "activated"),
        ("numberType eq 'operatorConnect' and isoCountryCode eq 'US'", "isoCountryCode", "US"),
        (
            "locationId eq '00000000-0000-0000-0000-000000000000'",
            "locationId",
            "00000000-0000-0000-0000-000000000000",
        ),
    ],
)
def test_filter(sim: Sim, text: str, field: str, value: str) -> None:
    tenant = sim.tenant("Harbourline")
    everything = sim.graph(tenant, top=1000).json["value"]
    expected = [one for one in everything if one[field] == value]
    assert expected
    assert sim.graph(tenant, top=1000, filter=text).json["value"] == expected


def test_filter_that_nothing_passes(sim: Sim) -> None:
    for text in ("numberType eq 'directRouting'", "assignmentStatus eq 'policyAssigned'"):
        assert sim.graph(EXAMPLE, filter=text).json["value"] == []


@pytest.mark.parametrize(
    "text",
    ["telephoneNumber gt '+44'", "city eq 'London'", "nonsense", "startswith(telephoneNumber,'+')"],
)
def test_filter_is_refused(sim: Sim, text: str) -> None:
    answer = sim.graph(EXAMPLE, filter=text)
    assert (answer.status, answer.code) == (400, "BadRequest")


def test_other_requests_are_refused(sim: Sim) -> None:
    headers = sim.bearer("graph", EXAMPLE)
    wrong = sim.send("DELETE", GRAPH, headers=headers)
    assert (wrong.status, wrong.code, wrong.headers["Allow"]) == (405, "MethodNotAllowed", "GET")
    assert sim.send("GET", "/graph/v1.0/users", headers=headers).status == 404
    assert sim.graph(EXAMPLE, top=1001).status == 400
    assert sim.graph(EXAMPLE, orderby="city").status == 400
