"""One HTTP exchange with Microsoft: time limits, short retries, size limit, correlation, nothing secret let out.

Long waits (429, an upstream that is down) are the task's business; here only a lost connection is tried again, and
only for GET. Redirects are not followed and links are resolved against the configured address: a token never goes
to another host (upstreams.md §3, credential-leak guard).
"""

import json as jsonlib
import os
import re
import time
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import stamina
import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from ocadmin.tasks.pauses import retry_after

from .errors import Asked, BadAnswer, Forbidden, TimedOut, Unreachable, error_class

CONNECT_SECONDS = 5
TRIES, RETRY_SECONDS = 3, 3
MAX_BYTES = 32 * 1024 * 1024
CORRELATION_HEADER = "x-ms-client-request-id"

_SECRET = re.compile(
    r"""(?i)(bearer\s+|["']?(?:access_token|refresh_token|id_token|client_secret|client_assertion)["']?\s*[:=]\s*["']?)[^\s"'&,}]+"""
)
_ROLE = re.compile(r"\b\w+\.(?:Read|Write|ReadWrite)(?:\.\w+)*\b")
# Client secrets that were sent: a text from the other side may repeat them.
SECRETS: set[str] = set()
log = structlog.get_logger(__name__)
# A retry is not worth a log line: when the last one fails, the error says so in one sentence.
stamina.instrumentation.set_on_retry_hooks([])
_clients: dict[int, httpx2.Client] = {}


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` are case-insensitive; the ids are the ones to quote to Microsoft's support."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    correlation_id: str

    @property
    def request_id(self) -> str:
        """Microsoft's id of the exchange, empty where it gave none."""
        return self.headers.get("x-ms-request-id") or self.headers.get("request-id") or ""

    @property
    def ids(self) -> dict[str, Any]:
        """The fields every error about this answer carries."""
        return {"status": self.status, "request_id": self.request_id, "correlation_id": self.correlation_id}

    def json(self, asked: Asked) -> dict[str, Any]:
        """The body as a JSON object. Raises BadAnswer for a page, half a body or anything that is not an object."""
        try:
            value = jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            raise BadAnswer(asked, self._not_json(), retryable=True, **self.ids) from None
        if not isinstance(value, dict):
            raise BadAnswer(asked, _("a JSON object was expected, it begins: %s") % first_words(self.body), **self.ids)
        return value

    def _not_json(self) -> str:
        words = first_words(self.body)
        if not self.body:
            return _("it is empty")
        if self.body.lstrip()[:1] == b"<":
            return _("it is a web page, not JSON: %s") % words
        return _("it is not JSON or only half of it: %s") % words


def client() -> httpx2.Client:
    """This process's connections, made on first use: a forked worker must not share its parent's sockets."""
    known = _clients.get(os.getpid())
    return known or _clients.setdefault(os.getpid(), httpx2.Client(headers={"Accept": "application/json"}))


def resolve(base: str, link: str, asked: Asked) -> str:
    """The address of `link`, absolute or relative to `base`. Raises BadAnswer when it leaves the host of `base`."""
    home = httpx2.URL(base)
    try:
        url = home.join(link)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise BadAnswer(asked, _("its link to the next page is not an address")) from None
    if (url.scheme, url.host, url.port) != (home.scheme, home.host, home.port) or url.userinfo:
        raise BadAnswer(asked, _("its link leads to another host, %s, and is not followed") % (url.host or "?"))
    return str(url)


def send(
    method: str,
    url: str,
    *,
    asked: Asked,
    correlation_id: str | uuid.UUID | None = None,
    token: str | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One exchange, whatever its status. `correlation_id` None: a new one. `headers` go on top of ours.

    Raises Unreachable, TimedOut, and BadAnswer for a body that breaks off or is too large.
    """
    correlation = str(correlation_id or uuid.uuid4())
    lines = {CORRELATION_HEADER: correlation, **(headers or {})}
    if token is not None:
        lines["Authorization"] = f"Bearer {token}"
    request = client().build_request(
        method,
        url,
        params=params or None,
        json=json,
        data=form,
        headers=lines,
        timeout=httpx2.Timeout(settings.ENV.http_timeout, connect=min(CONNECT_SECONDS, settings.ENV.http_timeout)),
    )
    answer = _deliver(request, TRIES if method == "GET" else 1, asked, correlation)
    log.debug("microsoft", method=method, url=f"{request.url.host}{request.url.path}", **answer.ids)
    return answer


def _deliver(request: httpx2.Request, tries: int, asked: Asked, correlation_id: str) -> Answer:
    """Send, again where the connection is lost, at most `tries` times. Raises what `send` raises."""
    try:
        for attempt in stamina.retry_context(
            on=_Lost, attempts=tries, timeout=RETRY_SECONDS, wait_initial=0.2, wait_max=1, wait_jitter=0.2
        ):
            with attempt:
                answer = _exchange(request, asked, correlation_id)
    except _Lost as lost:
        if lost.begun is not None:
            raise BadAnswer(asked, _("it breaks off in the middle"), retryable=True, **lost.begun.ids) from None
        host = request.url.host
        raise Unreachable(asked, host=host, reason=str(lost), correlation_id=correlation_id) from None
    except httpx2.TimeoutException:
        raise TimedOut(asked, correlation_id=correlation_id) from None
    except httpx2.DecodingError:
        raise BadAnswer(asked, _("its compression is damaged"), retryable=True, correlation_id=correlation_id) from None
    return answer


class _Lost(Exception):
    """The connection was lost; `begun` is the head of the answer where it had begun. The text holds no secret."""

    def __init__(self, error: httpx2.TransportError, begun: Answer | None = None) -> None:
        super().__init__(scrub(str(error)) or type(error).__name__)
        self.begun = begun


def _exchange(request: httpx2.Request, asked: Asked, correlation_id: str) -> Answer:
    """Send once and read the body up to the limits. Raises _Lost and httpx2's other errors."""
    deadline = time.monotonic() + 3 * settings.ENV.http_timeout
    answer: Answer | None = None
    try:
        response = client().send(request, stream=True, follow_redirects=False)
        answer = Answer(response.status_code, response.headers, b"", correlation_id)
        with closing(response):
            body = _read(response, deadline, asked, answer)
    except (httpx2.TimeoutException, httpx2.DecodingError):
        raise
    except httpx2.TransportError as error:
        raise _Lost(error, answer) from None
    return replace(answer, body=body)


def _read(response: httpx2.Response, deadline: float, asked: Asked, answer: Answer) -> bytes:
    """The body. Raises BadAnswer when it is too large, TimedOut when it trickles past the deadline."""
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise BadAnswer(asked, _("it is larger than %d MB") % (MAX_BYTES // 1024 // 1024), **answer.ids)
        if time.monotonic() > deadline:  # the time limit of a single read does not catch a trickle
            raise TimedOut(asked, correlation_id=answer.correlation_id)
    return bytes(body)


def check(answer: Answer, asked: Asked) -> Answer:
    """The answer, if its status is 2xx. Raises the error that its status and body stand for."""
    if 200 <= answer.status < 300:
        return answer
    if answer.status < 400:
        raise BadAnswer(asked, _("it is a redirect (%d), which is not followed") % answer.status, **answer.ids)
    code, text, details, numbers = _reasons(answer)
    found = error_class(answer.status, code, numbers)
    more: dict[str, Any] = {"role": _missing_role(text)} if found is Forbidden else {}
    raise found(
        asked,
        upstream_code=code,
        upstream_message=text,
        details=details,
        retry_after=retry_after(answer.headers) if found.retryable else None,
        **answer.ids,
        **more,
    )


def _reasons(answer: Answer) -> tuple[str, str, list[dict[str, Any]], list[int]]:
    """Code, text, details and AADSTS numbers of an error body: {"error": {…}} or OAuth's {"error": "…"}."""
    header = answer.headers.get("x-ms-error-code") or ""
    try:
        body = jsonlib.loads(answer.body)
    except (ValueError, RecursionError):
        return header, first_words(answer.body), [], []
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        details = error.get("details")
        listed = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        return _text(error.get("code")) or header, _text(error.get("message")), listed, []
    if isinstance(error, str):
        text = _text(body.get("error_description"))
        given = body.get("error_codes")
        numbers = [one for one in given if isinstance(one, int)] if isinstance(given, list) else []
        return scrub(error), text, [], numbers or [int(one) for one in re.findall(r"AADSTS(\d{1,9})", text)]
    return header, first_words(answer.body), [], []


def _text(value: object) -> str:
    """The first line of a text, without secrets; empty for anything else."""
    return scrub(value.strip().split("\n", 1)[0].strip())[:300] if isinstance(value, str) else ""


def _missing_role(text: str) -> str:
    found = _ROLE.search(text)
    return found.group() if found else ""


def scrub(text: str) -> str:
    """The text without our client secrets and without anything that looks like a token."""
    for secret in filter(None, (settings.ENV.client_secret, *SECRETS)):
        text = text.replace(secret, "***")
    return _SECRET.sub(r"\1***", text)


def first_words(body: bytes) -> str:
    """The beginning of a body for people: tags removed, secrets removed, at most 80 characters."""
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", " ", body[:4000].decode("utf-8", "replace"))
    words = " ".join(scrub(text).split())
    return words if len(words) <= 80 else f"{words[:79]}…"
