"""What all jobs share: lists, repeated requests, limits, settings, retention."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .jobs import FREE, Jobs, upload
from .process import OC

KINDS = ("uploads", "releases", "capability-updates", "location-updates")
ALL: dict[str, Any] = {"telephoneNumbers": ["+442079460000"], "locationId": None}


def test_the_demo_remembers_five_jobs(jobs: Jobs) -> None:
    shown = {kind: jobs.sim.oc(f"/{kind}").json for kind in KINDS}
    assert [one["totalCount"] for one in shown.values()] == [2, 1, 1, 1]
    found = [one for kind in KINDS for one in shown[kind]["value"]]
    assert sorted(one["status"] for one in found) == [
        "Complete",
        "Complete",
        "PartialSuccess",
        "Success",
        "Success",
    ]
    assert all(one["createdAt"] < one["completedAt"] < "2026-03" for one in found)
    assert all(one["totalCount"] == one["successCount"] + one["failureCount"] for one in found)
    (partial,) = jobs.sim.oc("/uploads", status="PartialSuccess").json["value"]
    envelope = jobs.get("uploads", partial["jobId"])
    assert len(set(jobs.codes(envelope).values())) == 6
    good = [one["telephoneNumber"] for one in envelope["entries"] if not one["errorCode"]]
    assert all(jobs.number(text)["tnUploadJobId"] == partial["jobId"] for text in good)
    state = jobs.sim.control("GET", "/state")
    assert state["jobs"]["uploads"] == {"PartialSuccess": 1, "Success": 1}
    assert state["releaseRequests"] == {"Pending": 4}


def test_lists(jobs: Jobs) -> None:
    other = jobs.sim.tenant("Brightwater")
    ids = [jobs.start("location-updates", **ALL, correlationId=f"c{place}") for place in range(3)]
    jobs.start("location-updates", **ALL, tenantId=other)

    def listed(**query: Any) -> list[str]:
        return [one["jobId"] for one in jobs.sim.oc("/location-updates", **query).json["value"]]

    assert listed(correlationId="c1") == [ids[1]]
    assert listed(status="Pending", tenantId=jobs.tenant) == ids[::-1]
    assert listed(correlationId="c9") == []
    page = jobs.sim.oc("/location-updates", top=2, tenantId=jobs.tenant).json
    assert ([one["jobId"] for one in page["value"]], page["totalCount"]) == (ids[:0:-1], 3)
    assert "entries" not in page["value"][0]
    path = page["nextLink"].split(str(jobs.sim.port), 1)[1]
    rest = jobs.sim.send("GET", path, headers=jobs.sim.bearer("oc")).json
    assert ([one["jobId"] for one in rest["value"]], rest["nextLink"]) == ([ids[0]], None)
    assert jobs.sim.oc("/uploads", colour="red").code == "InvalidParameter"
    assert jobs.sim.oc("/uploads", tenantId="nobody").code == "TenantNotFound"
    assert jobs.sim.oc(f"/uploads/{ids[0]}").code == "JobNotFound"
    assert jobs.sim.oc("/uploads/nothing:retry", "POST", {}).code == "JobNotFound"


def test_methods_and_roles(jobs: Jobs) -> None:
    token = jobs.sim.ask_token(client_id="noroles").json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for kind in (*KINDS, "release-requests"):
        wrong = jobs.sim.oc(f"/{kind}", "DELETE")
        assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, POST")
        for method, role in (("GET", "Read"), ("POST", "Write")):
            answer = jobs.sim.send(method, f"{OC}/{kind}", "{}", headers)
            assert answer.status == 403
            assert f"NumberManagement.{role}" in answer.json["error"]["message"]


def test_same_correlation_id(jobs: Jobs) -> None:
    first = jobs.send("uploads", **upload(FREE, correlationId="same"))
    again = jobs.send("uploads", **upload(FREE, correlationId="same"))
    assert (again.status, again.body) == (202, first.body)
    assert again.headers["Repeatability-Result"] == "accepted"
    assert again.headers["Location"] == first.headers["Location"]
    other = jobs.send("uploads", **upload("+442079460501", correlationId="same"))
    assert (other.status, other.code) == (409, "RequestIdReused")
    assert jobs.sim.oc("/uploads", correlationId="same").json["totalCount"] == 1
    # Another kind of job may carry the same id.
    assert jobs.send("location-updates", **ALL, correlationId="same").status == 202
    jobs.advance(86_401)
    late = jobs.send("uploads", **upload("+442079460501", correlationId="same"))
    assert late.status == 202
    assert jobs.sim.oc("/uploads", correlationId="same").json["totalCount"] == 2


def test_repeatability_header(jobs: Jobs) -> None:
    headers = {"Repeatability-Request-ID": "r-1"}
    first = jobs.send("uploads", headers, **upload(FREE))
    again = jobs.send("uploads", headers, **upload(FREE))
    assert first.headers["Repeatability-Result"] == "accepted"
    assert again.json == first.json
    other = jobs.send("uploads", headers, **upload("+442079460501"))
    assert (other.status, other.code) == (409, "RequestIdReused")
    assert other.headers["Repeatability-Result"] == "rejected"
    entry = jobs.sim.control("GET", "/requests")["value"][-1]
    assert (entry["repeatabilityId"], entry["status"]) == ("r-1", 409)


def test_a_refusal_is_not_repeated(jobs: Jobs) -> None:
    bad = jobs.send("uploads", **upload(FREE, usage="Singing", correlationId="c"))
    good = jobs.send("uploads", **upload(FREE, correlationId="c"))
    assert (bad.status, good.status) == (400, 202)


def test_log_names_the_job(jobs: Jobs) -> None:
    jobs.send("uploads", {"x-ms-client-request-id": "wire"}, **upload(FREE, correlationId="mine"))
    jobs.send("uploads", **upload("+442079460501", correlationId="other"))
    first, second = jobs.sim.control("GET", "/requests")["value"][-2:]
    assert (first["correlationId"], first["jobCorrelationId"]) == ("wire", "mine")
    assert (second["correlationId"], second["jobCorrelationId"]) == ("other", "other")


def test_release_limit(jobs: Jobs) -> None:
    """F01: ten in ten seconds, and no job for the eleventh."""
    body: dict[str, Any] = {"telephoneNumbers": [FREE]}
    for place in range(10):
        assert jobs.send("releases", **body).status == 202
        jobs.advance(0.5 if place < 9 else 0)
    refused = jobs.send("releases", **body)
    assert (refused.status, refused.code) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "6"
    assert jobs.sim.oc("/releases").json["totalCount"] == 11
    assert jobs.send("location-updates", **ALL).status == 202
    jobs.advance(6)
    assert jobs.send("releases", **body).status == 202
    jobs.settings(limits={"releases": 0})
    assert all(jobs.send("releases", **body).status == 202 for _ in range(20))


def test_limit_per_minute(jobs: Jobs) -> None:
    jobs.settings(limits={"perMinute": 3})
    answers = [jobs.sim.oc("/consents") for _ in range(4)]
    assert [one.status for one in answers] == [200, 200, 200, 429]
    assert answers[3].headers["Retry-After"] == "60"
    assert jobs.sim.graph(jobs.tenant).status == 429
    token = jobs.sim.ask_token(client_id="noroles").json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert jobs.sim.send("GET", f"{OC}/consents", headers=headers).status == 403
    jobs.advance(60)
    assert jobs.sim.oc("/consents").status == 200


def test_retention(jobs: Jobs) -> None:
    job_id = jobs.start("uploads", **upload(FREE))
    jobs.advance(8)
    jobs.advance(7 * 86_400 - 5)
    assert jobs.get("uploads", job_id)["status"] == "Success"
    jobs.advance(6)
    gone = jobs.sim.oc(f"/uploads/{job_id}")
    assert (gone.status, gone.code) == (404, "JobNotFound")
    assert jobs.sim.oc("/uploads").json["totalCount"] == 0
    assert jobs.sim.oc(f"/uploads/{job_id}:retry", "POST", {}).status == 404
    assert jobs.status(FREE) == 0
    jobs.settings(retention=10 * 86_400)
    assert jobs.get("uploads", job_id)["status"] == "Success"


def test_at_once(jobs: Jobs) -> None:
    jobs.at_once()
    job_id = jobs.start("uploads", **upload(FREE))
    assert (jobs.get("uploads", job_id)["status"], jobs.status(FREE)) == ("Success", 0)
    job_id = jobs.start("releases", telephoneNumbers=[FREE])
    assert (jobs.get("releases", job_id)["status"], jobs.status(FREE)) == ("Complete", None)


def test_speed_of_the_clock(sim: Any) -> None:
    """A real clock moves jobs too, as fast as it is told to."""
    jobs = Jobs(sim)
    job_id = jobs.start("uploads", **upload(FREE))
    sim.control("POST", "/clock", {"mode": "real", "speed": 100_000})
    sim.control("GET", "/clock")
    assert jobs.get("uploads", job_id)["status"] == "Success"


def test_settings_are_merged(jobs: Jobs) -> None:
    shown = jobs.settings(durations={"uploads": {"pending": 9}, "releases": 1}, lag=3)
    assert shown["durations"]["uploads"] == {"pending": 9, "inProgress": 5, "perNumber": 0.005}
    assert shown["durations"]["releases"] == {"pending": 1, "inProgress": 1, "perNumber": 1}
    assert (shown["lag"], shown["expiry"]) == (3, 86_400)
    jobs.sim.control("POST", "/reset", {"seed": "empty"})
    assert jobs.sim.control("GET", "/state")["jobSettings"]["lag"] == 10


@pytest.mark.parametrize(
    "change",
    [
        {"durations": {"uploads": {"pending": -1}}},
        {"durations": {"lunch": 3}},
        {"durations": {"uploads": {"lunch": 3}}},
        {"durations": "long"},
        {"lag": None},
        {"lag": True},
        {"hold": {"releases": 1}},
        {"hold": {"lunch": True}},
        {"limits": {"releases": 0.5}},
        {"failures": ["+442079460000"]},
        {"failures": {"+442079460000": 5}},
        {"retryNewJobId": "yes"},
    ],
    ids=lambda change: json.dumps(change),
)
def test_setting_is_refused(jobs: Jobs, change: dict[str, Any]) -> None:
    answer = jobs.sim.send("PUT", "/_sim/state", json.dumps(change))
    assert (answer.status, answer.code) == (400, "InvalidState")
