"""A receiver and webhooks that send to it."""

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.api.webhooks import sending, services
from ocadmin.api.webhooks.models import Webhook

from .receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


class Sender:
    """A webhook, its secret, and a worker that sends for it."""

    def __init__(self, webhook: Webhook, secret: str) -> None:
        self.pk, self.secret = webhook.pk, secret

    @property
    def row(self) -> Webhook:
        return Webhook.objects.get(pk=self.pk)

    def send(self) -> None:
        """What a thread of the crew does."""
        while sending.advance(self.pk):
            pass

    def later(self) -> None:
        """The pause is over."""
        Webhook.objects.filter(pk=self.pk).update(next_at=timezone.now())
        self.send()

    @property
    def pause(self) -> timedelta:
        """Until the next try."""
        return self.row.next_at - timezone.now()

    @property
    def log(self) -> list[tuple[str, str, list[int | None]]]:
        """Kind, state and statuses of every delivery, the oldest first."""
        return [
            (row.kind, row.state, [one.status for one in row.attempts.all()])
            for row in self.row.deliveries.order_by("pk")
        ]


Hooks = Callable[..., Sender]


@pytest.fixture
def hook(db: None, receiver: Receiver) -> Hooks:
    """Makes webhooks: of the whole system, or of `channels` and `customers`."""
    made: list[Sender] = []

    def make(*, channels: Any = (), customers: Any = (), url: str = "", events: Any = ()) -> Sender:
        values = {
            "name": f"portal {len(made)}",
            "url": url or receiver.url,
            "events": list(events),
            "everything": not (channels or customers),
        }
        made.append(Sender(*services.make(values, channels, customers, by=SYSTEM)))
        return made[-1]

    return make


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[int]:
    """The port of a TLS server on this machine whose certificate nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = timezone.now()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    receiver = Receiver()
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    yield receiver.server.server_address[1]
    receiver.stop()
    assert receiver.requests == []
