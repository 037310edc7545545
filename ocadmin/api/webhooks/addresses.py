"""Where a webhook may go: looked up when it is sent, and the connection is made to what was looked up.

Refused are the addresses by which a machine speaks to the link that it is on or to the cloud that it runs in: whoever
may enter a webhook must not be able to read those. This machine and private networks are allowed: that is where an
operator's own systems are.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

Address = IPv4Address | IPv6Address

MOST_TRIED = 3
# Metadata services of clouds outside of the link-local ranges: Amazon's over IPv6, Alibaba's, Azure's, Oracle's.
METADATA = [ip_network(text) for text in ("fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32")]
_NAT64 = ip_network("64:ff9b::/96")


class Refused(Exception):
    """Nothing is sent to this address; the text says why."""


def problem_of(url: str) -> str:
    """Why an address cannot be entered, in a sentence; empty where it can. Does not look the host up."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        return _("Write an address such as https://portal.example.net/hooks.")
    if parts.username is not None or parts.password is not None:
        return _("Leave user name and password out of the address: they would be shown with it.")
    if parts.scheme == "http" and not _is_this_machine(host):
        return _("Write https: what is sent must not be read on the way. Only this machine may be reached by http.")
    return ""


def resolve(url: str) -> list[str]:
    """The addresses to try, in the system's order. Raises Refused, and OSError where the host cannot be looked up."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname or "", port, type=socket.SOCK_STREAM)
    texts = list(dict.fromkeys(str(place[4][0]) for place in found))
    for text in texts:
        if parts.scheme != "https" and not _inner(ip_address(text)).is_loopback:
            raise Refused(_("Only this machine may be reached by http. Write https."))
        if is_forbidden(text):
            raise Refused(_("The host leads to %(address)s, an address that webhooks never go to.") % {"address": text})
    return texts[:MOST_TRIED]


def is_forbidden(text: str) -> bool:
    """Whether an IP address is link-local, multicast, unspecified, reserved, or a cloud's metadata service."""
    address = _inner(ip_address(text))
    if any(address in network for network in METADATA if network.version == address.version):
        return True
    if address.is_loopback:
        return False
    return address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it; itself otherwise."""
    if isinstance(address, IPv4Address):
        return address
    wrapped = address.ipv4_mapped or address.sixtofour
    if wrapped is None and address in _NAT64:
        wrapped = IPv4Address(int(address) & 0xFFFFFFFF)
    return wrapped or address


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
