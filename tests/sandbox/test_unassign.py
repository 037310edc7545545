"""Graph's unassignNumber and the operation it answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from .jobs import FREE, Jobs
from .process import EXAMPLE, GRAPH, Answer

OPERATIONS = GRAPH.rsplit("/", 1)[0] + "/operations"


def unassign(jobs: Jobs, text: str) -> Answer:
    return jobs.graph("unassignNumber", text, numberType="operatorConnect")


def path_of(jobs: Jobs, answer: Answer) -> str:
    location: str = answer.headers["Location"]
    return location.split(str(jobs.sim.port), 1)[1]


def operation(jobs: Jobs, path: str) -> Any:
    answer = jobs.sim.send("GET", path, headers=jobs.sim.bearer("graph", jobs.tenant))
    assert answer.status == 200, answer.body
    return answer.json


def test_path_of_a_number(jobs: Jobs) -> None:
    """The customer sees it when it is done, the operator after the lag."""
    (text,) = jobs.some(assignmentStatus="UserAssigned")
    answer = unassign(jobs, text)
    path = path_of(jobs, answer)
    assert (answer.status, answer.body) == (202, b"")
    seen = []
    for seconds in (0, 1, 3, 9.9, 0.1):
        jobs.advance(seconds)
        customers, own = jobs.on_graph(text), jobs.number(text)
        status = operation(jobs, path)["status"]
        states = (customers["activationState"], customers["assignmentStatus"])
        seen.append((status, *states, own["assignmentStatus"]))
    assert seen == [
        ("notStarted", "assignmentPending", "userAssigned", "UserAssigned"),
        ("running", "assignmentPending", "userAssigned", "UserAssigned"),
        ("succeeded", "activated", "unassigned", "UserAssigned"),
        ("succeeded", "activated", "unassigned", "UserAssigned"),
        ("succeeded", "activated", "unassigned", "Unassigned"),
    ]
    number = jobs.number(text)
    assert (number["assignmentTargetId"], number["activationState"]) == (None, "Activated")
    assert jobs.on_graph(text)["assignmentTargetId"] is None


def test_operation(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="UserAssigned")
    path = path_of(jobs, unassign(jobs, text))
    key = path.split("('")[1].removesuffix("')")
    padded = key + "=" * (-len(key) % 4)
    assert base64.b64decode(padded).decode().startswith("Unassignment|")
    shown = operation(jobs, path)
    assert (shown["id"], shown["status"]) == (key, "notStarted")
    (number,) = shown["numbers"]
    assert (number["status"], number["statusDetail"]) == ("notStarted", None)
    assert "numberAssignments('" in number["resourceLocation"]
    assert operation(jobs, f"{OPERATIONS}/{key}") == shown
    stranger = jobs.sim.bearer("graph", EXAMPLE)
    assert jobs.sim.send("GET", path, headers=stranger).status == 404
    own = jobs.sim.bearer("graph", jobs.tenant)
    for odd in ("abc", "%C3%BC", base64.b64encode(b"Assignment|1").decode()):
        assert jobs.sim.send("GET", f"{OPERATIONS}/{odd}", headers=own).status == 404


def test_filters_know_what_the_customer_knows(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="UserAssigned")
    before = jobs.sim.graph(jobs.tenant, top=1000, count="true").json
    unassign(jobs, text)
    jobs.advance(4)

    def listed(status: str) -> list[str]:
        query = f"assignmentStatus eq '{status}'"
        found = jobs.sim.graph(jobs.tenant, top=1000, filter=query).json["value"]
        return [one["telephoneNumber"] for one in found]

    assert text in listed("unassigned")
    assert text not in listed("userAssigned")
    after = jobs.sim.graph(jobs.tenant, top=1000, count="true").json
    assert after["@odata.count"] == before["@odata.count"]
    order = [one["telephoneNumber"] for one in before["value"]]
    assert [one["telephoneNumber"] for one in after["value"]] == order


def test_unassign_then_release(jobs: Jobs) -> None:
    """F14: what Microsoft knows counts, although its list is behind."""
    (text,) = jobs.some(assignmentStatus="UserAssigned")
    assert jobs.codes(jobs.run("releases", telephoneNumbers=[text])) == {text: "NumberAssigned"}
    unassign(jobs, text)
    jobs.advance(4)
    assert jobs.number(text)["assignmentStatus"] == "UserAssigned"
    job_id = jobs.start("releases", telephoneNumbers=[text])
    number = jobs.number(text)
    assert (number["acquiredNumberStatus"], number["assignmentStatus"]) == (1, "Unassigned")
    jobs.advance(17)
    assert (jobs.get("releases", job_id)["status"], jobs.status(text)) == ("Complete", None)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"telephoneNumber": FREE}, 404, "NumberNotFound"),
        ({"telephoneNumber": "+448718943000"}, 404, "NumberNotFound"),
        ({"telephoneNumber": None}, 404, "NumberNotFound"),
        ({"numberType": "directRouting"}, 404, "NumberNotFound"),
        ({"numberType": "carrierPigeon"}, 400, "BadRequest"),
        ({"numberType": None}, 400, "BadRequest"),
    ],
)
def test_refused(jobs: Jobs, change: dict[str, Any], status: int, code: str) -> None:
    body = {"telephoneNumber": "+442079460000", "numberType": "operatorConnect", **change}
    headers = jobs.sim.bearer("graph", jobs.tenant)
    answer = jobs.sim.send("POST", f"{GRAPH}/unassignNumber", json.dumps(body), headers)
    assert (answer.status, answer.code) == (status, code)


def test_not_assigned_or_busy(jobs: Jobs) -> None:
    first, second = jobs.some(2, assignmentStatus="UserAssigned")
    (free,) = jobs.some(assignmentStatus="Unassigned")
    assert (unassign(jobs, free).status, unassign(jobs, free).code) == (400, "NumberNotAssigned")
    assert unassign(jobs, first).status == 202
    again = unassign(jobs, first)
    assert (again.status, again.code) == (409, "OperationInProgress")
    release = jobs.start("releases", telephoneNumbers=[first])
    jobs.start("location-updates", telephoneNumbers=[second], locationId=None)
    assert unassign(jobs, second).status == 409
    jobs.advance(7)
    assert jobs.codes(jobs.get("releases", release)) == {first: "OperationInProgress"}
    assert unassign(jobs, first).code == "NumberNotAssigned"


def test_operation_that_fails(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="UserAssigned")
    before = jobs.on_graph(text)
    jobs.settings(failures={text: "InternalError"})
    path = path_of(jobs, unassign(jobs, text))
    jobs.advance(4)
    shown = operation(jobs, path)
    assert (shown["status"], shown["numbers"][0]["status"]) == ("failed", "failed")
    assert shown["numbers"][0]["statusDetail"]
    jobs.advance(10)
    assert jobs.on_graph(text) == before
    assert jobs.number(text)["assignmentStatus"] == "UserAssigned"


def test_roles(jobs: Jobs) -> None:
    token = jobs.sim.ask_token("graph/.default", jobs.tenant, client_id="noroles").json
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    for verb in ("unassignNumber", "updateNumber"):
        answer = jobs.sim.send("POST", f"{GRAPH}/{verb}", "{}", headers)
        assert answer.status == 403
        assert "TeamsTelephoneNumber.ReadWrite.All" in answer.json["error"]["message"]
