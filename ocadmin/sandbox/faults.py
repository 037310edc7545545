"""Rules that make an answer fail on purpose (upstreams.md 9.7 and 9.8)."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any

from .exchange import CODES, Json, Refusal, Request, Response

DROPS = ("none", "before", "after_commit")
MATCH_KEYS = {"mount", "method", "path", "tenantId"}
ACTION_KEYS = {
    "status",
    "code",
    "headers",
    "body",
    "contentType",
    "delayMs",
    "drop",
    "truncate",
    "onRequest",
    "customer",
}


@dataclass(slots=True)
class Fault:
    """One rule; ``times`` None means for ever, ``after`` lets that many matches pass first."""

    id: int
    match: Json
    action: Json
    times: int | None = 1
    after: int = 0
    seen: int = field(default=0)
    used: int = field(default=0)

    def fits(self, request: Request) -> bool:
        """True when every given part of ``match`` agrees; ``path`` is looked for in path?query."""
        match = self.match
        return (
            match.get("mount") in (None, request.mount)
            and (match.get("method") or request.method).upper() == request.method
            and match.get("tenantId") in (None, request.tenant_id)
            and (match.get("path") or "") in request.target
        )

    def describe(self) -> Json:
        """The rule as the control plane shows it."""
        return {
            "id": self.id,
            "match": self.match,
            "action": self.action,
            "times": self.times,
            "after": self.after,
            "seen": self.seen,
            "used": self.used,
        }

    @property
    def replaces_answer(self) -> bool:
        """True when the rule brings an answer of its own."""
        return any(key in self.action for key in ("status", "body", "code"))

    def answer(self) -> tuple[Response | None, Refusal | None]:
        """The rule's own answer: a body as given, or else a refusal for the mount to render."""
        status = self.action.get("status", 200)
        headers = dict(self.action.get("headers") or {})
        if "body" in self.action or status < 400:
            body = self.action.get("body", "")
            content_type = self.action.get("contentType", "application/json; charset=utf-8")
            return Response(status, body, headers, content_type), None
        code = self.action.get("code") or CODES.get(status, "Error")
        return None, Refusal(status, code, "The sandbox was told to fail.", headers=headers)


class Faults:
    """The rules in force; the first one that fits a request is used."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, rule: Json) -> Fault:
        """Take a rule from the control plane, refusing what it does not understand."""
        match, action = rule.get("match") or {}, rule.get("action") or {}
        for name, given, known in (("match", match, MATCH_KEYS), ("action", action, ACTION_KEYS)):
            if not isinstance(given, dict) or set(given) - known:
                words = ", ".join(sorted(known))
                raise Refusal(400, "InvalidFault", f"'{name}' may only contain {words}.")
        if action.get("drop", "none") not in DROPS:
            raise Refusal(400, "InvalidFault", f"'drop' is one of {', '.join(DROPS)}.")
        counts = [rule.get("times"), rule.get("after"), action.get("status"), action.get("delayMs")]
        if any(value is not None and type(value) is not int for value in counts):
            text = "times, after, status and delayMs are whole numbers."
            raise Refusal(400, "InvalidFault", text)
        if not isinstance(action.get("customer", {}), dict):
            raise Refusal(400, "InvalidFault", "customer is what /_sim/customer takes.")
        fault = Fault(next(self._ids), match, action, rule.get("times", 1), rule.get("after", 0))
        with self._lock:
            self._rules.append(fault)
        return fault

    def take(self, request: Request) -> Fault | None:
        """The rule to apply to this request, counted as used; None in the ordinary case."""
        if not self._rules:
            return None
        with self._lock:
            for fault in self._rules:
                if not fault.fits(request) or fault.used == fault.times:
                    continue
                fault.seen += 1
                if fault.seen > fault.after:
                    fault.used += 1
                    return fault
        return None

    def list(self) -> list[Any]:
        """All rules, spent ones included, so that a test can see what was used."""
        with self._lock:
            return [fault.describe() for fault in self._rules]

    def clear(self) -> int:
        """Drop all rules; says how many there were."""
        with self._lock:
            count = len(self._rules)
            self._rules.clear()
            return count
