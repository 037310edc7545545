"""Where webhooks may go."""

import socket
from typing import Any

import pytest

from ocadmin.api.webhooks import addresses, post

PORT = 443


def resolves_to(monkeypatch: pytest.MonkeyPatch, *places: str) -> None:
    def lookup(host: str, port: int, **_options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port)) for place in places]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


@pytest.mark.parametrize(
    "url",
    [
        "https://portal.example.net/hooks",
        "https://10.0.0.7:8443/hooks?x=1",
        "https://[2001:db8::1]/",
        "http://127.0.0.1:8000/",
        "http://localhost/",
        "http://[::1]:9/",
    ],
)
def test_addresses_that_may_be_entered(url: str) -> None:
    assert addresses.problem_of(url) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://portal.example.net/", "Write https"),
        ("http://10.0.0.7/", "Write https"),
        ("http://127.0.0.1.example.net/", "Write https"),
        ("ftp://portal.example.net/", "Write an address such as"),
        ("file:///etc/passwd", "Write an address such as"),
        ("portal.example.net", "Write an address such as"),
        ("https://", "Write an address such as"),
        ("https://host:port/", "Write an address such as"),
        ("https://[::1/", "Write an address such as"),
        ("https://me:secret@portal.example.net/", "Leave user name and password out"),
    ],
)
def test_addresses_that_may_not_be_entered(url: str, words: str) -> None:
    assert words in addresses.problem_of(url)


@pytest.mark.parametrize(
    "place",
    [
        "169.254.169.254",  # metadata of most clouds
        "169.254.0.1",
        "fe80::1",
        "fe80::1%2",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",  # noqa: S104
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "240.0.0.1",
        "::ffff:169.254.169.254",  # the same in other clothes
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_nothing_is_sent_to_a_machine_s_own_neighbourhood(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Whatever the name: it is looked up when something is sent, and the connection goes where the look-up led."""
    resolves_to(monkeypatch, "198.51.100.7", place)
    answer = post.post("https://innocent.example.net/", b"{}", {})
    assert answer.status is None
    assert "an address that webhooks never go to" in answer.error


@pytest.mark.parametrize("place", ["10.1.2.3", "192.168.0.4", "203.0.113.9", "2001:db8::1", "127.0.0.1", "::1"])
def test_other_places_are_allowed(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    resolves_to(monkeypatch, place)
    assert addresses.resolve("https://portal.example.net/") == [place]


def test_a_name_of_this_machine_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "203.0.113.9")
    answer = post.post("http://localhost/", b"{}", {})
    assert "Only this machine may be reached by http" in answer.error


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: Any, **_options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "The host is not known (Name or service not known)" in post.post("https://nobody.example/", b"", {}).error


def test_the_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look-up could lead elsewhere: the connection is made to the address that was checked."""
    asked = []
    really = socket.getaddrinfo

    def lookup(host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        asked.append(host)
        return really("127.0.0.1" if host == "rebinding.example" else host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        post.post(f"https://rebinding.example:{taken.getsockname()[1]}/", b"", {})
    assert asked.count("rebinding.example") == 1


def test_a_certificate_has_to_be_good(tls_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Self-signed: refused, and nothing of the message has left."""
    answer = post.post(f"https://localhost:{tls_server}/", b"{}", {})
    assert answer.status is None
    assert "Its certificate is not trusted (self-signed certificate)" in answer.error
