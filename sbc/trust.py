"""Whose certificate is accepted from an SBC, and what certificate it presents.

The system's authorities, those of its CA bundle, or one pinned certificate and no other. The check is part of the TLS
handshake, so a login is never sent before it.
"""

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _

from .errors import NotConfigured
from .models import SBC


@dataclass(frozen=True, slots=True)
class Certificate:
    """A device's certificate in words. `fingerprint` is SHA-256 as pairs of hexadecimal digits with colons."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    pem: str

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer


class PinnedContext(ssl.SSLContext):
    """Accepts one certificate, by its bytes: an authority that is pinned does not vouch for others."""

    pinned: bytes

    def wrap_socket(self, *args: Any, **more: Any) -> ssl.SSLSocket:
        """Raises ssl.SSLCertVerificationError where the other side presents another certificate."""
        wrapped = super().wrap_socket(*args, **more)
        if wrapped.getpeercert(binary_form=True) != self.pinned:
            wrapped.close()
            raise ssl.SSLCertVerificationError(1, _("it is not the pinned certificate"))
        return wrapped


@cache
def _system_trust() -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than most exchanges."""
    return ssl.create_default_context()


def context_of(sbc: SBC) -> ssl.SSLContext:
    """Whose certificates are accepted. Raises NotConfigured for text that is no certificate."""
    problem = _("its pinned certificate is no certificate; paste PEM text into the SBC's form")
    try:
        if sbc.pinned_certificate.strip():
            return pinned_context(sbc.pinned_certificate)
        problem = _("its CA bundle holds no certificate; paste PEM text into the SBC's form")
        if sbc.ca_bundle.strip():
            return ssl.create_default_context(cadata=sbc.ca_bundle)
    except (ssl.SSLError, ValueError):
        raise NotConfigured(sbc.name, problem=problem) from None
    return _system_trust()


def pinned_context(pem: str) -> PinnedContext:
    """Accepts the certificate in `pem` only, whatever its name and issuer, while it is valid.

    Raises ssl.SSLError, ValueError.
    """
    context = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pem)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # itself is the anchor; its issuer need not be known
    context.pinned = ssl.PEM_cert_to_DER_cert(pem.strip())
    return context


def presented(host: str, port: int, seconds: float) -> Certificate:
    """The certificate that somebody presents there, trusted or not; nothing else is sent. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True)
    if der is None:
        raise ssl.SSLError(1, _("it presents no certificate"))
    return read(ssl.DER_cert_to_PEM_cert(der))


def read(pem: str) -> Certificate:
    """A PEM certificate in words. Raises ValueError."""
    found = x509.load_pem_x509_certificate(pem.encode())
    return Certificate(
        _name(found.subject),
        _name(found.issuer),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        found.fingerprint(SHA256()).hex(":").upper(),
        found.public_bytes(Encoding.PEM).decode(),
    )


def _name(name: x509.Name) -> str:
    """The common name, else the whole name."""
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
