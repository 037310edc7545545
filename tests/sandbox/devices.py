"""What the tests of SBCs share: logins, uploaded files, and looks at the rules."""

from __future__ import annotations

import base64
from typing import Any

from .process import Answer, Sim

BOUNDARY = "----fileboundary"
HEADER = "DialPlanName,Name,Prefix,Tag"


SECRET = "sandbox-only-secret"


def login(user: str, password: str = SECRET) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


ADMINISTRATOR, MONITOR = login("console"), login("monitor")


def form(content: str | bytes, field: str = "file") -> tuple[bytes, str]:
    """A multipart body with one file besides another field, and its content type."""
    data = content.encode() if isinstance(content, str) else content
    text = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nby hand\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="f.txt"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = text.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"


class Device:
    """One SBC as its administrator sees it, or as ``user`` does."""

    def __init__(self, sim: Sim, slug: str = "us-sp1-sbc", user: str = ADMINISTRATOR) -> None:
        self.sim = sim
        self.slug = slug
        self.user = user

    def send(self, method: str, path: str, body: Any = None, content_type: str = "") -> Answer:
        headers = {"Authorization": self.user}
        if content_type:
            headers["Content-Type"] = content_type
        return self.sim.send(method, f"/sbc/{self.slug}/api/v1{path}", body, headers)

    def script(self, *lines: str) -> Answer:
        return self.send("PUT", "/files/cliScript/incremental", *form("\n".join(lines)))

    def in_plan(self, *lines: str) -> Answer:
        """A script whose first line of its own is line 3."""
        return self.script("configure voip", "sbc dial-plan OCDialPlan", *lines)

    def csv(self, *rows: str) -> Answer:
        text = "\r\n".join([HEADER, *rows, ""])
        return self.send("PUT", "/files/dialplan", *form(text))

    def save(self) -> Answer:
        return self.send("POST", "/actions/saveConfiguration")

    def control(self, **body: Any) -> Any:
        return self.sim.control("POST", f"/sbc/{self.slug}", body)

    def state(self, plan: str = "OCDialPlan") -> Any:
        return self.sim.control("GET", f"/sbc/{self.slug}?plan={plan}")

    def rules(self, plan: str = "OCDialPlan") -> dict[int, tuple[str, str, str]]:
        """Index -> name, prefix, tag of the running rules."""
        found = self.state(plan)["running"]
        return {one["index"]: (one["name"], one["prefix"], one["tag"]) for one in found}

    def saved(self) -> dict[int, str]:
        """Index -> prefix of the saved rules."""
        return {one["index"]: one["prefix"] for one in self.state()["saved"]}


def problem(answer: Answer) -> tuple[int, str]:
    """Status and words of the device's error object."""
    assert answer.json["status"] == "error"
    return answer.status, answer.json["description"]
