"""Uploads: what is refused at once, how they run, what becomes of the numbers."""

from __future__ import annotations

from typing import Any

import pytest

from .jobs import EMEA, FREE, Jobs, upload
from .process import OC

SUFFIXES = {
    "+442079460590": "UnknownCountryCode",
    "+442079460591": "UnableToMatchGeographyEntry",
    "+442079460592": "UnableToRetrieveLocation",
    "+442079460593": "NumberOwnedByAnotherTenant",
    "+442079460594": "InternalError",
}
NOBODY = "00000000-1111-2222-3333-444444444444"


def test_accepted(jobs: Jobs) -> None:
    answer = jobs.send("uploads", **upload(FREE, correlationId="first"))
    job_id = answer.json["jobId"]
    assert (answer.status, answer.json) == (202, {"jobId": job_id, "status": "Pending"})
    assert answer.headers["Location"] == answer.headers["Operation-Location"]
    assert answer.headers["Location"].endswith(f"{OC}/uploads/{job_id}")
    assert answer.headers["Retry-After"] == "2"
    envelope = jobs.get("uploads", job_id)
    now = jobs.sim.control("GET", "/clock")["now"]
    entry = {
        "telephoneNumber": FREE,
        "status": "Pending",
        "errorCode": None,
        "errorMessage": None,
    }
    assert envelope == {
        "jobId": job_id,
        "type": "Upload",
        "tenantId": jobs.tenant,
        "status": "Pending",
        "createdAt": now,
        "completedAt": None,
        "correlationId": "first",
        "totalCount": 1,
        "successCount": 0,
        "failureCount": 0,
        "errorCode": None,
        "errorMessage": None,
        "entries": [entry],
    }


def test_path_of_a_number(jobs: Jobs) -> None:
    """Pending, in progress, done but awaiting the first sync, active."""
    job_id = jobs.start("uploads", **upload(FREE))
    seen = []
    for seconds in (0, 1.9, 0.1, 5, 0.01, 9.9, 0.2):
        jobs.advance(seconds)
        seen.append((jobs.get("uploads", job_id)["status"], jobs.status(FREE)))
    assert seen == [
        ("Pending", None),
        ("Pending", None),
        ("InProgress", None),
        ("InProgress", None),
        ("Success", 4),
        ("Success", 4),
        ("Success", 0),
    ]


def test_first_sync_completes_a_number(jobs: Jobs) -> None:
    job_id = jobs.start("uploads", **upload(FREE))
    jobs.advance(8)
    waiting = jobs.number(FREE)
    assert waiting["acquiredCapabilities"] == [
        "InboundCalling",
        "Office365",
        "OutboundCalling",
        "UserAssignment",
    ]
    nothing = ("assignmentStatus", "availableCapabilities", "acquiredOn")
    assert [waiting[name] for name in nothing] == [None, None, None]
    assert waiting["tnUploadJobId"] == job_id
    assert jobs.on_graph(FREE) is None
    jobs.advance(10)
    active = jobs.number(FREE)
    assert active["acquiredCapabilities"][0] == "Geographic"
    assert "SharedCalling" in active["availableCapabilities"]
    assert (active["assignmentStatus"], active["activationState"]) == ("Unassigned", "Activated")
    assert active["acquiredOn"] == active["lastModifiedOn"] > waiting["lastModifiedOn"]
    assert set(active) == set(jobs.number(jobs.some()[0]))
    assert jobs.on_graph(FREE)["assignmentStatus"] == "unassigned"


def test_lag_is_a_setting(jobs: Jobs) -> None:
    """F07: the job is done long before the number is."""
    jobs.settings(lag=60)
    envelope = jobs.run("uploads", **upload(FREE))
    assert (envelope["status"], jobs.status(FREE)) == ("Success", 4)
    jobs.advance(10)
    assert jobs.status(FREE) == 0


def test_many_numbers_take_longer(jobs: Jobs) -> None:
    ranges = [{"start": "+442079461000", "end": "+442079461999"}]
    job_id = jobs.start("uploads", **upload(ranges=ranges, telephoneNumbers=[]))
    jobs.advance(11.9)
    assert jobs.get("uploads", job_id)["status"] == "InProgress"
    jobs.advance(0.1)
    envelope = jobs.get("uploads", job_id)
    assert (envelope["status"], envelope["totalCount"]) == ("PartialSuccess", 1000)
    assert (envelope["successCount"], envelope["failureCount"]) == (950, 50)


def test_magic_endings(jobs: Jobs) -> None:
    """F06, and what a retry of the same job does."""
    envelope = jobs.run("uploads", **upload(FREE, *SUFFIXES))
    assert envelope["status"] == "PartialSuccess"
    assert (envelope["successCount"], envelope["failureCount"]) == (1, 5)
    assert jobs.codes(envelope) == {FREE: None, **SUFFIXES}
    assert all(one["errorMessage"] for one in envelope["entries"][1:])
    assert jobs.number(FREE)["acquiredNumberStatus"] == 0
    assert all(jobs.number(text) is None for text in SUFFIXES)
    only_bad = jobs.run("uploads", **upload(*SUFFIXES))
    assert (only_bad["status"], only_bad["errorCode"]) == ("Error", "AllEntriesFailed")
    jobs.settings(magicSuffixes=False)
    path = f"/uploads/{envelope['jobId']}:retry"
    again = jobs.sim.oc(path, "POST", {})
    assert (again.status, again.json["jobId"]) == (202, envelope["jobId"])
    middle = jobs.get("uploads", envelope["jobId"])
    assert [one["status"] for one in middle["entries"]] == ["Success", *["Pending"] * 5]
    jobs.advance(60)
    after = jobs.get("uploads", envelope["jobId"])
    assert (after["status"], after["successCount"], after["failureCount"]) == ("Success", 6, 0)
    assert jobs.sim.oc(path, "POST", {}).code == "NothingToRetry"


def test_retry_as_a_new_job(jobs: Jobs) -> None:
    jobs.settings(retryNewJobId=True)
    old = jobs.run("uploads", **upload(FREE, "+442079460594", correlationId="one"))
    jobs.settings(magicSuffixes=False)
    answer = jobs.sim.oc(f"/uploads/{old['jobId']}:retry", "POST", {})
    new_id = answer.json["jobId"]
    assert answer.status == 202
    assert new_id != old["jobId"]
    assert jobs.sim.oc(f"/uploads/{new_id}:retry", "POST", {}).code == "JobNotFinished"
    jobs.advance(60)
    assert jobs.codes(jobs.get("uploads", new_id)) == {"+442079460594": None}
    assert jobs.get("uploads", old["jobId"]) == old
    found = jobs.sim.oc("/uploads", correlationId="one").json["value"]
    assert [one["jobId"] for one in found] == [new_id, old["jobId"]]


def test_numbers_that_are_somebodys(jobs: Jobs) -> None:
    """F13 and F15."""
    other = jobs.sim.all_numbers(tenantId=jobs.sim.tenant("Brightwater"), top=1)[0]
    own, going = jobs.some()[0], "+442079460501"
    jobs.start("uploads", **upload(going))
    texts = [other["telephoneNumber"], own, going, FREE]
    envelope = jobs.run("uploads", **upload(*texts))
    assert list(jobs.codes(envelope).values()) == [
        "NumberOwnedByAnotherTenant",
        "NumberAlreadyAcquired",
        "OperationInProgress",
        None,
    ]
    assert jobs.number(other["telephoneNumber"]) == other
    assert jobs.status(going) == 0


def test_location_and_usage_reach_the_number(jobs: Jobs) -> None:
    addresses = jobs.sim.oc(f"/tenants/{jobs.tenant}/civic-addresses").json["value"]
    british = next(one for one in addresses if one["country"] == "GB")
    place = british["locations"][1]["id"]
    more = {"allowTenantAddressUpdate": False, "locationId": place, "additionalUsages": []}
    jobs.run("uploads", **upload(FREE, **more))
    number = jobs.number(FREE)
    assert (number["locationId"], number["civicAddressId"]) == (place, british["id"])
    assert (number["additionalUsages"], number["allowTenantAddressUpdate"]) == ([], False)
    assert number["callingProfileId"] == EMEA
    more = {"usage": "ConferenceAssignment", "capabilities": [], "civicAddressId": british["id"]}
    jobs.run("uploads", **upload("+442079460501", **more))
    number = jobs.number("+442079460501")
    assert number["acquiredCapabilities"] == ["Geographic", "Office365", "ConferenceAssignment"]
    assert number["locationId"] == british["defaultLocationId"]


def test_addresses_are_checked_per_number(jobs: Jobs) -> None:
    addresses = jobs.sim.oc(f"/tenants/{jobs.tenant}/civic-addresses").json["value"]
    french = next(one for one in addresses if one["country"] == "FR")
    found = jobs.run("uploads", **upload(FREE, "+33199000190", civicAddressId=french["id"]))
    assert jobs.codes(found) == {FREE: "CountryMismatch", "+33199000190": "UnknownCountryCode"}
    raw = next(
        one
        for one in addresses
        if (one["country"], one["validationStatus"]) == ("GB", "notValidated")
    )
    found = jobs.run("uploads", **upload(FREE, locationId=raw["defaultLocationId"]))
    assert jobs.codes(found) == {FREE: "AddressNotValidated"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"tenantId": NOBODY}, 404, "TenantNotFound"),
        ({"callingProfileId": NOBODY}, 404, "CallingProfileNotFound"),
        ({"locationId": NOBODY}, 404, "LocationNotFound"),
        ({"civicAddressId": NOBODY}, 404, "CivicAddressNotFound"),
        ({"telephoneNumbers": []}, 400, "InvalidRequest"),
        ({"telephoneNumbers": ["0123"]}, 400, "InvalidRequest"),
        ({"telephoneNumbers": [7]}, 400, "InvalidRequest"),
        ({"telephoneNumbers": [f"+4420794{n:05}" for n in range(1001)]}, 400, "TooManyNumbers"),
        ({"ranges": [{"start": "+442000000000", "end": "+442999999999"}]}, 400, "TooManyNumbers"),
        ({"ranges": [{"start": "+442079460502", "end": "+442079460501"}]}, 400, "InvalidRange"),
        ({"ranges": [{"start": "+44207946050", "end": "+442079460501"}]}, 400, "InvalidRange"),
        ({"ranges": [{"start": "+442079460501", "end": "+491234567890"}]}, 400, "InvalidRange"),
        ({"ranges": [{"start": "+442079460501"}]}, 400, "InvalidRange"),
        ({"ranges": ["+442079460501"]}, 400, "InvalidRange"),
        ({"locationId": "a", "civicAddressId": "b"}, 400, "LocationAndCivicAddressBothSet"),
        ({"usage": "Singing"}, 400, "InvalidUsage"),
        ({"usage": None}, 400, "InvalidUsage"),
        ({"additionalUsages": ["CallingUserAssignment"]}, 400, "InvalidUsage"),
        ({"additionalUsages": ["Singing"]}, 400, "InvalidUsage"),
        ({"telephoneNumbers": ["+448081570190"]}, 400, "InvalidUsage"),
        ({"capabilities": ["TollFree"]}, 400, "CapabilityNotChoosable"),
        ({"capabilities": "Mobile"}, 400, "CapabilityNotChoosable"),
        ({"allowTenantAddressUpdate": False}, 400, "AddressRequired"),
        ({"allowTenantAddressUpdate": "no"}, 400, "InvalidRequest"),
        ({"ticketId": "x" * 65}, 400, "InvalidTicketId"),
        ({"correlationId": 7}, 400, "InvalidRequest"),
        ({"telephoneNumbers": ["+493023125999"]}, 403, "CountryNotConsented"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else str(value),
)
def test_refused_at_once(jobs: Jobs, change: dict[str, Any], status: int, code: str) -> None:
    answer = jobs.send("uploads", **{**upload(FREE), **change})
    assert (answer.status, answer.code) == (status, code)
    assert jobs.sim.oc("/uploads").json["totalCount"] == 2


def test_consent(jobs: Jobs) -> None:
    """F12: suspended for one customer; Microsoft's ``UK`` is Great Britain for another."""
    jobs.tenant = jobs.sim.tenant("Brightwater")
    answer = jobs.send("uploads", **upload("+12125550190"))
    assert (answer.status, answer.code) == (403, "ConsentNotActive")
    jobs.tenant = jobs.sim.tenant("Kestrel")
    assert jobs.run("uploads", **upload(FREE))["status"] == "Success"
    answer = jobs.send("uploads", **upload(FREE, "+33199000190"))
    (detail,) = answer.json["error"]["details"]
    assert (answer.code, detail["target"]) == ("CountryNotConsented", "+33199000190")


def test_toll_free(jobs: Jobs) -> None:
    more = {"usage": "FirstPartyAppAssignment", "displayedCountryCode": "GB"}
    jobs.run("uploads", **upload("+448081570150", **more))
    number = jobs.number("+448081570150")
    assert (number["displayedCountryCode"], number["acquiredNumberStatus"]) == ("GB", 0)
    assert number["acquiredCapabilities"][0] == "TollFree"
    american = upload("+18005550150", usage="FirstPartyAppAssignment")
    assert jobs.send("uploads", **american).code == "DisplayedCountryCodeRequired"
    assert jobs.send("uploads", **american, displayedCountryCode="US").status == 202
