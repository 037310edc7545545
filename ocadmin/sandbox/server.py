"""HTTP/1.1 on the standard library: parse, hand over, write in one piece."""

from __future__ import annotations

import http.server
import socket
import sys
import traceback
import uuid
from email.message import Message
from http import HTTPStatus

from .exchange import Refusal, Request, Response, render_error
from .world import World

BODY_LIMIT = 1024 * 1024
# Whole worlds come through the control plane, whole dial plans go to an SBC.
LARGE_BODY_LIMIT = 64 * BODY_LIMIT
LARGE_BODY_MOUNTS = ("_sim", "sbc")
REASONS = {status.value: status.phrase for status in HTTPStatus}


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; it stays open between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75
    server: SandboxServer

    def serve(self) -> None:
        """Answer one request, whatever its method."""
        request = Request(
            method=self.command,
            target=self.path,
            headers=self.headers,
            body=b"",
            base_url=f"http://{self.headers.get('Host') or self.server.address}",
            request_id=str(uuid.uuid4()),
        )
        try:
            request.body = self._read_body(request)
        except Refusal as refusal:
            self.close_connection = True
            self._write(request, render_error(request, refusal))
            return
        self._write(request, self._answer(request))

    def _answer(self, request: Request) -> Response:
        """What the world says; a mistake of its own stays on this side of the wire."""
        try:
            return self.server.world.answer(request)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return render_error(request, Refusal(500, None, "The sandbox failed."))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve

    def _read_body(self, request: Request) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise Refusal(411, None, "Send a Content-Length instead of a chunked body.")
        announced = self.headers.get("Content-Length") or "0"
        if not announced.isdigit():
            raise Refusal(400, None, "Content-Length is not a number.")
        limit = LARGE_BODY_LIMIT if request.mount in LARGE_BODY_MOUNTS else BODY_LIMIT
        if int(announced) > limit:
            raise Refusal(413, None, f"The request body may hold at most {limit} bytes.")
        return self.rfile.read(int(announced))

    def _write(self, request: Request, response: Response) -> None:
        if response.hang_up:
            self._hang_up()
            return
        payload = response.payload()
        headers = {
            "Server": "sandbox",
            "Date": self.date_time_string(),
            "Content-Type": response.content_type,
            "Content-Length": str(len(payload)),
            "x-ms-request-id": request.request_id,
            **response.headers,
        }
        if request.correlation_id:
            headers["x-ms-client-request-id"] = request.correlation_id
        if response.truncate:
            payload = payload[: len(payload) // 2]
            self.close_connection = True
        if self.close_connection:
            headers["Connection"] = "close"
        if request.method == "HEAD" or response.status in (204, 304):
            payload = b""
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        try:
            self.wfile.write(head + payload)
        except OSError:
            self.close_connection = True

    def _hang_up(self) -> None:
        """Close at once without a byte, as a lost connection would."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not even HTTP in the documented error shape instead of a page."""
        request = Request(
            "GET", "/", getattr(self, "headers", None) or Message(), b"", "", str(uuid.uuid4())
        )
        self.close_connection = True
        text = message or REASONS.get(code, "Error")
        self._write(request, render_error(request, Refusal(int(code), None, text)))

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the control plane has the request log."""


def _one_line(value: object) -> str:
    return str(value).replace("\r", " ").replace("\n", " ")


class SandboxServer(http.server.ThreadingHTTPServer):
    """A thread per connection; all of them share one world."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, host: str, port: int) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.world: World
        super().__init__((host, port), Handler)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind without the base class's look-up of the host's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), port

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that goes away in the middle is not worth a traceback; the rest is."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc(file=sys.stderr)
