"""Releases, and the requests of customers who want to be rid of a number."""

from __future__ import annotations

from typing import Any

import pytest

from .jobs import FREE, Jobs
from .process import OC

NOBODY = "00000000-1111-2222-3333-444444444444"


def test_path_of_a_number(jobs: Jobs) -> None:
    """Being released from the start; gone only after the lag."""
    (text,) = jobs.some(assignmentStatus="Unassigned")
    job_id = jobs.start("releases", telephoneNumbers=[text])
    seen = []
    for seconds in (0, 2, 4.9, 0.1, 9.9, 0.1):
        jobs.advance(seconds)
        seen.append((jobs.get("releases", job_id)["status"], jobs.status(text)))
    assert seen == [
        ("Pending", 1),
        ("InProgress", 1),
        ("InProgress", 1),
        ("Complete", 1),
        ("Complete", 1),
        ("Complete", None),
    ]
    assert jobs.on_graph(text) is None
    envelope = jobs.get("releases", job_id)
    assert (envelope["type"], envelope["successCount"]) == ("Release", 1)


def test_entries_that_fail(jobs: Jobs) -> None:
    """F14, F15 and F28: what is assigned, in use or strange stays as it is."""
    good, running = jobs.some(2, assignmentStatus="Unassigned")
    (assigned,) = jobs.some(assignmentStatus="UserAssigned")
    (strange,) = jobs.some(assignmentStatus="FutureThing")
    jobs.start("location-updates", telephoneNumbers=[running], locationId=None)
    texts = [good, running, assigned, strange, FREE]
    job_id = jobs.start("releases", telephoneNumbers=texts)
    assert [jobs.status(text) for text in texts] == [1, 0, 0, 0, None]
    jobs.advance(7)
    envelope = jobs.get("releases", job_id)
    assert list(jobs.codes(envelope).values()) == [
        None,
        "OperationInProgress",
        "NumberAssigned",
        "NumberAssigned",
        "NumberNotOwned",
    ]
    assert (envelope["status"], envelope["failureCount"]) == ("Complete", 4)
    jobs.advance(10)
    assert [jobs.status(text) for text in texts] == [None, 0, 0, 0, None]
    assert jobs.run("releases", telephoneNumbers=[assigned])["status"] == "Failed"


def test_a_number_is_released_once(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="Unassigned")
    first = jobs.start("releases", telephoneNumbers=[text])
    second = jobs.start("releases", telephoneNumbers=[text])
    jobs.advance(7)
    third = jobs.start("releases", telephoneNumbers=[text])
    jobs.advance(60)
    results = [jobs.codes(jobs.get("releases", one))[text] for one in (first, second, third)]
    assert results == [None, "OperationInProgress", "OperationInProgress"]
    assert jobs.status(text) is None


def test_a_failure_gives_the_number_back(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="Unassigned")
    jobs.settings(failures={text: "InternalError"})
    job_id = jobs.start("releases", telephoneNumbers=[text])
    assert jobs.status(text) == 1
    jobs.advance(7)
    assert (jobs.get("releases", job_id)["status"], jobs.status(text)) == ("Failed", 0)
    jobs.settings(failures={text: None})
    assert jobs.sim.oc(f"/releases/{job_id}:retry", "POST", {}).status == 202
    assert jobs.status(text) == 1
    jobs.advance(17)
    assert (jobs.get("releases", job_id)["status"], jobs.status(text)) == ("Complete", None)


def test_ranges(jobs: Jobs) -> None:
    envelope = jobs.run(
        "releases",
        telephoneNumbers=["+33199000100"],
        ranges=[{"start": "+33199000100", "end": "+33199000104"}],
    )
    assert [one["telephoneNumber"][-1] for one in envelope["entries"]] == list("01234")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"tenantId": NOBODY, "telephoneNumbers": [FREE]}, 404, "TenantNotFound"),
        ({"telephoneNumbers": ["+442079460000", "+448718943000"]}, 400, "MixedTenants"),
        ({"telephoneNumbers": "+442079460000"}, 400, "InvalidRequest"),
        ({}, 400, "InvalidRequest"),
    ],
)
def test_refused_at_once(jobs: Jobs, body: dict[str, Any], status: int, code: str) -> None:
    answer = jobs.send("releases", **body)
    assert (answer.status, answer.code) == (status, code)
    assert jobs.status("+442079460000") == 0


def test_numbers_of_one_other_tenant_are_not_owned(jobs: Jobs) -> None:
    envelope = jobs.run("releases", telephoneNumbers=["+448718943000"])
    assert jobs.codes(envelope) == {"+448718943000": "NumberNotOwned"}
    jobs.tenant = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
    envelope = jobs.run("releases", telephoneNumbers=["+448718943002"])
    assert jobs.codes(envelope) == {"+448718943002": "NumberNotActive"}


def test_expiry_and_retry(jobs: Jobs) -> None:
    """F17: held for a day, expired, tried again."""
    (text,) = jobs.some(assignmentStatus="Unassigned")
    jobs.settings(hold={"releases": True})
    job_id = jobs.start("releases", telephoneNumbers=[text])
    jobs.advance(86_399)
    assert (jobs.get("releases", job_id)["status"], jobs.status(text)) == ("InProgress", 1)
    jobs.advance(1)
    envelope = jobs.get("releases", job_id)
    assert (envelope["status"], envelope["errorCode"]) == ("Expired", "Expired")
    assert (jobs.codes(envelope)[text], jobs.status(text)) == ("Expired", 0)
    jobs.settings(hold={"releases": False})
    jobs.advance(3600)
    assert jobs.get("releases", job_id) == envelope
    jobs.sim.oc(f"/releases/{job_id}:retry", "POST", {})
    jobs.advance(17)
    assert (jobs.get("releases", job_id)["status"], jobs.status(text)) == ("Complete", None)


def test_held_jobs_go_on(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="Unassigned")
    jobs.settings(hold={"releases": True}, expiry=600)
    job_id = jobs.start("releases", telephoneNumbers=[text])
    jobs.advance(500)
    jobs.settings(hold={"releases": False})
    assert jobs.get("releases", job_id)["status"] == "Complete"
    jobs.advance(500)
    assert (jobs.get("releases", job_id)["status"], jobs.status(text)) == ("Complete", None)


def requests(jobs: Jobs, **query: Any) -> list[Any]:
    found: list[Any] = jobs.sim.oc("/release-requests", **query).json["value"]
    return found


def decide(jobs: Jobs, ids: list[str], decision: str) -> Any:
    body = {"ids": ids, "decision": decision, "comment": "as agreed"}
    return jobs.sim.oc("/release-requests", "POST", body)


def test_the_demos_requests(jobs: Jobs) -> None:
    found = jobs.sim.oc("/release-requests", status="Pending").json
    assert (found["totalCount"], found["nextLink"]) == (4, None)
    assert all(jobs.status(one["telephoneNumber"]) == 2 for one in found["value"])
    assert set(found["value"][0]) == {
        "id",
        "telephoneNumber",
        "tenantId",
        "requestedOn",
        "status",
        "comment",
        "decidedOn",
        "completedOn",
    }
    page = jobs.sim.oc("/release-requests", top=3).json
    assert (len(page["value"]), page["totalCount"]) == (3, 4)
    assert OC in page["nextLink"]
    assert requests(jobs) == found["value"]
    own = requests(jobs, tenantId=jobs.tenant)
    assert {one["tenantId"] for one in own} <= {jobs.tenant}


def test_approval(jobs: Jobs) -> None:
    """Marked by the customer (2), approved (3), gone."""
    (text,) = jobs.some(assignmentStatus="Unassigned")
    assert jobs.customer(text, "release").status == 200
    (one,) = [one for one in requests(jobs) if one["telephoneNumber"] == text]
    assert (one["status"], one["tenantId"], jobs.status(text)) == ("Pending", jobs.tenant, 2)
    answer = decide(jobs, [one["id"]], "Approve")
    (approved,) = answer.json["value"]
    assert (answer.status, approved["status"], approved["comment"]) == (
        200,
        "Approved",
        "as agreed",
    )
    assert jobs.status(text) == 3
    jobs.advance(4.9)
    assert jobs.status(text) == 3
    jobs.advance(0.1)
    assert jobs.status(text) is None
    again = decide(jobs, [one["id"]], "Approve")
    assert (again.status, again.code) == (409, "AlreadyDecided")
    assert requests(jobs, status="Approved")[0]["completedOn"]


def test_hold(jobs: Jobs) -> None:
    first, second = requests(jobs)[:2]
    assert decide(jobs, [first["id"]], "Hold").status == 200
    assert jobs.status(first["telephoneNumber"]) == 2
    assert [one["id"] for one in requests(jobs, status="Held")] == [first["id"]]
    both = decide(jobs, [first["id"], second["id"]], "Hold")
    assert (both.status, both.code) == (409, "AlreadyDecided")
    assert len(requests(jobs, status="Pending")) == 3
    assert decide(jobs, [first["id"], second["id"]], "Approve").status == 200
    assert decide(jobs, [first["id"]], "Hold").code == "AlreadyDecided"
    jobs.advance(5)
    assert jobs.status(first["telephoneNumber"]) is None


def test_a_request_ends_with_its_number(jobs: Jobs) -> None:
    one = requests(jobs)[0]
    jobs.sim.control("POST", "/numbers", {"delete": [one["telephoneNumber"]]})
    assert [found["id"] for found in requests(jobs, status="Withdrawn")] == [one["id"]]
    assert decide(jobs, [one["id"]], "Approve").code == "AlreadyDecided"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"ids": [NOBODY], "decision": "Approve"}, 404, "ReleaseRequestNotFound"),
        ({"ids": [NOBODY], "decision": "Maybe"}, 400, "InvalidDecision"),
        ({"ids": [], "decision": "Hold"}, 400, "InvalidRequest"),
        ({"ids": [NOBODY], "decision": "Hold", "comment": 7}, 400, "InvalidRequest"),
    ],
)
def test_decision_is_refused(jobs: Jobs, body: dict[str, Any], status: int, code: str) -> None:
    answer = jobs.sim.oc("/release-requests", "POST", body)
    assert (answer.status, answer.code) == (status, code)


def test_request_filter_is_refused(jobs: Jobs) -> None:
    assert jobs.sim.oc("/release-requests", status="Odd").code == "InvalidStatus"
    assert jobs.sim.oc("/release-requests", colour="red").code == "InvalidParameter"
    assert jobs.sim.oc("/release-requests", tenantId=NOBODY).code == "TenantNotFound"
