"""Reads of the operator API, and the one consent it may change."""

from __future__ import annotations

import urllib.parse
import uuid
from typing import Any

import pytest

from .process import EXAMPLE, OC, Sim

NUMBER_FIELDS = [
    "telephoneNumber",
    "tenantId",
    "operatorId",
    "isoCountryCode",
    "callingProfileId",
    "acquiredNumberStatus",
    "activationState",
    "assignmentStatus",
    "assignmentTargetId",
    "usage",
    "additionalUsages",
    "acquiredCapabilities",
    "availableCapabilities",
    "locationId",
    "civicAddressId",
    "allowTenantAddressUpdate",
    "displayedCountryCode",
    "tnUploadJobId",
    "acquiredOn",
    "lastModifiedOn",
    "etag",
]


def test_consents(sim: Sim) -> None:
    answer = sim.oc("/consents").json
    assert (answer["totalCount"], len(answer["value"]), answer["nextLink"]) == (6, 6, None)
    statuses = sorted(consent["status"] for consent in answer["value"])
    assert statuses == ["active"] * 5 + ["suspended"]
    one = sim.oc(f"/consents/{EXAMPLE}").json
    assert one == answer["value"][0]
    assert one["contacts"][0]["companyName"] == "MSFT"
    suspended = sim.oc("/consents", status="suspended").json
    assert suspended["totalCount"] == 1
    paged = sim.oc("/consents", top=4).json
    assert len(paged["value"]) == 4
    assert "skip=4" in paged["nextLink"]


def test_consent_is_changed(sim: Sim) -> None:
    tenant = sim.tenant("Kestrel")
    before = sim.oc(f"/consents/{tenant}").json
    assert before["customerRelationship"]["status"] == "ConsentAcknowledged"
    change = {"customerRelationship": {"status": "AgreementSigned"}, "ticketId": "CHG-12"}
    answer = sim.oc(f"/consents/{tenant}", "PATCH", change)
    assert answer.status == 200
    after = sim.oc(f"/consents/{tenant}").json
    assert answer.json == after
    assert (after["customerRelationship"]["status"], after["ticketId"]) == (
        "AgreementSigned",
        "CHG-12",
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"customerRelationship": {"status": "ConsentDeclined"}}, "ReasonRequired"),
        ({"customerRelationship": {"status": "Nonsense"}}, "InvalidRelationshipStatus"),
        ({}, "InvalidRelationshipStatus"),
        (
            {"customerRelationship": {"status": "AgreementSigned"}, "ticketId": "x" * 65},
            "InvalidTicketId",
        ),
    ],
)
def test_consent_change_is_refused(sim: Sim, change: dict[str, Any], code: str) -> None:
    answer = sim.oc(f"/consents/{EXAMPLE}", "PATCH", change)
    assert (answer.status, answer.code) == (400, code)


def test_calling_profiles(sim: Sim) -> None:
    profiles = sim.oc("/calling-profiles").json["value"]
    assert len(profiles) >= 3
    sbcs = {one["id"]: one for one in sim.control("GET", "/state")["sbcs"]}
    for profile in profiles:
        assert len(profile["trunksEnrolled"]) == 2
        for trunk in profile["trunksEnrolled"]:
            (match,) = trunk["matchingSbcList"]
            known = sbcs[match["sbcId"]]
            assert match["name"] == known["name"]
            assert (match["fqdn"], match["ipAddress"]) == (known["fqdn"], known["ipAddress"])
            assert trunk["trunkFqdn"].endswith(known["fqdn"])
    example = next(
        one for one in profiles if one["callingProfileId"] == "ab86ef82-ce9e-4ead-befb-4aa954b64872"
    )
    names = [one["matchingSbcList"][0]["name"] for one in example["trunksEnrolled"]]
    assert names == ["US SP1 SBC", "US SP1 SBC"]


def test_usages_and_addresses(sim: Sim) -> None:
    usages = sim.oc(f"/tenants/{EXAMPLE}/usages").json["value"]
    assert {"CallingUserAssignment", "FirstPartyAppAssignment", "ConferenceAssignment"} == {
        one["usage"] for one in usages
    }
    tenant = sim.tenant("Harbourline")
    addresses = sim.oc(f"/tenants/{tenant}/civic-addresses").json["value"]
    assert {one["validationStatus"] for one in addresses} == {
        "validated",
        "notValidated",
        "invalid",
    }
    for address in addresses:
        assert address["companyName"] == "Harbourline Logistics Ltd"
        assert 1 <= len(address["locations"]) <= 3
        assert address["defaultLocationId"] == address["locations"][0]["id"]
        assert sim.oc(f"/tenants/{tenant}/civic-addresses/{address['id']}").json == address
    foreign = sim.oc(f"/tenants/{EXAMPLE}/civic-addresses/{addresses[0]['id']}")
    assert (foreign.status, foreign.code) == (404, "CivicAddressNotFound")


def test_available_capabilities(sim: Sim) -> None:
    path = f"/tenants/{EXAMPLE}/available-capabilities"
    answer = sim.oc(path, "POST", {"telephoneNumbers": ["+448718943000", "+442079460999"]})
    assert "SharedCalling" in answer.json["availableCapabilities"]
    toll_free = sim.oc(path, "POST", {"telephoneNumbers": ["+18005550199"]}).json
    assert "UserAssignment" not in toll_free["availableCapabilities"]
    foreign = sim.oc(path, "POST", {"telephoneNumbers": ["+442079460000", "12"]})
    assert (foreign.status, foreign.code) == (400, "InvalidRequest")
    assert [one["code"] for one in foreign.json["error"]["details"]] == [
        "NumberNotFound",
        "InvalidTelephoneNumber",
    ]
    too_many = sim.oc(path, "POST", {"telephoneNumbers": ["+442079460000"] * 1001})
    assert (too_many.status, too_many.code) == (400, "TooManyNumbers")


@pytest.mark.parametrize("top", [1, 7, 200, 1000])
def test_walk_along_next_link_finds_every_number_once(sim: Sim, top: int) -> None:
    query = {"top": top} if top > 1 else {"top": 1, "startsWith": "+4487"}
    total = sim.oc("/telephone-numbers", **query).json["totalCount"]
    numbers = [one["telephoneNumber"] for one in sim.all_numbers(**query)]
    assert len(numbers) == len(set(numbers)) == total
    assert numbers == sorted(numbers)


def test_default_page_has_200(sim: Sim) -> None:
    answer = sim.oc("/telephone-numbers").json
    assert len(answer["value"]) == 200
    assert list(answer["value"][0]) == NUMBER_FIELDS


def test_filters(sim: Sim) -> None:
    everything = sim.all_numbers(top=1000)
    tenant = sim.tenant("Harbourline")
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"tenantId": tenant}, lambda one: one["tenantId"] == tenant),
        ({"status": 2}, lambda one: one["acquiredNumberStatus"] == 2),
        ({"isoCountryCode": "AU"}, lambda one: one["isoCountryCode"] == "AU"),
        ({"assignmentStatus": "VoiceApp"}, lambda one: one["assignmentStatus"] == "VoiceApp"),
        ({"startsWith": "+1212"}, lambda one: one["telephoneNumber"].startswith("+1212")),
        (
            {"tenantId": tenant, "isoCountryCode": "GB", "assignmentStatus": "UserAssigned"},
            lambda one: (
                (one["tenantId"], one["isoCountryCode"], one["assignmentStatus"])
                == (tenant, "GB", "UserAssigned")
            ),
        ),
    ]
    for query, passes in cases:
        expected = [one for one in everything if passes(one)]
        assert expected, query
        assert sim.all_numbers(**query, top=50) == expected
        assert sim.oc("/telephone-numbers", **query).json["totalCount"] == len(expected)
        later = sim.oc("/telephone-numbers", **query, skip=2, top=3).json["value"]
        assert later == expected[2:5]


def test_one_number_and_its_nulls(sim: Sim) -> None:
    active = sim.oc("/telephone-numbers/+448718943000")
    assert active.headers["ETag"] == active.json["etag"]
    assert active.json["acquiredOn"] == "2026-02-16T16:17:41.0518562Z"
    assert sim.oc("/telephone-numbers/%2B448718943000").json == active.json
    waiting = sim.oc("/telephone-numbers/+448718943002").json
    assert waiting["acquiredNumberStatus"] == 4
    for name in ("availableCapabilities", "acquiredOn", "assignmentStatus"):
        assert waiting[name] is None
    assert "Geographic" not in waiting["acquiredCapabilities"]


def test_validate(sim: Sim) -> None:
    tenant = sim.tenant("Sauerland")
    own = sim.oc("/telephone-numbers", tenantId=tenant, top=1).json["value"][0]["telephoneNumber"]
    texts = [own, "+493023125999", "+448718943000", "0301234"]
    body = {"tenantId": tenant, "telephoneNumbers": texts}
    answer = sim.oc("/telephone-numbers:validate", "POST", body).json
    assert answer["validationResult"] == "Failed"
    results = [
        (one["validationResult"], one["telephoneNumberDetail"]["numberFound"])
        for one in answer["telephoneNumbers"]
    ]
    assert results == [("Success", True), ("Success", False), ("Failed", True), ("Failed", False)]
    assert answer["telephoneNumbers"][2]["validationDetail"] == ["NumberOwnedByAnotherTenant"]
    assert answer["telephoneNumbers"][2]["telephoneNumberDetail"]["assignmentStatus"] is None


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/telephone-numbers/+442079469999", 404, "NumberNotFound"),
        (f"/telephone-numbers?tenantId={uuid.UUID(int=4711)}", 404, "TenantNotFound"),
        (f"/consents/{uuid.UUID(int=4711)}", 404, "TenantNotFound"),
        (f"/tenants/{uuid.UUID(int=4711)}/usages", 404, "TenantNotFound"),
        ("/telephone-numbers?top=1001", 400, "InvalidParameter"),
        ("/telephone-numbers?top=0", 400, "InvalidParameter"),
        ("/telephone-numbers?skip=-1", 400, "InvalidParameter"),
        ("/telephone-numbers?status=9", 400, "InvalidParameter"),
        ("/telephone-numbers?colour=red", 400, "InvalidParameter"),
        ("/nonsense", 404, "NotFound"),
        ("/telephone-numbers/", 404, "NotFound"),
    ],
)
def test_errors(sim: Sim, path: str, status: int, code: str) -> None:
    answer = sim.oc(path)
    assert (answer.status, answer.code) == (status, code)


def test_unknown_operator(sim: Sim) -> None:
    path = f"/oc/v1/operators/{uuid.UUID(int=4711)}/consents"
    answer = sim.send("GET", path, headers=sim.bearer("oc"))
    assert (answer.status, answer.code) == (404, "OperatorNotFound")


def test_wrong_method_names_the_right_ones(sim: Sim) -> None:
    answer = sim.oc(f"/consents/{EXAMPLE}", "DELETE")
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    assert answer.headers["Allow"] == "GET, PATCH"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 5000])
def test_malformed_json(sim: Sim, body: bytes) -> None:
    answer = sim.send("POST", f"{OC}/telephone-numbers:validate", body, sim.bearer("oc"))
    assert (answer.status, answer.code) == (400, "MalformedJson")


def test_too_large_a_body(sim: Sim) -> None:
    path = f"{OC}/telephone-numbers:validate"
    headers = {**sim.bearer("oc"), "Content-Length": str(1024 * 1024 + 1)}
    answer = sim.send("POST", path, b"", headers)
    assert (answer.status, answer.code) == (413, "PayloadTooLarge")


def test_ids_of_a_request_come_back(sim: Sim) -> None:
    mine = str(uuid.UUID(int=4711))
    headers = {**sim.bearer("oc"), "x-ms-client-request-id": mine}
    answer = sim.send("GET", f"{OC}/consents", headers=headers)
    assert answer.headers["x-ms-client-request-id"] == mine
    assert uuid.UUID(answer.headers["x-ms-request-id"])


def test_next_link_keeps_the_filter(sim: Sim) -> None:
    link = sim.oc("/telephone-numbers", startsWith="+44", top=10).json["nextLink"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    assert query == {"startsWith": ["+44"], "top": ["10"], "skip": ["10"]}
