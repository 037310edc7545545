"""Jobs outlive the process, numbers never do the impossible, and many numbers are quick."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from .jobs import OVER, Jobs, upload
from .process import Sim

# From one look to the next: what may become of a number's status (None: not listed).
STEPS: dict[int | None, set[int | None]] = {
    None: {None, 4},
    4: {4, 0},
    0: {0, 1, 2, None},
    1: {1, 0, None},
    2: {2, 3},
    3: {3, None},
}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_jobs_go_on_after_a_restart(tmp_path: Path, how: signal.Signals) -> None:
    sim = Sim(tmp_path, "--control")
    jobs = Jobs(sim)
    texts = [f"+4420794605{place:02}" for place in range(20)]
    upload_id = jobs.start("uploads", **upload(*texts, correlationId="before"))
    released = jobs.some(3, assignmentStatus="Unassigned")
    release_id = jobs.start("releases", telephoneNumbers=released)
    (assigned,) = jobs.some(assignmentStatus="UserAssigned")
    jobs.graph("unassignNumber", assigned, numberType="operatorConnect")
    jobs.advance(5)
    sim.stop(how)
    sim = Sim(tmp_path, "--control")
    try:
        jobs = Jobs(sim)
        assert jobs.get("uploads", upload_id)["status"] == "InProgress"
        assert jobs.on_graph(assigned)["assignmentStatus"] == "unassigned"
        again = jobs.send("uploads", **upload(*texts, correlationId="before"))
        assert again.json["jobId"] == upload_id
        jobs.advance(2.2)
        assert jobs.get("uploads", upload_id)["status"] == "Success"
        assert jobs.get("releases", release_id)["status"] == "Complete"
        assert {jobs.status(text) for text in texts} == {4}
        assert {jobs.status(text) for text in released} == {1}
        jobs.advance(20)
        assert {jobs.status(text) for text in texts} == {0}
        assert {jobs.status(text) for text in released} == {None}
        assert jobs.number(assigned)["assignmentStatus"] == "Unassigned"
    finally:
        sim.stop()


def test_killed_while_requests_come_in(tmp_path: Path) -> None:
    """Every answered job is there after the kill and every number was uploaded once."""
    sim = Sim(tmp_path, "--control")
    jobs = Jobs(sim)
    sim.control("POST", "/clock", {"mode": "real", "speed": 200})
    ids = [
        jobs.start("uploads", **upload(f"+4420794606{place:02}", correlationId=f"k{place}"))
        for place in range(20)
    ]
    sim.stop(signal.SIGKILL)
    sim = Sim(tmp_path, "--control")
    try:
        jobs = Jobs(sim)
        jobs.advance(60)
        envelopes = [jobs.get("uploads", one) for one in ids]
        assert {one["status"] for one in envelopes} == {"Success"}
        found = sim.all_numbers(startsWith="+4420794606", top=1000)
        assert len(found) == 20
        assert [one["tnUploadJobId"] for one in found] == ids
    finally:
        sim.stop()


def test_an_older_world_gains_the_tables(tmp_path: Path) -> None:
    """A directory made before there were jobs."""
    sim = Sim(tmp_path, "--control")
    sim.stop()
    with sqlite3.connect(tmp_path / "sandbox.sqlite3") as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN"
            " ('setting', 'document', 'number', 'platform_number', 'token')"
        ).fetchall():
            connection.execute(f"DROP TABLE {name}")
    connection.close()
    sim = Sim(tmp_path, "--control")
    try:
        jobs = Jobs(sim)
        assert sim.oc("/uploads").json["totalCount"] == 0
        assert jobs.run("uploads", **upload("+442079460500"))["status"] == "Success"
    finally:
        sim.stop()


def possible(number: Any) -> bool:
    """What must be true of every listed number at all times."""
    status, assignment = number["acquiredNumberStatus"], number["assignmentStatus"]
    if status == 4:
        return assignment is None and number["acquiredOn"] is None
    if status in (1, 2, 3):
        return bool(assignment == "Unassigned")
    return status == 0 and assignment is not None


class Chance:
    """Random acts of operator and customer on a few numbers."""

    def __init__(self, jobs: Jobs, seed: int) -> None:
        self.jobs = jobs
        self.rng = random.Random(seed)
        self.texts = [f"+4420794607{place:02}" for place in range(12)]
        self.started: list[tuple[str, str]] = []

    def act(self) -> None:
        """One act; most are refused in some state, none may break anything."""
        jobs, rng = self.jobs, self.rng
        some = rng.sample(self.texts, rng.randint(1, 6))
        act = rng.choice(("upload", "release", "move", "can", "customer", "graph", "approve"))
        if act == "upload":
            self._start("uploads", upload(*some))
        elif act == "release":
            self._start("releases", {"telephoneNumbers": some})
        elif act == "move":
            self._start("location-updates", {"telephoneNumbers": some, "locationId": None})
        elif act == "can":
            words = {rng.choice(("add", "remove")): ["InboundCalling"]}
            self._start("capability-updates", {"updates": dict.fromkeys(some, words)})
        elif act == "customer":
            jobs.customer(some[0], rng.choice(("assign", "unassign", "release")))
        elif act == "graph":
            jobs.graph("unassignNumber", some[0], numberType="operatorConnect")
        else:
            body = {"ids": [one["id"] for one in self._requests()], "decision": "Approve"}
            jobs.sim.oc("/release-requests", "POST", body)

    def wait(self) -> None:
        """Less time than any two phases of a job together."""
        self.jobs.advance(self.rng.choice((0.4, 0.9, 1.9)))

    def _requests(self) -> list[Any]:
        found = self.jobs.sim.oc("/release-requests", status="Pending").json["value"]
        return [one for one in found if one["telephoneNumber"] in self.texts]

    def _start(self, kind: str, body: dict[str, Any]) -> None:
        answer = self.jobs.send(kind, **body)
        assert answer.status < 500
        if answer.status == 202:
            self.started.append((kind, answer.json["jobId"]))

    def look(self) -> dict[str, int | None]:
        """Status by number, after a check that nothing is impossible."""
        found = self.jobs.sim.all_numbers(startsWith="+4420794607")
        assert all(possible(one) for one in found)
        known = {one["telephoneNumber"]: one["acquiredNumberStatus"] for one in found}
        assert len(known) == len(found)
        return {text: known.get(text) for text in self.texts}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_numbers_never_do_the_impossible(jobs: Jobs, seed: int) -> None:
    chance = Chance(jobs, seed)
    jobs.settings(limits={"releases": 0}, durations={"releases": {"perNumber": 0.3}})
    before, seen = chance.look(), set[Any]()
    for _ in range(60):
        for move in (chance.act, chance.wait, chance.wait):
            move()
            after = chance.look()
            assert all(after[text] in STEPS[before[text]] for text in after), (before, after)
            seen |= set(after.values())
            before = after
    jobs.advance(3600)
    assert seen >= {None, 4, 0, 1}
    assert chance.look()
    envelopes = [jobs.get(kind, job_id) for kind, job_id in chance.started]
    assert all(one["status"] in OVER for one in envelopes)
    for one in envelopes:
        assert one["successCount"] + one["failureCount"] == one["totalCount"]
        failed = [entry for entry in one["entries"] if entry["status"] == "Error"]
        assert len(failed) == one["failureCount"]
        assert all(entry["errorCode"] for entry in failed)


def test_ten_thousand_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A release of 10,000 numbers at a sandbox that answers at once; the time is printed."""
    sim = Sim(tmp_path, "--control", "--seed", "empty")
    try:
        jobs = Jobs(sim)
        jobs.at_once()
        texts = [f"+44203{place:07}" for place in range(10_000)]
        new = [{"telephoneNumber": text, "tenantId": jobs.tenant} for text in texts]
        sim.control("POST", "/numbers", {"upsert": new})
        start = time.monotonic()
        ids = [
            jobs.start("releases", telephoneNumbers=texts[place : place + 1000])
            for place in range(0, 10_000, 1000)
        ]
        done = [jobs.get("releases", one)["successCount"] for one in ids]
        took = time.monotonic() - start
        with capsys.disabled():
            print(f"\n10,000 numbers released in {took:.1f} s")  # noqa: T201
        assert done == [1000] * 10
        assert sim.oc("/telephone-numbers", top=1).json["totalCount"] == 0
    finally:
        sim.stop()
