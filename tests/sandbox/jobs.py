"""What the tests of jobs share: a manual clock, requests that are good, and looks at the result."""

from __future__ import annotations

import json
from typing import Any

from .process import GRAPH, OC, Answer, Sim

# Profiles of the demo.
EMEA = "3f0c9f4e-52a7-4c0b-9a51-7d6a1be0c8e2"
OVER = ("Success", "PartialSuccess", "Error", "Complete", "Failed", "Expired")
FREE = "+442079460500"


class Jobs:
    """A sandbox whose clock only moves when it is told to."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim
        sim.control("POST", "/clock", {"mode": "manual"})
        self.tenant = sim.tenant("Harbourline")

    def advance(self, seconds: float) -> None:
        self.sim.control("POST", "/clock/advance", {"seconds": seconds})

    def settings(self, **values: Any) -> Any:
        return self.sim.control("PUT", "/state", values)["jobSettings"]

    def at_once(self) -> None:
        self.settings(durations=0, lag=0)

    def send(self, kind: str, headers: dict[str, str] | None = None, **body: Any) -> Answer:
        """A job for the tenant; a body may name another one."""
        data = json.dumps({"tenantId": self.tenant, **body})
        return self.sim.send(
            "POST", f"{OC}/{kind}", data, {**self.sim.bearer("oc"), **(headers or {})}
        )

    def start(self, kind: str, **body: Any) -> str:
        """Id of an accepted job."""
        answer = self.send(kind, **body)
        assert answer.status == 202, answer.body
        job_id: str = answer.json["jobId"]
        return job_id

    def get(self, kind: str, job_id: str) -> Any:
        answer = self.sim.oc(f"/{kind}/{job_id}")
        assert answer.status == 200, answer.body
        return answer.json

    def run(self, kind: str, **body: Any) -> Any:
        """The envelope of a job that is over, its results visible everywhere."""
        job_id = self.start(kind, **body)
        self.advance(60)
        envelope = self.get(kind, job_id)
        assert envelope["status"] in OVER
        return envelope

    def codes(self, envelope: Any) -> dict[str, str | None]:
        """Number -> error code."""
        return {one["telephoneNumber"]: one["errorCode"] for one in envelope["entries"]}

    def number(self, text: str) -> Any:
        """The number, None when there is none."""
        answer = self.sim.oc(f"/telephone-numbers/{text}")
        return answer.json if answer.status == 200 else None

    def status(self, text: str) -> int | None:
        number = self.number(text)
        return None if number is None else number["acquiredNumberStatus"]

    def some(self, count: int = 1, **fields: Any) -> list[str]:
        """Numbers of the tenant that are active and look like this."""
        wanted = {"acquiredNumberStatus": 0, "displayedCountryCode": None, **fields}
        found = [
            one["telephoneNumber"]
            for one in self.sim.all_numbers(tenantId=self.tenant, top=1000)
            if all(one[name] == value for name, value in wanted.items())
        ]
        assert len(found) >= count
        return found[:count]

    def customer(self, text: str, action: str, **more: Any) -> Answer:
        body = {"tenantId": self.tenant, "telephoneNumber": text, "action": action, **more}
        return self.sim.send("POST", "/_sim/customer", json.dumps(body))

    def graph(self, verb: str, text: str, tenant: str | None = None, **body: Any) -> Answer:
        data = json.dumps({"telephoneNumber": text, **body})
        headers = self.sim.bearer("graph", tenant or self.tenant)
        return self.sim.send("POST", f"{GRAPH}/{verb}", data, headers)

    def on_graph(self, text: str) -> Any:
        """The number as the customer's tenant sees it, None when it is not there."""
        found = self.sim.graph(self.tenant, filter=f"telephoneNumber eq '{text}'").json["value"]
        return found[0] if found else None


def upload(*texts: str, **more: Any) -> dict[str, Any]:
    """A good upload for users, unless told otherwise."""
    return {
        "callingProfileId": EMEA,
        "usage": "CallingUserAssignment",
        "allowTenantAddressUpdate": True,
        "telephoneNumbers": list(texts),
        **more,
    }
