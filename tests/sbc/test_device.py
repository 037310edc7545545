"""The device client by itself: what must be configured, whose certificates are accepted, answers that make no sense."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sbc import services
from sbc.device import Device
from sbc.errors import BadAnswer, Busy, NotConfigured, NotTrusted, Offline, PlanMissing, Rejected, SBCError
from sbc.models import SBC
from sbc.refusals import refusal

from .bench import Bench

STATUS = b'{"saveNeeded": "TRUE", "systemUpTime": "soon"}'


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("rest_url", "", "its REST address is missing"),
        ("rest_url", "ftp://sbc.example", "its REST address is no web address"),
        ("username", "", "its user name or password is missing"),
        ("sealed_password", "", "its user name or password is missing"),
        ("sealed_password", "gAAAAA", "its password cannot be opened"),
        ("ca_bundle", "not a certificate", "its CA bundle holds no certificate"),
    ],
)
def test_what_is_missing_is_named(cli_bench: Bench, column: str, value: str, sentence: str) -> None:
    setattr(cli_bench.sbc, column, value)
    with pytest.raises(NotConfigured, match=sentence) as caught:
        services.check(cli_bench.sbc)
    row = SBC.objects.get(pk=cli_bench.sbc.pk)
    assert (row.online, row.problem, caught.value.retryable) == (None, caught.value.message, False)
    assert cli_bench.asked() == []


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ({"status": 200, "body": '{"saveNeeded": tr'}, "it is not JSON or only half of it"),
        ({"status": 200, "body": "[]"}, "it is JSON, but not an object"),
        ({"status": 200, "body": "<html>sign in</html>", "contentType": "text/html"}, "it is not JSON"),
        ({"status": 302, "headers": {"Location": "http://elsewhere.example/"}}, "it is a redirect \\(302\\)"),
        ({"status": 404, "body": "{}"}, "nothing is there; check its REST address"),
        ({"status": 500, "body": "{}"}, "status 500, no reason given"),
    ],
)
def test_an_answer_that_makes_no_sense(cli_bench: Bench, action: dict[str, object], sentence: str) -> None:
    cli_bench.fault("GET", "/status", **action)
    with pytest.raises(BadAnswer, match=sentence):
        services.check(cli_bench.sbc)


def test_a_list_of_rules_that_makes_no_sense(bench: Bench) -> None:
    answer = {"status": 200, "body": '{"output": "-- More --"}'}
    bench.fault("PUT", "/files/cliScript", **answer)
    bench.fault("GET", "/files/dialplan", status=200, body="<html></html>")
    services.want(bench.sbc, [])
    services.unwant(bench.sbc, ["+4420"])
    with pytest.raises(BadAnswer, match=r"its first line is not|ends in the middle|is not understood"):
        services.push(bench.sbc, ["+4420"])


def refused(status: int, text: str, **headers: str) -> SBCError:
    sbc = SBC(name="London", username="oc", dial_plan="OCDialPlan")
    return refusal(sbc, status, {"retry-after": headers.get("retry_after", "")}, text.encode())


def test_a_refusal_is_told_by_its_words() -> None:
    plan = refused(400, '{"description": "Dial plan OCDialPlan not found"}')
    assert (type(plan), str(plan)[:41]) == (PlanMissing, "London: it has no dial plan OCDialPlan; c")
    rule = refused(400, '{"description": "Line 3: Dial plan rule 5 not found"}')
    assert (type(rule), "Line 3: Dial plan rule 5 not found" in str(rule)) == (Rejected, True)
    assert "no reason given" in str(refused(400, ""))


@pytest.mark.parametrize(("wait", "seconds"), [("7", 7), ("", 10), ("soon", 10), ("999999", 3600)])
def test_how_long_a_busy_device_wants_to_be_left(wait: str, seconds: float) -> None:
    busy = refused(503, "", retry_after=wait)
    assert (type(busy), busy.retry_after) == (Busy, seconds)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(STATUS)))
        self.end_headers()
        self.wfile.write(STATUS)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A certificate that nobody trusts as PEM, and the file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sbc.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "device.pem"
    path.write_bytes(private + pem)
    return pem.decode(), path


@pytest.fixture
def https(certificate: tuple[str, Path]) -> Iterator[str]:
    """The address of a device with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_certificate_has_to_be_trusted(db: None, https: str, certificate: tuple[str, Path]) -> None:
    sbc = SBC.objects.create(name="London", rest_url=https, username="oc")
    sbc.set_password("secret")
    with pytest.raises(NotTrusted, match=r"its certificate is not trusted .*self.signed") as caught:
        services.check(sbc)
    assert not caught.value.retryable
    assert SBC.objects.get().online is False
    sbc.ca_bundle = certificate[0]
    status = services.check(sbc)
    assert (status.save_needed, status.up_seconds) == (True, None)


def test_another_name_than_the_certificates_is_not_trusted(db: None, https: str, certificate: tuple[str, Path]) -> None:
    sbc = SBC(name="London", rest_url=https.replace("127.0.0.1", "localhost"), username="oc", ca_bundle=certificate[0])
    sbc.set_password("secret")
    with pytest.raises(NotTrusted), Device(sbc) as device:
        device.status()


def test_plain_http_where_https_is_spoken(db: None, https: str) -> None:
    sbc = SBC(name="London", rest_url=https.replace("https", "http"), username="oc")
    sbc.set_password("secret")
    with pytest.raises(Offline), Device(sbc) as device:
        device.status()
