"""What was asked of the sandbox, for assertions; never a secret or a token."""

from __future__ import annotations

import itertools
import re
import threading
from collections import deque
from typing import Any

from .exchange import Request

KEPT = 100_000
_SECRET = re.compile(r"((?:client_secret|client_assertion|access_token|password)=)[^&]*", re.I)


class RequestLog:
    """The last requests, oldest first; ``seq`` grows by one per request and never restarts."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._sequence = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, request: Request, at: str, status: int | None, fault: int | None) -> None:
        """Note an answered request; ``status`` None means that no answer was sent."""
        query = request.target.partition("?")[2]
        entry = {
            "at": at,
            "mount": request.mount,
            "method": request.method,
            "path": request.path,
            "query": _SECRET.sub(r"\1***", query),
            "status": status,
            "tenantId": request.tenant_id,
            "clientId": request.token.client_id if request.token else None,
            "correlationId": request.correlation_id,
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
