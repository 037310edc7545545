"""One exchange: what is sent, what is tried again, what is refused, and what each answer turns into."""

import gzip
import logging
import os
import time
import traceback
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from django.conf import settings

from ocadmin.numbers.microsoft import errors, http
from ocadmin.numbers.microsoft.errors import Asked
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from tests.sandbox_process import free_port

from .conftest import TOKEN, Microsoft

ASKED = Asked("Somebody", "something")
TENANT = "3bc57cac-5794-457f-ad36-2c88cade9dbb"


def error(code: str, message: str = "Reason.", details: list | None = None) -> dict:
    return {"error": {"code": code, "message": message, "details": details or []}}


@pytest.mark.parametrize(
    ("answer", "expected", "retryable", "words"),
    [
        (httpx2.Response(429, json=error("TooManyRequests")), errors.Throttled, True, "too many requests"),
        (httpx2.Response(500, json=error("Oops")), errors.ServerError, True, "Oops: Reason"),
        (httpx2.Response(502, html="<h1>Bad gateway</h1>"), errors.ServerError, True, "Bad gateway"),
        (httpx2.Response(503), errors.ServerError, True, "503"),
        (httpx2.Response(403, json=error("Forbidden", "no")), errors.Forbidden, False, "Forbidden: no"),
        (httpx2.Response(404, json=error("NumberNotFound")), errors.NotFound, False, "NumberNotFound"),
        (httpx2.Response(404, json=error("TenantNotFound")), errors.TenantUnknown, False, "tenant"),
        (httpx2.Response(400, json=error("InvalidRange")), errors.Refused, False, "InvalidRange"),
        (httpx2.Response(409, json=error("AlreadyDecided")), errors.Refused, False, "409"),
        (httpx2.Response(413), errors.Refused, False, "413"),
        (httpx2.Response(422, json=error("X")), errors.Refused, False, "422"),
        (httpx2.Response(408), errors.TimedOut, True, "in time"),
        (httpx2.Response(302, headers={"Location": "https://evil.test/"}), errors.BadAnswer, False, "redirect"),
        (httpx2.Response(200, html="<title>Sign in</title>"), errors.BadAnswer, True, "web page, not JSON: Sign in"),
        (httpx2.Response(200, content=b'{"value": [{"tel'), errors.BadAnswer, True, "only half of it"),
        (httpx2.Response(200, content=b""), errors.BadAnswer, True, "empty"),
        (httpx2.Response(200, content=b"\xff\xfe\x00"), errors.BadAnswer, True, "not JSON"),
        (httpx2.Response(200, content=b"[" * 100_000), errors.BadAnswer, True, "not JSON"),
        (httpx2.Response(200, json=[1]), errors.BadAnswer, False, "object was expected"),
        (httpx2.Response(200, json={"value": {}}), errors.BadAnswer, False, "list of objects"),
        (httpx2.Response(200, json={"value": [None]}), errors.BadAnswer, False, "list of objects"),
        (httpx2.Response(200, json={"value": [], "nextLink": 7}), errors.BadAnswer, False, "not a text"),
    ],
)
def test_what_an_answer_turns_into(
    microsoft: Microsoft, answer: httpx2.Response, expected: type, retryable: bool, words: str
) -> None:
    microsoft.answers = [answer]
    with pytest.raises(expected) as caught:
        OperatorConnect().numbers_page()
    assert type(caught.value) is expected
    assert caught.value.retryable is retryable
    assert words in caught.value.message
    assert caught.value.message.startswith("Microsoft's operator interface was asked for numbers: ")
    assert len(microsoft.calls) == 1, "an answer is an answer: waiting and asking again is the task's business"


def test_an_error_carries_the_ids_and_the_details(microsoft: Microsoft) -> None:
    detail = {"code": "NumberAssigned", "target": "+442074996300", "message": "No."}
    body = error("InvalidRequest", "Some.", [detail, "?"])
    microsoft.answers = [httpx2.Response(400, json=body, headers={"x-ms-request-id": "r-1"})]
    correlation = uuid.uuid4()
    with pytest.raises(errors.Refused) as caught:
        OperatorConnect(correlation).numbers_page()
    refused = caught.value
    assert (refused.status, refused.request_id, refused.correlation_id) == (400, "r-1", str(correlation))
    assert (refused.upstream_code, refused.upstream_message) == ("InvalidRequest", "Some.")
    assert refused.details == [detail]


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        (timedelta(seconds=90), 80, 90),
        (timedelta(seconds=-90), 0, 0),
        ("999999999", 86_400, 86_400),
    ],
)
def test_the_wait_that_was_asked_for(microsoft: Microsoft, header: str | timedelta, low: float, high: float) -> None:
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    microsoft.answers = [httpx2.Response(429, headers={"Retry-After": header})]
    with pytest.raises(errors.Throttled) as caught:
        OperatorConnect().numbers_page()
    assert caught.value.retry_after is not None
    assert low <= caught.value.retry_after <= high
    assert "seconds" in caught.value.message


@pytest.mark.parametrize("header", ["", "soon", "-5", "1e9", "nan"])
def test_a_wait_that_cannot_be_read_is_none(microsoft: Microsoft, header: str) -> None:
    microsoft.answers = [httpx2.Response(429, headers={"Retry-After": header})]
    with pytest.raises(errors.Throttled) as caught:
        OperatorConnect().numbers_page()
    assert caught.value.retry_after is None


def test_the_missing_role_is_named(microsoft: Microsoft) -> None:
    text = "The access token does not carry the role 'NumberManagement.Read'."
    microsoft.answers = [httpx2.Response(403, json=error("Forbidden", text))]
    with pytest.raises(errors.Forbidden, match=r"lacks the role NumberManagement\.Read;") as caught:
        OperatorConnect().numbers_page()
    assert caught.value.role == "NumberManagement.Read"


def test_a_lost_connection_is_tried_again_for_reads_only(microsoft: Microsoft) -> None:
    lost = httpx2.ConnectError("[Errno 111] Connection refused")
    microsoft.answers = [lost, lost, httpx2.Response(200, json={"value": [], "totalCount": 0})]
    assert OperatorConnect().numbers_page().total == 0
    assert len(microsoft.calls) == 3

    microsoft.requests.clear()
    microsoft.answers = [httpx2.ReadError("[Errno 104] Connection reset by peer")]
    with pytest.raises(errors.Unreachable, match="reset by peer"):
        OperatorConnect().request("POST", "/uploads", "an upload", json={})
    assert len(microsoft.calls) == 1

    microsoft.requests.clear()
    with pytest.raises(errors.Unreachable):
        OperatorConnect().numbers_page()
    assert len(microsoft.calls) == 3


def test_a_time_limit_is_not_tried_again(microsoft: Microsoft) -> None:
    microsoft.answers = [httpx2.ReadTimeout("slow")]
    with pytest.raises(errors.TimedOut):
        OperatorConnect().numbers_page()
    assert len(microsoft.calls) == 1


def test_nobody_listens(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(errors.Unreachable, match=r"127\.0\.0\.1 \(.*refused"):
        http.send("GET", f"http://127.0.0.1:{free_port()}/", asked=ASKED)


def test_no_such_host() -> None:
    with pytest.raises(errors.Unreachable, match=r"nowhere\.invalid"):
        http.send("GET", "http://nowhere.invalid/", asked=ASKED)


def test_too_large_an_answer_is_not_read(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1024 * 1024)
    bomb = gzip.compress(b" " * 3 * 1024 * 1024)
    microsoft.answers = [httpx2.Response(200, content=b" " * 2 * 1024 * 1024)]
    with pytest.raises(errors.BadAnswer, match="larger than 1 MB"):
        OperatorConnect().numbers_page()
    monkeypatch.setattr(
        Microsoft,
        "_give",
        lambda self, answer: (
            answer
            if answer.status_code == 200 and answer.headers.get("content-type")
            else httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=bomb)
        ),
    )
    with pytest.raises(errors.BadAnswer, match="larger than 1 MB"):
        OperatorConnect().numbers_page()


def test_a_trickle_is_given_up(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def drops() -> Iterator[bytes]:
        nonlocal now
        for _n in range(1000):
            now += settings.ENV.http_timeout / 2
            yield b" "

    monkeypatch.setattr(time, "monotonic", lambda: now)
    trickle = httpx2.MockTransport(lambda request: httpx2.Response(200, content=drops()))
    monkeypatch.setattr(http, "client", lambda: httpx2.Client(transport=trickle))
    with pytest.raises(errors.TimedOut):
        http.send("GET", "https://operator.test/", asked=ASKED)
    assert now < settings.ENV.http_timeout * 5


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/oc/v1/operators/x/telephone-numbers?skip=1",
        "http://operator.test/oc/v1/x",
        "https://operator.test:8443/oc/v1/x",
        "https://operator.test.evil.test/x",
        "//evil.test/x",
        "https://user:password@operator.test/oc/v1/x",
        "https://operator.test@evil.test/x",
        "ftp://operator.test/x",
        "http://[",
    ],
)
def test_a_link_to_another_host_is_refused(microsoft: Microsoft, link: str) -> None:
    microsoft.answers = [httpx2.Response(200, json={"value": [], "nextLink": link})]
    with pytest.raises(errors.BadAnswer, match="link"):
        OperatorConnect().numbers_page()
    with pytest.raises(errors.BadAnswer, match="link"):
        OperatorConnect().numbers_page(next_link=link if not link.startswith("/") else f"https:{link}")
    assert [call.url.host for call in microsoft.calls] == ["operator.test"]


def test_a_relative_link_is_followed(microsoft: Microsoft) -> None:
    microsoft.answers = [
        httpx2.Response(200, json={"value": [{"a": 1}], "nextLink": "/oc/v1/more?skip=1", "totalCount": True}),
        httpx2.Response(200, json={"value": [{"a": 2}], "nextLink": "", "totalCount": 2}),
    ]
    first = OperatorConnect().numbers_page()
    assert (first.next_link, first.total) == ("https://operator.test/oc/v1/more?skip=1", None)
    second = OperatorConnect().numbers_page(next_link=first.next_link)
    assert (second.records, second.next_link, second.total) == ([{"a": 2}], None, 2)


def test_pages_that_go_round_are_noticed(microsoft: Microsoft) -> None:
    here = httpx2.Response(200, json={"value": [], "nextLink": "/oc/v1/a"})
    there = httpx2.Response(200, json={"value": [], "nextLink": "/oc/v1/b"})
    microsoft.answers = [here, there, here, there, here]
    with pytest.raises(errors.BadAnswer, match="circle"):
        list(OperatorConnect().consents())
    microsoft.answers = [here]
    with pytest.raises(errors.BadAnswer, match="same page"):
        OperatorConnect().numbers_page(next_link="https://operator.test/oc/v1/a")


def test_every_request_carries_a_correlation_id(microsoft: Microsoft) -> None:
    microsoft.answers = [httpx2.Response(200, json={"value": []})]
    mine = uuid.uuid4()
    OperatorConnect(mine).numbers_page()
    assert [request.headers["x-ms-client-request-id"] for request in microsoft.requests] == [str(mine)] * 2
    OperatorConnect().numbers_page()
    OperatorConnect().numbers_page()
    fresh = {uuid.UUID(request.headers["x-ms-client-request-id"]) for request in microsoft.requests[2:]}
    assert len(fresh) == 2


def test_connections_belong_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = http.client()
    assert http.client() is mine
    monkeypatch.setattr(os, "getpid", lambda: -1)
    child = http.client()
    assert child is not mine
    child.close()
    http._clients.pop(-1)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(400, json=error("X", "You sent Bearer token-that-must-not-leak and secret-that-must-not-leak")),
        httpx2.Response(
            500, text="authorization: Bearer token-that-must-not-leak client_secret=secret-that-must-not-leak"
        ),
        httpx2.Response(200, text='{"access_token":"token-that-must-not-leak", "client_secret": "secret-that-must'),
        httpx2.ConnectError("cannot send secret-that-must-not-leak"),
        httpx2.ReadTimeout("Bearer token-that-must-not-leak"),
    ],
)
def test_nothing_secret_gets_out(
    microsoft: Microsoft, caplog: pytest.LogCaptureFixture, answer: httpx2.Response | Exception
) -> None:
    for name in ("", "httpx2", "ocadmin"):
        caplog.set_level(logging.DEBUG, logger=name)
    microsoft.answers = [answer]
    with pytest.raises(errors.MicrosoftError) as caught:
        OperatorConnect().numbers_page()
    seen = [caplog.text, repr(caught.value), str(caught.value), repr(vars(caught.value))]
    seen += traceback.format_exception(caught.value)
    assert "must-not-leak" not in "".join(seen)


def test_half_a_token_answer_does_not_show_the_token(microsoft: Microsoft) -> None:
    microsoft.token_answer = httpx2.Response(200, text=httpx2.Response(200, json=TOKEN).text[:-5])
    with pytest.raises(errors.BadAnswer) as caught:
        OperatorConnect().numbers_page()
    assert "must-not-leak" not in caught.value.message
    assert settings.ENV.client_secret not in caught.value.message


@pytest.mark.parametrize("name", ["operator_url", "operator_id", "entra_tenant", "client_id", "client_secret"])
def test_an_empty_setting_is_named(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(settings.ENV, name, "")
    with pytest.raises(errors.NotConfigured, match=f"OCADMIN_{name.upper()} is empty"):
        OperatorConnect().numbers_page()
    assert microsoft.requests == []
