"""One POST to a receiver: to an address that was checked, with time limits, without redirects, its answer cut short."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx2
from django.utils.translation import gettext as _

from ocadmin.tasks.pauses import retry_after

from . import addresses

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 3.0, 10.0, 15.0
ANSWER_BYTES = 1024


@dataclass(frozen=True)
class Answer:
    """How a try went. `status` None: no answer, and `error` says why. `wait`: seconds that the receiver asks for."""

    status: int | None
    milliseconds: int
    error: str = ""
    text: str = ""
    wait: float | None = None

    @property
    def good(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send once. Never raises for what a receiver or the network does."""
    begin = time.monotonic()
    status, error, text, wait = None, "", "", None
    try:
        status, text, wait = _exchange(url, body, headers)
        if not 200 <= status < 300:
            error = _("It answered %(status)s.") % {"status": status}
            if 300 <= status < 400:
                error = _("It answered %(status)s: redirects are not followed. Enter the final address.")
                error %= {"status": status}
    except addresses.Refused as refused:
        error = str(refused)
    except socket.gaierror as failure:
        error = _("The host is not known (%(reason)s).") % {"reason": failure.strerror}
    except _TooLong:
        error = _("No whole answer came within %(seconds)g seconds.") % {"seconds": WHOLE_SECONDS}
    except httpx2.ConnectTimeout:
        error = _("No connection within %(seconds)g seconds.") % {"seconds": CONNECT_SECONDS}
    except httpx2.TimeoutException:
        error = _("No answer came within %(seconds)g seconds.") % {"seconds": READ_SECONDS}
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as failure:
        error = _words(failure)
    return Answer(status, round((time.monotonic() - begin) * 1000), error[:300], text, wait)


class _TooLong(Exception):
    """The time for the whole exchange is over."""


def _exchange(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, float | None]:
    """Status, beginning of the body, and the wait that is asked for. Where one address is dead the next is tried."""
    target = httpx2.URL(url)
    places = addresses.resolve(url)
    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    # No proxy of the environment: behind one nobody could say where this goes.
    with httpx2.Client(verify=_trust(), timeout=timeout, follow_redirects=False, trust_env=False) as client:
        for left, place in enumerate(places, 1 - len(places)):
            with _watched() as extensions:
                request = client.build_request(
                    "POST",
                    target.copy_with(host=place),
                    content=body,
                    headers={"Host": target.netloc.decode(), **headers},
                    extensions=extensions | {"sni_hostname": target.host},
                )
                try:
                    with closing(client.send(request, stream=True)) as response:
                        return response.status_code, _beginning(response), retry_after(response.headers)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    if not left:
                        raise
    raise httpx2.ConnectError(_("the host has no address"))


def _beginning(response: httpx2.Response) -> str:
    """The first kilobyte of the body as text. One that cannot be read does not matter: the status is known."""
    found = bytearray()
    try:
        for part in response.iter_raw(ANSWER_BYTES):
            found += part
            if len(found) >= ANSWER_BYTES:
                break
    except httpx2.HTTPError:
        pass
    return bytes(found[:ANSWER_BYTES]).decode("utf-8", "replace").replace("\x00", "�")


@contextmanager
def _watched() -> Iterator[dict[str, Any]]:
    """Extensions of a request that is cut off after WHOLE_SECONDS: a time limit of each read does not catch a trickle.

    Raises _TooLong where it was. A cut after the status was read only shortens the text of the answer.
    """
    sockets: list[Any] = []
    over = threading.Event()

    def note(event: str, info: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            sockets.append(info["return_value"].get_extra_info("socket"))

    def cut() -> None:
        over.set()
        for one in sockets[-1:]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed already
                pass

    timer = threading.Timer(WHOLE_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": note}
    except httpx2.HTTPError:
        if over.is_set():
            raise _TooLong from None
        raise
    finally:
        timer.cancel()


@cache
def _trust() -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than most exchanges."""
    return ssl.create_default_context()


def _words(failure: Exception) -> str:
    cause: BaseException | None = failure
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return _("Its certificate is not trusted (%(reason)s).") % {"reason": cause.verify_message}
    return _("It could not be reached (%(reason)s).") % {"reason": str(failure) or type(failure).__name__}
