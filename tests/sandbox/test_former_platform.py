"""The V3 list of the platform the operator moves away from."""

from __future__ import annotations

import math
import uuid
from typing import Any

import pytest

from ocadmin.sandbox.seeds.example import example_numbers, example_records

from .process import EXAMPLE, Sim

FIELDS = [
    "uploadTelephoneNumberEntryId",
    "source",
    "sbcList",
    "tenantCallingProfileId",
    "ocSipConnectionName",
    "ocSipConnectionDescription",
    "umpCustomerGuid",
    "sbcListJson",
    "ovocChannelId",
    "consentedOn",
    "umpCustomerFullName",
    "msCompanyName",
    "sbcListArray",
    "id",
    "uploadToAccountJobId",
    "whenCreated",
    "acquiredNumberStatus",
    "telephoneNumber",
    "callingProfileId",
    "acquiredCapabilities",
    "availableCapabilities",
    "acquiredOn",
    "isoCountryCode",
    "tnUploadJobId",
    "locationId",
    "civicAddressId",
    "assignmentStatus",
    "tenantId",
    "aslcht",
    "aslsct",
    "aslvCode",
    "asticks",
]


def test_the_ten_numbers_of_the_example(sim: Sim) -> None:
    answer = sim.platform(msTenantId=EXAMPLE, pageSize=10).json
    data = answer.pop("data")
    assert list(answer.items()) == [
        ("currentPage", 1),
        ("pageSize", 10),
        ("totalPages", 1),
        ("totalRecords", 10),
    ]
    assert data == example_records()
    assert [list(one) for one in data] == [FIELDS] * 10
    assert [one["telephoneNumber"] for one in data] == [f"+44871894300{n}" for n in range(10)]
    assert [one["acquiredNumberStatus"] for one in data] == [0, 0] + [4] * 8


def test_values_of_the_example_copied_by_hand(sim: Sim) -> None:
    data = sim.platform(msTenantId=EXAMPLE).json["data"]
    first: dict[str, Any] = {
        "uploadTelephoneNumberEntryId": 294672,
        "source": "webapi",
        "sbcList": [{"sbcName": "US SP1 SBC", "sbcId": 11}],
        "tenantCallingProfileId": None,
        "ocSipConnectionName": None,
        "ocSipConnectionDescription": None,
        "umpCustomerGuid": "82686da4-980d-4eef-8c00-cfe918d954d4",
        "sbcListJson": None,
        "ovocChannelId": 0,
        "consentedOn": None,
        "umpCustomerFullName": "BradOCDev",
        "msCompanyName": "MSFT",
        "sbcListArray": [],
        "id": 121452,
        "uploadToAccountJobId": 4977,
        "whenCreated": "2026-02-16T16:17:56.1427926+00:00",
        "acquiredNumberStatus": 0,
        "telephoneNumber": "+448718943000",
        "callingProfileId": "ab86ef82-ce9e-4ead-befb-4aa954b64872",
        "acquiredCapabilities": [
            "Geographic",
            "Office365",
            "InboundCalling",
            "OutboundCalling",
            "UserAssignment",
        ],
        "availableCapabilities": [
            "Geographic",
            "FirstPartyAppAssignment",
            "Office365",
            "InboundCalling",
            "OutboundCalling",
            "UserAssignment",
            "SharedCalling",
        ],
        "acquiredOn": "2026-02-16T16:17:41.0518562+00:00",
        "isoCountryCode": "GB",
        "tnUploadJobId": "1d3d24fd-3d2d-4b26-b964-ebb8558c1091",
        "locationId": None,
        "civicAddressId": None,
        "assignmentStatus": "Unassigned",
        "tenantId": "3bc57cac-5794-457f-ad36-2c88cade9dbb",
        "aslcht": "2026-02-17T09:52:59.6920174+00:00",
        "aslsct": "2026-02-17T09:52:59.6920174+00:00",
        "aslvCode": 200,
        "asticks": 639069187671521345,
    }
    assert data[0] == first
    assert data[1]["aslcht"] == "2026-02-17T09:52:59.7470197+00:00"
    assert data[1]["acquiredOn"] == "2026-02-16T16:17:41.0518868+00:00"
    last = data[9]
    assert (last["id"], last["uploadTelephoneNumberEntryId"]) == (121463, 294683)
    assert (last["uploadToAccountJobId"], last["whenCreated"]) == (
        4980,
        "2026-02-17T10:18:16.2101833+00:00",
    )
    assert last["tnUploadJobId"] == "4bc846cb-0f7a-434f-a6ec-2f552b0bf068"
    assert last["acquiredCapabilities"] == [
        "InboundCalling",
        "Office365",
        "OutboundCalling",
        "UserAssignment",
    ]
    nulls = {name for name in FIELDS if last[name] is None} - {
        name for name in FIELDS if first[name] is None
    }
    assert nulls == {
        "availableCapabilities",
        "acquiredOn",
        "assignmentStatus",
        "aslcht",
        "aslsct",
        "aslvCode",
        "asticks",
    }


def test_microsoft_lists_the_same_ten(sim: Sim) -> None:
    assert sim.all_numbers(tenantId=EXAMPLE) == example_numbers()


def test_every_record_has_the_fields_in_order(sim: Sim) -> None:
    records = sim.all_records()
    assert all(list(one) == FIELDS for one in records)
    assert len({one["id"] for one in records}) == len(records)
    assert {one["source"] for one in records} == {"webapi", "webui", "ocsync"}
    assert all(bool(one["sbcList"]) == (one["source"] != "ocsync") for one in records)


def test_paging(sim: Sim) -> None:
    everything = sim.all_records()
    for names in (("pageNumber", "pageSize"), ("PageNumber", "PageSize")):
        answer = sim.platform(**{names[0]: 3, names[1]: 50}).json
        assert (answer["currentPage"], answer["pageSize"]) == (3, 50)
        assert answer["totalRecords"] == len(everything)
        assert answer["totalPages"] == math.ceil(len(everything) / 50)
        assert answer["data"] == everything[100:150]
    beyond = sim.platform(pageNumber=99).json
    assert (beyond["data"], beyond["totalRecords"]) == ([], len(everything))
    assert sim.platform().json["pageSize"] == 200


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Active", 0),
        ("Release Requested", 1),
        ("ReleaseRequested", 1),
        ("Marked For Removal", 2),
        ("3", 3),
        ("PendingFirstSync", 4),
    ],
)
def test_status_filter(sim: Sim, text: str, status: int) -> None:
    expected = [one for one in sim.all_records() if one["acquiredNumberStatus"] == status]
    answer = sim.platform(acquiredNumberStatus=text, pageSize=1000).json
    assert answer["data"] == expected != []
    assert sim.platform(acquiredNumberStatus="All").json["totalRecords"] > len(expected)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"msTenantId": str(uuid.uuid4())}, 404, "TenantNotFound"),
        ({"msTenantId": "nonsense"}, 400, "InvalidTenantId"),
        ({"acquiredNumberStatus": "Gone"}, 400, "InvalidStatus"),
        ({"pageNumber": 0}, 400, "InvalidPaging"),
        ({"pageSize": "many"}, 400, "InvalidPaging"),
    ],
)
def test_problems(sim: Sim, query: dict[str, Any], status: int, code: str) -> None:
    answer = sim.platform(**query)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json
    assert (problem["status"], problem["errorCode"]) == (status, code)
    assert {"type", "title", "detail", "instance", "errorTicket", "traceId"} <= set(problem)
