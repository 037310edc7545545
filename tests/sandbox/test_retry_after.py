"""How long an answer says to wait for a job's next change."""

from __future__ import annotations

from typing import Any

import pytest

from .jobs import FREE, Jobs, upload


def waits(jobs: Jobs, kind: str, job_id: str) -> str | None:
    return jobs.sim.oc(f"/{kind}/{job_id}").headers["Retry-After"]


def test_a_job_is_followed_through_its_phases(jobs: Jobs) -> None:
    answer = jobs.send("uploads", **upload(FREE))
    assert answer.headers["Retry-After"] == "2"
    job_id = answer.json["jobId"]
    jobs.advance(1.5)
    assert waits(jobs, "uploads", job_id) == "1"
    jobs.advance(0.5)
    assert waits(jobs, "uploads", job_id) == "6"
    jobs.advance(6)
    assert jobs.get("uploads", job_id)["status"] == "Success"
    assert waits(jobs, "uploads", job_id) is None


@pytest.mark.parametrize(
    ("durations", "wait"),
    [
        ({"pending": 30}, "30"),
        ({"pending": 0.2}, "1"),
        ({"pending": 2.5}, "3"),
        ({"pending": 0}, "6"),
        ({"pending": 0, "inProgress": 0}, "1"),
        (0, "0"),
    ],
)
def test_the_configured_durations_count(jobs: Jobs, durations: Any, wait: str) -> None:
    jobs.settings(durations={"uploads": durations})
    assert jobs.send("uploads", **upload(FREE)).headers["Retry-After"] == wait


def test_a_held_job_is_asked_about_again_soon(jobs: Jobs) -> None:
    jobs.settings(durations=0, hold={"releases": True})
    (number,) = jobs.some(assignmentStatus="Unassigned")
    answer = jobs.send("releases", telephoneNumbers=[number])
    assert answer.headers["Retry-After"] == "2"
    assert waits(jobs, "releases", answer.json["jobId"]) == "2"


def test_a_second_try_has_its_own_wait(jobs: Jobs) -> None:
    jobs.settings(durations={"uploads": {"pending": 4}}, failures={FREE: "InternalError"})
    job_id = jobs.run("uploads", **upload(FREE))["jobId"]
    again = jobs.sim.oc(f"/uploads/{job_id}:retry", "POST", {})
    assert (again.status, again.headers["Retry-After"]) == (202, "4")


def test_graph(jobs: Jobs) -> None:
    numbers = jobs.some(3, assignmentStatus="UserAssigned")
    waits = []
    for number, seconds in zip(numbers, (1, 7, 0), strict=True):
        jobs.settings(durations={"unassign": {"pending": seconds, "inProgress": 0}})
        answer = jobs.graph("unassignNumber", number, numberType="operatorConnect")
        waits.append((answer.status, answer.headers["Retry-After"]))
    assert waits == [(202, "1"), (202, "7"), (202, "0")]


def test_without_durations_a_job_is_over_when_it_is_first_looked_at(jobs: Jobs) -> None:
    jobs.sim.control("POST", "/clock", {"mode": "real"})
    jobs.at_once()
    uploaded = jobs.start("uploads", **upload(FREE))
    assert jobs.get("uploads", uploaded)["status"] == "Success"
    assert jobs.status(FREE) == 0
    released = jobs.start("releases", telephoneNumbers=[FREE])
    assert jobs.get("releases", released)["status"] == "Complete"
    assert jobs.number(FREE) is None
