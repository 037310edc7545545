"""What was asked of the sandbox, for assertions; never a secret or a token."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections import deque
from typing import Any

from .exchange import Request

KEPT = 100_000
_SECRET = re.compile(r"((?:client_secret|client_assertion|access_token|password)=)[^&]*", re.I)


def _correlation_in_body(request: Request) -> str | None:
    """The ``correlationId`` of a job's request, None when there is none."""
    if b'"correlationId"' not in request.body:
        return None
    try:
        value: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    found = value.get("correlationId") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


class RequestLog:
    """The last requests, oldest first; ``seq`` grows by one per request and never restarts."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._sequence = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, request: Request, at: str, status: int | None, fault: int | None) -> None:
        """Note an answered request; ``status`` None means that no answer was sent."""
        body_id = _correlation_in_body(request)
        query = request.target.partition("?")[2]
        entry = {
            "at": at,
            "mount": request.mount,
            "method": request.method,
            "path": request.path,
            "query": _SECRET.sub(r"\1***", query),
            "status": status,
            "tenantId": request.tenant_id,
            "clientId": request.token.client_id if request.token else request.user,
            "correlationId": request.correlation_id or body_id,
            "jobCorrelationId": body_id,
            "repeatabilityId": request.headers.get("Repeatability-Request-ID"),
            "requestId": request.request_id,
            "authorization": "***" if request.headers.get("Authorization") else None,
            "faultId": fault,
        }
        with self._lock:
            self._entries.append({"seq": next(self._sequence), **entry})

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Entries after ``seq`` (0 means all that are kept)."""
        with self._lock:
            return [entry for entry in self._entries if entry["seq"] > seq]

    def clear(self) -> None:
        """Forget the entries, but go on counting."""
        with self._lock:
            self._entries.clear()
