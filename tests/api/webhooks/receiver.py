"""A real HTTP server that receives webhooks, and its own opinion on what a good signature is."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = int | tuple[int, dict[str, str], bytes] | Callable[["BaseHTTPRequestHandler"], None]


class Received:
    """One request as it came."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path, self.headers, self.body = path, headers, body

    @property
    def uid(self) -> str:
        return self.headers["webhook-id"]

    @property
    def numbers(self) -> list[int]:
        """The changed numbers, counted from +442079460000."""
        changes = json.loads(self.body)["data"].get("changes", [])
        return [int(change["telephoneNumber"]) - 442079460000 for change in changes]

    def is_signed_by(self, secret: str) -> bool:
        """Written from the specification alone."""
        assert abs(int(self.headers["webhook-timestamp"]) - time.time()) < 300
        key = base64.b64decode(secret[len("whsec_") :])
        signed = f"{self.uid}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return expected in self.headers["webhook-signature"].split(" ")


class Receiver:
    """Answers 200, but for the `replies` that are still to be given."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.replies: list[Reply] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hooks?from=console"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def numbers(self) -> list[list[int]]:
        """The numbers of each request."""
        return [request.numbers for request in self.requests]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append(
                    Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                receiver.answer(self)

            def log_message(self, *_args: Any) -> None:
                """Quiet."""

        return Handler

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        reply = self.replies.pop(0) if self.replies else 200
        if callable(reply):
            reply(handler)
            return
        status, headers, body = (reply, {}, b"") if isinstance(reply, int) else reply
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
