"""A sandbox process and a client for it; standard library only, no Django."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OPERATOR = "7a4e2c1d-6b0f-4f0a-9c53-2d1e8a90b6f4"
DIRECTORY = "0d1f6a52-3c7b-4e8e-8a64-5b9f3c2e7d10"
EXAMPLE = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
OC = f"/oc/v1/operators/{OPERATOR}"
GRAPH = "/graph/v1.0/admin/teams/telephoneNumberManagement/numberAssignments"
PLATFORM = "/platform/api/v3/oc/numbers"


class Answer:
    """Status, headers and body of an answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Error code of the documented error object, also found in its header."""
        code: str = self.json["error"]["code"]
        assert self.headers["x-ms-error-code"] == code
        return code


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ocadmin.sandbox", *arguments]


def environment() -> dict[str, str]:
    """Ours, without anything that would change the sandbox."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SIM_")}


class Sim:
    """A running sandbox."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        # Port 0: the process picks a free one and says which.
        self.process = subprocess.Popen(
            command("--port", "0", "--data", str(data), *arguments),
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("sandbox ready on http://127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])
        self.tokens: dict[tuple[str, str], str] = {}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def send(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def ask_token(self, scope: str = "oc/.default", tenant: str = DIRECTORY, **form: str) -> Answer:
        fields = {
            "client_id": "console",
            "client_secret": "sandbox-only-secret",
            "grant_type": "client_credentials",
            "scope": scope,
            **form,
        }
        body = urllib.parse.urlencode(fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", f"/login/{tenant}/oauth2/v2.0/token", body, headers)

    def bearer(self, audience: str, tenant: str = DIRECTORY) -> dict[str, str]:
        if (audience, tenant) not in self.tokens:
            answer = self.ask_token(f"{audience}/.default", tenant)
            self.tokens[audience, tenant] = answer.json["access_token"]
        return {"Authorization": f"Bearer {self.tokens[audience, tenant]}"}

    def oc(self, path: str, method: str = "GET", body: Any = None, **query: Any) -> Answer:
        """A request to the operator API; ``path`` begins after the operator."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body)
        return self.send(method, OC + path, data, self.bearer("oc"))

    def graph(self, tenant: str, **options: Any) -> Answer:
        """The list of number assignments; options without their dollar sign."""
        query = urllib.parse.urlencode({f"${name}": value for name, value in options.items()})
        return self.send("GET", f"{GRAPH}?{query}", headers=self.bearer("graph", tenant))

    def platform(self, **query: Any) -> Answer:
        path = f"{PLATFORM}?{urllib.parse.urlencode(query)}"
        return self.send("GET", path, headers=self.bearer("platform"))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the control plane that must succeed."""
        data = None if body is None else json.dumps(body)
        answer = self.send(method, f"/_sim{path}", data)
        assert answer.status in (200, 201), answer.body
        return answer.json

    def fault(self, match: dict[str, Any], action: dict[str, Any], **more: Any) -> Any:
        return self.control("POST", "/faults", {"match": match, "action": action, **more})

    def tenant(self, name: str) -> str:
        """Id of the customer whose name begins like this."""
        tenants = self.control("GET", "/state")["tenants"]
        found: str = next(one["tenantId"] for one in tenants if one["name"].startswith(name))
        return found

    def all_numbers(self, **query: Any) -> list[dict[str, Any]]:
        """Every number of the operator API, page by page along ``nextLink``."""
        answer = self.oc("/telephone-numbers", **query).json
        found = list(answer["value"])
        while answer["nextLink"]:
            link = urllib.parse.urlsplit(answer["nextLink"])
            assert link.netloc == f"127.0.0.1:{self.port}"
            path = f"{link.path}?{link.query}"
            answer = self.send("GET", path, headers=self.bearer("oc")).json
            found += answer["value"]
        return found

    def all_records(self) -> list[dict[str, Any]]:
        """Every record of the former platform."""
        records: list[dict[str, Any]] = []
        page, pages = 1, 1
        while page <= pages:
            answer = self.platform(pageNumber=page).json
            pages, page = answer["totalPages"], page + 1
            records += answer["data"]
        return records
