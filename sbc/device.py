"""One SBC over its REST interface: HTTP Basic on every request, TLS checked, short retries for reads only.

Paths and answers follow upstreams.md §4 and §9.6. Neither the CLI grammar nor the dial plan file was ever tried on a
real device. Redirects are not followed: the password never goes to another host, and no text of ours repeats it.
"""

import json
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx2
import stamina
import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from .dialplan import PlanFile, UnreadablePlan, parse
from .errors import BadAnswer, NotConfigured, NotTrusted, Offline, TimedOut
from .models import SBC
from .refusals import refusal
from .secrets import CannotUnseal, unseal
from .trust import context_of

CONNECT_SECONDS = 3
TRIES, RETRY_SECONDS = 3, 3
ALARM_PAGE, MOST_ALARMS, END = 100, 500, "-1"
MAX_BYTES = 32 * 1024 * 1024
API = "/api/v1"

log = structlog.get_logger(__name__)
# A retry is not worth a log line: when the last one fails, the error says so in one sentence.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Status:
    """What GET /status tells. Truths, `up_seconds` and `clock` are None where the device does not say."""

    save_needed: bool | None
    reset_needed: bool | None
    clock: datetime | None
    up_seconds: int | None
    operational_state: str
    high_availability: str
    product: str
    version: str
    serial_number: str


class Device:
    """A context manager around one short-lived client: `with Device(sbc) as device: device.status()`.

    `seconds` limits each request (None: OCADMIN_HTTP_TIMEOUT); a whole answer may take three times as long.
    Every method raises SBCError. The password is unsealed on entering and lives in the client only.
    """

    def __init__(self, sbc: SBC, *, seconds: float | None = None) -> None:
        self.sbc = sbc
        self.seconds = seconds or settings.ENV.http_timeout
        self._client: httpx2.Client | None = None

    def __enter__(self) -> Self:
        """Raises NotConfigured where address, user name or password are missing or unusable."""
        self._client = httpx2.Client(
            base_url=base_address(self.sbc),
            auth=httpx2.BasicAuth(self.sbc.username, password_of(self.sbc)),
            verify=context_of(self.sbc),
            timeout=httpx2.Timeout(self.seconds, connect=min(CONNECT_SECONDS, self.seconds)),
            headers={"Accept": "application/json, text/csv"},
            follow_redirects=False,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def status(self) -> Status:
        """Facts and whether the flash is behind."""
        told = self._json(self._send("GET", "/status", again=True))
        up = told.get("systemUpTime")
        return Status(
            save_needed=_truth(told.get("saveNeeded")),
            reset_needed=_truth(told.get("resetNeeded")),
            clock=_moment(told.get("localTimeStamp")),
            up_seconds=up if isinstance(up, int) and not isinstance(up, bool) else None,
            operational_state=_text(told.get("operationalState")),
            high_availability=_text(told.get("highAvailability")),
            product=_text(told.get("productType")),
            version=_text(told.get("versionID")),
            serial_number=_text(told.get("serialNumber")),
        )

    def alarms(self) -> list[str]:
        """Descriptions of the active alarms, oldest first, MOST_ALARMS at most. 204 is none; "-1" ends the pages."""
        found: list[str] = []
        after = ""
        while len(found) < MOST_ALARMS:
            told = self._json(self._send("GET", f"/alarms/active?limit={ALARM_PAGE}{after}", again=True))
            alarms, cursor = told.get("alarms"), told.get("cursor")
            some = [_text(one.get("description")) for one in alarms or [] if isinstance(one, dict)]
            found += some
            following = str(cursor.get("after", END)) if isinstance(cursor, dict) else END
            if not some or not following.isdecimal() or after == f"&after={following}":
                break
            after = f"&after={following}"
        return found[:MOST_ALARMS]

    def read_plan(self) -> PlanFile:
        """The dial plans of the device as its CSV file."""
        content = self._send("GET", "/files/dialplan", again=True)
        try:
            return parse(content)
        except UnreadablePlan as problem:
            raise BadAnswer(self.sbc.name, str(problem), retryable=True) from None

    def put_plan(self, content: bytes) -> None:
        """Replace the dial plans by this CSV file."""
        self._send("PUT", "/files/dialplan", file=("dialplan.csv", content, "text/csv"))

    def run_script(self, text: str) -> str:
        """Run a CLI script that changes something. Returns its output. Never sent twice."""
        return self._script(text, again=False)

    def show(self, text: str) -> str:
        """Run a CLI script of `show` commands. Returns its output."""
        return self._script(text, again=True)

    def save(self) -> None:
        """Write the running configuration to flash."""
        self._send("POST", "/actions/saveConfiguration")

    def _script(self, text: str, *, again: bool) -> str:
        file = ("cli.txt", text.encode(), "text/plain")
        told = self._json(self._send("PUT", "/files/cliScript/incremental", file=file, again=again))
        return _text(told.get("output"))

    def _send(
        self, method: str, path: str, *, file: tuple[str, bytes, str] | None = None, again: bool = False
    ) -> bytes:
        """The body of a 2xx answer; `again`: a lost connection is tried again, for what changes nothing."""
        name = self.sbc.name
        try:
            for attempt in stamina.retry_context(
                on=_Lost,
                attempts=TRIES if again else 1,
                timeout=RETRY_SECONDS,
                wait_initial=0.1,
                wait_max=1,
                wait_jitter=0.1,
            ):
                with attempt:
                    response, body = self._exchange(method, path, {"file": file} if file else None)
        except _Lost as lost:
            if lost.untrusted:
                raise NotTrusted(name, reason=str(lost)) from None
            raise Offline(name, reason=str(lost)) from None
        except httpx2.TimeoutException:
            raise TimedOut(name, seconds=self.seconds) from None
        except httpx2.DecodingError:
            raise BadAnswer(name, _("its compression is damaged"), retryable=True) from None
        log.debug("sbc", sbc=self.sbc.pk, method=method, path=path, status=response.status_code)
        if not 200 <= response.status_code < 300:
            safe = body.replace(password_of(self.sbc).encode(), b"***")  # a device may repeat what it was sent
            raise refusal(self.sbc, response.status_code, response.headers, safe)
        return body

    def _exchange(
        self, method: str, path: str, files: Mapping[str, tuple[str, bytes, str]] | None
    ) -> tuple[httpx2.Response, bytes]:
        """Send once, read up to the limits. Raises _Lost, TimedOut, BadAnswer and httpx2's other errors."""
        if self._client is None:
            raise RuntimeError("a Device is used inside its with block")
        deadline = time.monotonic() + 3 * self.seconds
        body = bytearray()
        request = self._client.build_request(method, path, files=files)
        request.read()  # a form sent part by part would wake the device for each of them
        try:
            with closing(self._client.send(request, stream=True)) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_BYTES:
                        problem = _("it is larger than %d MB") % (MAX_BYTES // 1024 // 1024)
                        raise BadAnswer(self.sbc.name, problem)
                    if time.monotonic() > deadline:  # the time limit of a single read does not catch a trickle
                        raise TimedOut(self.sbc.name, seconds=3 * self.seconds)
        except (httpx2.TimeoutException, httpx2.DecodingError):
            raise
        except httpx2.TransportError as error:
            raise _Lost(error) from error
        return response, bytes(body)

    def _json(self, body: bytes) -> dict[str, Any]:
        """The body as a JSON object, {} for an empty one. Raises BadAnswer for a page or half a body (F26)."""
        try:
            told = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            raise BadAnswer(self.sbc.name, _("it is not JSON or only half of it"), retryable=True) from None
        if not isinstance(told, dict):
            raise BadAnswer(self.sbc.name, _("it is JSON, but not an object"))
        return told


class _Lost(Exception):
    """The connection could not be made, or was lost."""

    def __init__(self, error: httpx2.TransportError) -> None:
        super().__init__(str(error) or type(error).__name__)
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
            cause = cause.__cause__ or cause.__context__
        self.untrusted = cause is not None


def base_address(sbc: SBC) -> str:
    """Where the interface of version 1 is. Raises NotConfigured without a usable REST address."""
    address = sbc.rest_url.strip().rstrip("/").removesuffix(API)
    if not address:
        raise NotConfigured(sbc.name, problem=_("its REST address is missing; enter it in the SBC's form"))
    try:
        url = httpx2.URL(address + API)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise NotConfigured(sbc.name, problem=_("its REST address is no web address; correct it in the SBC's form"))
    return str(url)


def password_of(sbc: SBC) -> str:
    """The password in clear. Raises NotConfigured where there is none, or it was sealed with another secret key."""
    if not sbc.has_credentials:
        problem = _("its user name or password is missing; enter both in the SBC's form")
        raise NotConfigured(sbc.name, problem=problem)
    try:
        return unseal(sbc.sealed_password)
    except CannotUnseal:
        problem = _("its password cannot be opened, because the secret key was changed; enter the password again")
        raise NotConfigured(sbc.name, problem=problem) from None


def _truth(value: object) -> bool | None:
    """A device writes true or "true" (upstreams.md §4). None for anything else."""
    return {"true": True, "false": False}.get(str(value).strip().lower())


def _moment(value: object) -> datetime | None:
    """A time in ISO 8601 with its zone; None for anything else: without a zone it cannot be compared."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
