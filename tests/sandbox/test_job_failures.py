"""What goes wrong around jobs, as it is seen on the wire (upstreams.md 9.7)."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

import pytest

from .jobs import FREE, Jobs, upload
from .process import GRAPH

CUT = (http.client.RemoteDisconnected, ConnectionResetError)
UPLOADS = {"mount": "oc", "method": "POST", "path": "/uploads"}


@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {}], ids=["F01", "F02"])
def test_throttled(jobs: Jobs, headers: dict[str, str]) -> None:
    jobs.sim.fault(UPLOADS, {"status": 429, "headers": headers})
    answer = jobs.send("uploads", **upload(FREE, correlationId="c"))
    assert (answer.status, answer.headers["Retry-After"]) == (429, headers.get("Retry-After"))
    assert jobs.sim.oc("/uploads", correlationId="c").json["totalCount"] == 0
    assert jobs.send("uploads", **upload(FREE, correlationId="c")).status == 202


def test_server_errors_then_good(jobs: Jobs) -> None:
    """F03: no job is made by a request that failed."""
    jobs.sim.fault(UPLOADS, {"status": 503}, times=2)
    answers = [jobs.send("uploads", **upload(FREE, correlationId="c")) for _ in range(3)]
    assert [one.status for one in answers] == [503, 503, 202]
    assert jobs.sim.oc("/uploads", correlationId="c").json["totalCount"] == 1


@pytest.mark.parametrize("kind", ["uploads", "releases", "location-updates"])
def test_lost_answer(jobs: Jobs, kind: str) -> None:
    """F04: the job exists; asking again finds it and starts nothing."""
    (text,) = jobs.some(assignmentStatus="Unassigned")
    bodies: dict[str, dict[str, Any]] = {
        "uploads": upload(FREE),
        "releases": {"telephoneNumbers": [text]},
        "location-updates": {"telephoneNumbers": [text], "locationId": None},
    }
    body = {**bodies[kind], "correlationId": "lost"}
    jobs.sim.fault({"method": "POST", "path": f"/{kind}"}, {"drop": "after_commit"})
    with pytest.raises(CUT):
        jobs.send(kind, **body)
    entry = jobs.sim.control("GET", "/requests")["value"][-1]
    assert (entry["jobCorrelationId"], entry["status"]) == ("lost", None)
    (found,) = jobs.sim.oc(f"/{kind}", correlationId="lost").json["value"]
    again = jobs.send(kind, **body)
    assert (again.status, again.json["jobId"]) == (202, found["jobId"])
    jobs.advance(60)
    assert jobs.get(kind, found["jobId"])["successCount"] == 1
    assert jobs.sim.oc(f"/{kind}", correlationId="lost").json["totalCount"] == 1


def test_lost_question(jobs: Jobs) -> None:
    jobs.sim.fault(UPLOADS, {"drop": "before"})
    with pytest.raises(CUT):
        jobs.send("uploads", **upload(FREE, correlationId="lost"))
    assert jobs.sim.oc("/uploads", correlationId="lost").json["value"] == []


def test_slow_answer(jobs: Jobs) -> None:
    """F05: others are not held up, and the job is found although the answer is awaited."""
    jobs.sim.fault({"method": "GET", "path": "/uploads/"}, {"delayMs": 300})
    job_id = jobs.start("uploads", **upload(FREE))
    slow = threading.Thread(target=jobs.get, args=("uploads", job_id))
    slow.start()
    assert jobs.sim.oc("/uploads", status="Pending").json["totalCount"] == 1
    slow.join()


def test_unknown_and_unwilling_tenants(jobs: Jobs) -> None:
    """F11 and F12, with consent that is withdrawn between two uploads."""
    assert jobs.send("uploads", tenantId="x").code == "TenantNotFound"
    assert jobs.send("uploads", **upload(FREE)).status == 202
    jobs.sim.control("POST", "/customer", {"tenantId": jobs.tenant, "action": "suspendConsent"})
    answer = jobs.send("uploads", **upload("+442079460501"))
    assert (answer.status, answer.code) == (403, "ConsentNotActive")
    # What is the customer's already can still be given back.
    (text,) = jobs.some(assignmentStatus="Unassigned")
    assert jobs.send("releases", telephoneNumbers=[text]).status == 202


@pytest.mark.parametrize("when", ["before", "after"])
def test_customer_assigns_in_between(jobs: Jobs, when: str) -> None:
    """F16: between the preview and the run, or just before the run."""
    (text,) = jobs.some(assignmentStatus="Unassigned")
    before = jobs.number(text)
    act = {
        "tenantId": jobs.tenant,
        "action": "assign",
        "telephoneNumber": text,
        "when": when,
    }
    path = ":validate" if when == "after" else "/releases"
    jobs.sim.fault({"method": "POST", "path": path}, {"customer": act})
    preview = {"tenantId": jobs.tenant, "telephoneNumbers": [text]}
    answer = jobs.sim.oc("/telephone-numbers:validate", "POST", preview).json
    (verdict,) = answer["telephoneNumbers"]
    assert verdict["telephoneNumberDetail"]["assignmentStatus"] == "Unassigned"
    envelope = jobs.run("releases", telephoneNumbers=[text])
    assert jobs.codes(envelope) == {text: "NumberAssigned"}
    after = jobs.number(text)
    assert (after["acquiredNumberStatus"], after["assignmentStatus"]) == (0, "UserAssigned")
    assert after["etag"] != before["etag"]


def test_customer_comes_too_late(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="Unassigned")
    act = {"tenantId": jobs.tenant, "action": "assign", "telephoneNumber": text}
    jobs.sim.fault({"method": "POST", "path": "/releases"}, {"customer": act})
    assert jobs.run("releases", telephoneNumbers=[text])["status"] == "Complete"
    assert jobs.status(text) is None


def test_customer_hook_is_checked(jobs: Jobs) -> None:
    rule = {"match": {}, "action": {"customer": "assign"}}
    assert jobs.sim.send("POST", "/_sim/faults", json.dumps(rule)).code == "InvalidFault"


def test_a_page_of_html_instead_of_a_job(jobs: Jobs) -> None:
    """F26."""
    page = {"status": 502, "body": "<html>", "contentType": "text/html"}
    job_id = jobs.start("uploads", **upload(FREE))
    jobs.sim.fault({"path": job_id}, page)
    assert jobs.sim.oc(f"/uploads/{job_id}").body == b"<html>"
    assert jobs.get("uploads", job_id)["status"] == "Pending"


def test_list_of_jobs_shifts(jobs: Jobs) -> None:
    """F27, for jobs: numbers that vanish meanwhile fail, the others do not."""
    texts = jobs.some(2, assignmentStatus="Unassigned")
    job_id = jobs.start("location-updates", telephoneNumbers=texts, locationId=None)
    assert jobs.customer(texts[0], "release", vanish=True).status == 200
    jobs.advance(7)
    envelope = jobs.get("location-updates", job_id)
    assert jobs.codes(envelope) == {texts[0]: "NumberNotOwned", texts[1]: None}
    assert envelope["status"] == "PartialSuccess"


def test_many_at_once_release_a_number_once(jobs: Jobs) -> None:
    """Requests in parallel: one wins, and every number is acted on once."""
    texts = jobs.some(5, assignmentStatus="Unassigned")
    jobs.settings(limits={"releases": 0})
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.append(jobs.start("releases", telephoneNumbers=texts)))
        for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    jobs.advance(60)
    envelopes = [jobs.get("releases", one) for one in ids]
    assert sorted(one["successCount"] for one in envelopes) == [0] * 7 + [5]
    assert [jobs.status(text) for text in texts] == [None] * 5


NONSENSE: tuple[Any, ...] = (None, [], {}, 7, True, "x", [[]], [{}], [None], {"start": {}})


@pytest.mark.parametrize("kind", ["uploads", "releases", "capability-updates", "location-updates"])
def test_nonsense_is_refused(jobs: Jobs, kind: str) -> None:
    """Whatever is sent in whatever place, it is refused and not stumbled over."""
    jobs.settings(limits={"releases": 0})
    good: dict[str, Any] = {
        "telephoneNumbers": [FREE],
        "locationId": None,
        "updates": {FREE: {"add": []}},
    }
    base = {**upload(FREE), **good}
    for name in (*base, "tenantId", "ranges", "capabilities", "civicAddressId", "correlationId"):
        for odd in NONSENSE:
            answer = jobs.send(kind, **{**base, name: odd})
            assert answer.status < 429, (name, odd)


def test_nonsense_elsewhere_is_refused(jobs: Jobs) -> None:
    """The same for decisions and for the customer's side."""
    (text,) = jobs.some(assignmentStatus="UserAssigned", allowTenantAddressUpdate=True)
    names = ("telephoneNumber", "numberType", "locationId", "networkSiteId")
    for odd in NONSENSE:
        for name in ("ids", "decision", "comment"):
            body = {"ids": ["x"], "decision": "Hold", name: odd}
            assert jobs.sim.oc("/release-requests", "POST", body).status in (400, 404)
        for name in names:
            for verb in ("updateNumber", "unassignNumber"):
                data = json.dumps({"telephoneNumber": text, name: odd})
                headers = jobs.sim.bearer("graph", jobs.tenant)
                answer = jobs.sim.send("POST", f"{GRAPH}/{verb}", data, headers)
                assert answer.status < 429, (verb, name, odd)
