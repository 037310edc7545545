"""Capability updates: all or nothing per number."""

from __future__ import annotations

from typing import Any

import pytest

from .jobs import FREE, Jobs


def change(text: str, **parts: list[str]) -> dict[str, Any]:
    return {"updates": {text: parts}}


def test_path_of_a_number(jobs: Jobs) -> None:
    (text,) = jobs.some(usage="CallingUserAssignment")
    before = jobs.number(text)["acquiredCapabilities"]
    job_id = jobs.start("capability-updates", **change(text, add=["SharedCalling"]))
    seen = []
    for seconds in (0, 2, 5):
        jobs.advance(seconds)
        status = jobs.get("capability-updates", job_id)["status"]
        seen.append((status, jobs.number(text)["activationState"]))
    assert seen == [
        ("Pending", "UpdatePending"),
        ("InProgress", "UpdatePending"),
        ("Complete", "Activated"),
    ]
    assert jobs.number(text)["acquiredCapabilities"] == [*before, "SharedCalling"]
    jobs.run("capability-updates", **change(text, remove=["SharedCalling", "InboundCalling"]))
    after = jobs.number(text)["acquiredCapabilities"]
    assert after == [one for one in before if one != "InboundCalling"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"add": ["TollFree"]}, "CapabilityNotAvailable"),
        ({"add": ["InboundCalling", "Singing"]}, "CapabilityNotAvailable"),
        ({"remove": ["UserAssignment"]}, "MandatoryCapability"),
        ({"remove": ["Office365"]}, "MandatoryCapability"),
        ({"remove": ["Geographic"]}, "MandatoryCapability"),
        ({"add": "InboundCalling"}, "InvalidRequest"),
        ({"add": [7]}, "InvalidRequest"),
        ({"add": ["SharedCalling"], "remove": ["SharedCalling"]}, "InvalidRequest"),
        ({"change": []}, "InvalidRequest"),
        ({}, "InvalidRequest"),
    ],
)
def test_refused_at_once(jobs: Jobs, parts: dict[str, Any], code: str) -> None:
    """F19: nothing is changed, and the refusal names the number."""
    (text,) = jobs.some(usage="CallingUserAssignment")
    before = jobs.number(text)
    answer = jobs.send("capability-updates", updates={text: parts})
    assert (answer.status, answer.code) == (400, code)
    if code != "InvalidRequest":
        assert answer.json["error"]["details"][0]["target"] == text
    assert jobs.number(text) == before


def test_other_refusals(jobs: Jobs) -> None:
    odd: tuple[Any, ...] = (None, [], {}, {"0123": {"add": []}})
    for updates in odd:
        assert jobs.send("capability-updates", updates=updates).code == "InvalidRequest"
    many: dict[str, Any] = {f"+44207{place:07}": {"add": []} for place in range(1001)}
    assert jobs.send("capability-updates", updates=many).code == "TooManyNumbers"
    assert jobs.send("capability-updates", tenantId="nobody").code == "TenantNotFound"


def test_update_that_fails(jobs: Jobs) -> None:
    first, second = jobs.some(2, usage="CallingUserAssignment")
    before = jobs.number(first)["acquiredCapabilities"]
    updates = {text: {"add": ["SharedCalling"]} for text in (first, second)}
    jobs.settings(failures={first: "UpdateFailed"})
    envelope = jobs.run("capability-updates", updates=updates)
    assert envelope["status"] == "Complete"
    assert jobs.codes(envelope) == {first: "UpdateFailed", second: None}
    number = jobs.number(first)
    assert (number["activationState"], number["acquiredCapabilities"]) == ("UpdateFailed", before)
    assert "SharedCalling" in jobs.number(second)["acquiredCapabilities"]
    jobs.settings(failures={first: None})
    path = f"/capability-updates/{envelope['jobId']}:retry"
    assert jobs.sim.oc(path, "POST", {}).status == 202
    jobs.advance(7)
    number = jobs.number(first)
    assert number["activationState"] == "Activated"
    assert "SharedCalling" in number["acquiredCapabilities"]


def test_capability_lost_while_the_job_waits(jobs: Jobs) -> None:
    (text,) = jobs.some(usage="CallingUserAssignment")
    job_id = jobs.start("capability-updates", **change(text, add=["SharedCalling"]))
    lost = {"telephoneNumber": text, "availableCapabilities": ["Geographic"]}
    jobs.sim.control("POST", "/numbers", {"upsert": [lost]})
    jobs.advance(7)
    envelope = jobs.get("capability-updates", job_id)
    assert (envelope["status"], jobs.codes(envelope)) == ("Error", {text: "UpdateFailed"})
    assert jobs.number(text)["activationState"] == "UpdateFailed"


def test_numbers_that_cannot_be_changed(jobs: Jobs) -> None:
    (busy,) = jobs.some(assignmentStatus="Unassigned")
    jobs.start("releases", telephoneNumbers=[busy])
    updates = {text: {"add": ["SharedCalling"]} for text in (busy, FREE, "+448718943000")}
    envelope = jobs.run("capability-updates", updates=updates)
    assert envelope["status"] == "Error"
    assert jobs.codes(envelope) == {
        busy: "OperationInProgress",
        FREE: "NumberNotOwned",
        "+448718943000": "NumberNotOwned",
    }
