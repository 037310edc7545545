"""What a handler receives and what it gives back: request, response, refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, unquote

if TYPE_CHECKING:
    from .tokens import Token

Json = dict[str, Any]

CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    411: "LengthRequired",
    413: "PayloadTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class Refusal(Exception):
    """A request is answered with an error; each mount renders it in its own documented shape.

    ``details`` are objects ``{"code", "target", "message"}`` (upstreams.md 9, common rules).
    """

    def __init__(
        self,
        status: int,
        code: str | None,
        message: str,
        details: list[Json] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or CODES.get(status, "Error")
        self.message = message
        self.details = details or []
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Request:
    """One parsed HTTP request.

    ``segments`` are the decoded parts of the path, ``target`` is path and query as they were sent,
    ``parameters`` are the values the matched route took from the path, and ``tenant_id`` is the
    customer the request is about (None when it names none).  ``user`` is who logged in with a
    password (None where tokens are used), and ``linger`` is how many real seconds the answer is
    kept back once everything is done.
    """

    method: str
    target: str
    headers: Message
    body: bytes
    base_url: str
    request_id: str
    path: str = ""
    segments: tuple[str, ...] = ()
    query: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    tenant_id: str | None = None
    token: Token | None = None
    user: str | None = None
    linger: float = 0

    def __post_init__(self) -> None:
        path, _, query = self.target.partition("?")
        self.path = path
        self.segments = tuple(unquote(part) for part in path.split("/")[1:])
        self.query = dict(parse_qsl(query, keep_blank_values=True)) if query else {}

    @property
    def correlation_id(self) -> str | None:
        """The caller's ``x-ms-client-request-id``, None when it sent none."""
        return self.headers.get("x-ms-client-request-id")

    @property
    def mount(self) -> str:
        """First part of the path: ``oc``, ``graph``, ``login`` and so on."""
        return self.segments[0] if self.segments else ""

    def form(self) -> dict[str, str]:
        """Form fields; a repeated field keeps its first value."""
        fields = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}

    def json(self) -> Json:
        """The body as a JSON object; anything else is refused with 400."""
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refusal(400, "MalformedJson", "The request body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise Refusal(400, "MalformedJson", "The request body must be a JSON object.")
        return value


@dataclass(slots=True)
class Response:
    """An answer; ``body`` is an object to be written as JSON, or bytes sent as they are.

    ``hang_up`` closes the connection without sending anything; ``truncate`` announces the whole
    length, sends half of the body and closes.
    """

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    hang_up: bool = False
    truncate: bool = False

    def payload(self) -> bytes:
        """The body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def render_error(request: Request, refusal: Refusal) -> Response:
    """The error object shared by the operator API, Graph and the control plane.

    Shape and header: upstreams.md 9, common rules.
    """
    error = {"code": refusal.code, "message": refusal.message, "details": refusal.details}
    headers = {"x-ms-error-code": refusal.code, **refusal.headers}
    return Response(refusal.status, {"error": error}, headers)


_GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_E164 = re.compile(r"^\+[1-9]\d{2,14}$")


def is_guid(text: str) -> bool:
    """True for the 36-character hexadecimal form."""
    return bool(_GUID.match(text))


def is_e164(text: object) -> bool:
    """True for ``+`` and 3 to 15 digits that do not start with zero (upstreams.md 1.2)."""
    return isinstance(text, str) and bool(_E164.match(text))


def whole_number(text: str, name: str, low: int, high: int | None = None) -> int:
    """A whole number parameter between ``low`` and ``high``; refused with 400 otherwise."""
    value = int(text) if re.fullmatch(r"\d{1,12}", text) else -1
    if value < low or (high is not None and value > high):
        limits = f"from {low} to {high}" if high is not None else f"of at least {low}"
        raise Refusal(400, "InvalidParameter", f"'{name}' must be a whole number {limits}.")
    return value
