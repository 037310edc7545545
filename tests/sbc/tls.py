"""Certificates made for a test, and a device that presents one and says what it was sent."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

STATUS = b'{"saveNeeded": "false", "operationalState": "UNLOCKED", "highAvailability": "Not Operational"}'


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """As people compare it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def issue(name: str, issuer: Issued | None = None, *, authority: bool = False, until: int = 1) -> Issued:
    """A certificate for no host in particular; `until`: days from now; without an issuer it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=until))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class Device:
    """What the server was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.logins: list[str] = []


@contextmanager
def serve(shown: Issued, folder: Path) -> Iterator[Device]:
    """A device at 127.0.0.1 that presents this certificate; every path answers with a status."""
    device = Device()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            device.logins.append(self.headers.get("Authorization", ""))
            self.send_response(200)
            self.send_header("Content-Length", str(len(STATUS)))
            self.end_headers()
            self.wfile.write(STATUS)

        def log_message(self, *_args: object) -> None:
            pass

    form = serialization.PrivateFormat.PKCS8
    private = shown.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    file = folder / f"{shown.certificate.serial_number}.pem"
    file.write_bytes(private + shown.pem.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    device.url = f"https://127.0.0.1:{server.server_port}"
    try:
        yield device
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
