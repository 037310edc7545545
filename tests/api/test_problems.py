"""Errors of every kind have the one shape, and say nothing that is not the caller's."""

import io
import json
import logging
import uuid
from typing import Any

import pytest
from django.test import Client, RequestFactory
from ninja import Schema

from ocadmin.api import problems, rest
from ocadmin.api.limits import PerClient
from ocadmin.api.problems import Problem
from ocadmin.numbers.api import lists, reading

from .conftest import Programs

pytestmark = pytest.mark.django_db

NAMES = ["type", "title", "status", "detail", "instance", "errorTicket", "errorCode", "traceId"]


def checked(answer: Any, status: int) -> dict[str, Any]:
    """The problem, after a look at its shape."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert list(body) == NAMES
    assert body["status"] == status
    assert all(body[name] for name in NAMES)
    return body


@pytest.mark.parametrize(
    "query",
    [
        "pageNumber=0",
        "pageNumber=-1",
        "pageNumber=x",
        "pageNumber=1.5",
        "pageNumber=99999999999999999999999",
        "pageSize=0",
        "pageSize=1000000000",
        "pageSize=",
        "page_size=20001",
        "msTenantId=x",
        "msTenantId=3bc57cac-5794-457f-ad36-2c88cade9db",
        "msTenantId=%00",
        "msTenantId=3bc57cac-5794-457f-ad36-2c88cade9dbb%00",
        "acquiredNumberStatus=5",
        "acquiredNumberStatus=-1",
        "acquiredNumberStatus=Gone",
        "acquiredNumberStatus=%00",
        "acquiredNumberStatus=" + "x" * 3000,
        "after=%00",
        "after=x",
        "after=%2B1%0A",
        "after=%2B" + "1" * 16,
        "after=%F0%9F%98%80",
    ],
)
def test_parameters_that_cannot_be(program: Programs, query: str) -> None:
    body = checked(program().get(f"v3/oc/numbers?{query}"), 400)
    name = query.partition("=")[0].replace("page_size", "pageSize")
    assert body["detail"].startswith(f"{name}: ")
    assert len(body["detail"]) < 400
    assert body["instance"] == "/api/v3/oc/numbers"


@pytest.mark.parametrize("number", ["x", "%00", "+44%00", "+", "1" * 16, "+44 20", "..%2f", "٤٤", "%F0%9F%98%80"])
def test_numbers_that_cannot_be(program: Programs, number: str) -> None:
    checked(program().get(f"v2/oc/numbers/{number}"), 404)


@pytest.mark.parametrize("path", ["", "v1", "v3/oc", "v3/oc/number", "v9/oc/numbers", "%00", "v3//oc/numbers"])
def test_there_is_nothing(program: Programs, path: str) -> None:
    checked(program().get(path), 404)
    checked(Client().get(f"/api/{path}"), 404)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_method_that_is_not_taken(program: Programs, method: str) -> None:
    answer = getattr(program().http, method)("/api/v3/oc/numbers", headers={"Accept": "text/html"})
    checked(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_an_unknown_tenant(program: Programs) -> None:
    tenant = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
    for path in ("v3/oc/numbers", "v2/oc/numbers"):
        body = checked(program().get(path, {"msTenantId": tenant}), 404)
        assert (body["errorCode"], tenant in body["detail"]) == ("tenant_not_found", True)


def test_a_strange_host(program: Programs) -> None:
    checked(program().get("v3/oc/numbers", headers={"Host": "evil.example"}), 400)


def test_a_failure_of_ours_tells_nothing_and_is_found_in_the_log(
    program: Programs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(lists, "chosen", fail)
    one = program()
    with caplog.at_level(logging.INFO):
        answer = one.get("v3/oc/numbers")
    body = checked(answer, 500)
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text
    [line] = [record for record in caplog.records if body["errorTicket"] in record.getMessage()]
    assert line.exc_info
    assert "hunter2" in str(line.exc_info[1])


@pytest.mark.parametrize("path", ["v3/oc/numbers?after=", "v2/oc/numbers"])
def test_a_list_that_cannot_be_read(program: Programs, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The one that is written as it is read too: it begins when its first rows are there."""

    def fail(*args: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(reading, "after", fail)
    answer = program().get(path)
    checked(answer, 500)
    assert "hunter2" not in answer.text


def test_a_crash_outside_the_endpoints(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    one = program()
    one.http.raise_request_exception = False
    monkeypatch.setattr(rest.api, "on_exception", lambda request, error: (_ for _ in ()).throw(RuntimeError("hunter2")))
    answer = Client(raise_request_exception=False).get("/api/v3/oc/numbers")
    checked(answer, 500)
    assert "hunter2" not in answer.text


def test_a_body_that_is_too_long_is_not_read(program: Programs) -> None:
    """50 MB, by what the request says of itself."""

    class Unread:
        def read(self, *args: Any) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    one = program()
    answer = one.http.generic(
        "GET", "/api/v3/oc/numbers", **{"CONTENT_LENGTH": str(50_000_000), "wsgi.input": Unread()}
    )
    checked(answer, 413)
    for length in ("x", "-5", "²"):
        checked(one.http.generic("GET", "/api/v3/oc/numbers", CONTENT_LENGTH=length), 413)


@pytest.mark.parametrize(("token", "status"), [("", 401), ("good", 415)])
def test_a_body_that_was_not_needed_is_read_all_the_same(program: Programs, token: str, status: int) -> None:
    """Up to a megabyte: otherwise the connection ends, and the next request on it fails."""
    body = io.BytesIO(b"x" * 900_000)
    http = program().http if token else Client()
    path = f"/api/v3/oc/numbers/action/release?msTenantId={uuid.uuid4()}"
    answer = http.generic(
        "POST", path, **{"CONTENT_LENGTH": "900000", "CONTENT_TYPE": "text/plain", "wsgi.input": body}
    )
    checked(answer, status)
    assert body.tell() == 900_000


@pytest.mark.parametrize(("words", "status"), [(1, 404), (200_000, 413)])
def test_a_body_in_chunks(program: Programs, words: int, status: int) -> None:
    """It says no length: .NET sends JSON like that. What is too long is not read to its end."""
    body = io.BytesIO(json.dumps(["+442079460110"] * words).encode())
    length = len(body.getvalue())
    answer = program().http.generic(
        "POST",
        f"/api/v2/oc/numbers/action/unassign?msTenantId={uuid.uuid4()}",
        **{
            "CONTENT_LENGTH": "",
            "CONTENT_TYPE": "application/json",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
        },
    )
    checked(answer, status)
    assert (body.tell() < length) == (status == 413)


class Words(rest.Body):
    """A body for the tests below."""

    telephoneNumbers: list[str]


def parse(text: bytes, content_type: str = "application/json") -> Any:
    request = RequestFactory().post("/", text, content_type=content_type)
    return rest.api.parser.parse_body(request)


@pytest.mark.parametrize("name", ["telephoneNumbers", "TelephoneNumbers", "telephone_numbers", "Telephone Numbers"])
def test_names_in_bodies_are_read_in_any_case(name: str) -> None:
    assert Words.model_validate({name: ["+1"], "other": 1}).telephoneNumbers == ["+1"]


@pytest.mark.parametrize(
    ("text", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"NaN", "application/json", 400),
        (b"[" * 900_000, "application/json", 400),
        (b'{"a":' * 100_000, "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_bodies_that_cannot_be_read(text: bytes, content_type: str, status: int) -> None:
    with pytest.raises(Problem) as caught:
        parse(text, content_type)
    assert caught.value.status == status


def test_bodies_that_can_be_read() -> None:
    assert parse(b'{"a": [1]}') == parse(b'{"a": [1]}', "application/json; charset=utf-8") == {"a": [1]}
    assert parse(b'\xef\xbb\xbf{"a": [1]}') == {"a": [1]}  # as Windows' tools write it


def test_a_limit_counts_for_each_client_and_says_when_to_come_back(program: Programs) -> None:
    limit, other = PerClient("release", 2, 10), PerClient("removal", 2, 10)
    request = RequestFactory().get("/")
    one, two = program(), program()

    def ask(who: Any, which: PerClient = limit) -> bool:
        request.principal = who  # type: ignore[attr-defined]
        return which.allow_request(request)

    people = [problems_principal(one), problems_principal(two)]
    assert ask(people[0])
    assert ask(people[0])
    with pytest.raises(Problem) as caught:
        ask(people[0])
    assert caught.value.status == 429
    assert 1 <= int(caught.value.headers["Retry-After"]) <= 10
    assert ask(people[1])
    assert ask(people[0], other)


def problems_principal(program: Any) -> Any:
    from ocadmin.api.authentication import principal_of

    return principal_of(program.token)


def test_every_operation_declares_its_problems() -> None:
    document = rest.api.get_openapi_schema(path_prefix="/api/")
    assert document["openapi"].startswith("3.1")
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert len(operations) >= 3
    for one in operations:
        assert {400, 401, 403, 404, 500} <= set(one["responses"])
        assert one["security"]
    assert issubclass(problems.ProblemDetails, Schema)
