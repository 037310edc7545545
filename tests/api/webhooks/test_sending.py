"""What a receiver gets: everything, in order, signed; and what happens when it cannot be reached."""

import re
import socket
from datetime import UTC, timedelta
from datetime import datetime as moment
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.api.webhooks import post, sending, services, signing
from ocadmin.api.webhooks.models import Attempt, Delivery, Webhook
from ocadmin.numbers.models import Customer
from ocadmin.tasks import lease
from tests.api.changing import committed, write
from tests.factories import ChannelFactory, CustomerFactory

from .conftest import Hooks
from .receiver import Receiver

pytestmark = pytest.mark.django_db


def test_a_change_arrives_signed(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    write(contoso, 0)
    sender = hook()
    write(contoso, 1, before={"a": 1}, after={"a": 2})
    sender.send()
    (got,) = receiver.requests
    assert got.is_signed_by(sender.secret)
    assert not got.is_signed_by(signing.new_secret())
    assert got.numbers == [1]  # what happened before it was made is not its business
    assert got.path == "/hooks?from=console"
    assert got.headers["content-type"] == "application/json"
    assert re.fullmatch(r"msg_[0-9a-f]{32}", got.uid)
    assert b'"type":"numbers.changed"' in got.body
    assert sender.log == [("changes", "delivered", [200])]
    assert sender.row.last_success_at is not None


def test_nothing_is_sent_where_nothing_happened(hook: Hooks, receiver: Receiver) -> None:
    sender = hook()
    assert not sending.due().exists()
    sender.send()
    assert receiver.requests == []


@committed
def test_many_changes_come_in_order_and_in_pieces(
    hook: Hooks, receiver: Receiver, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_CHANGES", 3)
    sender = hook()
    write(contoso, *range(4))
    write(contoso, *range(4, 8))
    assert sending.due().get().pk == sender.pk
    sender.send()
    assert receiver.numbers == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert len({request.uid for request in receiver.requests}) == 3
    assert not sending.due().exists()


def test_a_slice_ends_and_the_rest_follows(
    hook: Hooks, receiver: Receiver, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MOST_CHANGES", 1)
    monkeypatch.setattr(sending, "SLICE_SECONDS", 0.0)
    sender = hook()
    write(contoso, 0, 1)
    assert sending.advance(sender.pk)
    assert receiver.numbers == [[0]]
    sender.send()
    assert receiver.numbers == [[0], [1]]


@pytest.mark.parametrize("status", [500, 400, 404, 301])
def test_a_refused_message_comes_again_the_same(
    hook: Hooks, receiver: Receiver, contoso: Customer, status: int
) -> None:
    sender = hook()
    receiver.replies = [(status, {"Location": receiver.url}, b"not today")]
    write(contoso, 1)
    sender.send()
    write(contoso, 2)
    sender.send()  # the pause is not over
    assert receiver.numbers == [[1]]
    assert (sender.row.failures, sender.row.enabled) == (1, True)
    assert timedelta(seconds=3) < sender.pause < timedelta(seconds=7)
    sender.later()
    first, again, following = receiver.requests
    assert (first.uid, first.body) == (again.uid, again.body)
    assert again.is_signed_by(sender.secret)
    assert (again.numbers, following.numbers) == ([1], [2])
    assert sender.row.failures == 0
    assert sender.log == [("changes", "delivered", [status, 200]), ("changes", "delivered", [200])]
    failed = Attempt.objects.order_by("pk")[0]
    assert str(status) in failed.error
    assert failed.answer == "not today"


def test_pauses_grow_for_three_days_and_then_it_is_disabled(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    receiver.replies = [503] * 100
    write(contoso, 1)
    sender.send()
    pauses = []
    while sender.row.enabled:
        pauses.append(sender.pause.total_seconds())
        sender.later()
    assert 60 * 3600 < sum(pauses) < 96 * 3600
    assert max(pauses) < 15.1 * 3600
    assert len(receiver.requests) == len(pauses) + 1 == 15
    row = sender.row
    assert row.note == "15 tries in about three days failed. The last time: It answered 503."
    entry = AuditEntry.objects.get(action="webhook.disable")
    assert (entry.actor_name, entry.channel, entry.message) == ("system", "schedule", row.note)
    sender.later()
    assert len(receiver.requests) == 15
    assert not sending.due().exists()


def test_enabled_again_it_goes_on_where_it_stopped(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    receiver.replies = [410]
    write(contoso, 1)
    sender.send()
    write(contoso, 2)
    assert (sender.row.enabled, sender.row.note) == (False, "The receiver answered 410: it wants no more messages.")
    sender.later()
    assert services.enable(sender.pk, SYSTEM)
    sender.send()
    assert receiver.numbers == [[1], [1], [2]]


def test_enabled_without_what_was_missed(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    receiver.replies = [410]
    write(contoso, 1)
    sender.send()
    write(contoso, 2)
    services.enable(sender.pk, SYSTEM, skip=True)
    write(contoso, 3)
    sender.send()
    assert receiver.numbers == [[1], [3]]
    assert [state for _kind, state, _tries in sender.log] == ["failed", "delivered"]


@pytest.mark.parametrize("status", [429, 503])
def test_the_receiver_says_when(hook: Hooks, receiver: Receiver, contoso: Customer, status: int) -> None:
    sender = hook()
    soon = format_datetime(moment.now(UTC) + timedelta(hours=2), usegmt=True)
    receiver.replies = [
        (status, {"Retry-After": "3600"}, b""),
        (status, {"Retry-After": soon}, b""),
        (status, {"Retry-After": "1"}, b""),  # less than our own pause
        (status, {"Retry-After": "999999999"}, b""),
    ]
    write(contoso, 1)
    sender.send()
    assert timedelta(minutes=59) < sender.pause <= timedelta(hours=1)
    sender.later()
    assert timedelta(minutes=118) < sender.pause <= timedelta(hours=2)
    sender.later()
    assert timedelta(seconds=80) < sender.pause < timedelta(seconds=160)
    sender.later()
    assert timedelta(hours=23) < sender.pause <= timedelta(hours=24)


def _hang(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(10)
    handler.rfile.read(1)  # until the console has had enough
    handler.close_connection = True


def _trickle(handler: BaseHTTPRequestHandler) -> None:
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _byte in range(1000):
            handler.connection.settimeout(0.02)
            try:
                if not handler.connection.recv(1):
                    break
            except TimeoutError:
                pass
            handler.wfile.write(b"x")
    except OSError:
        pass
    handler.close_connection = True


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.mark.parametrize(
    ("reply", "words"),
    [(_hang, "No answer came within"), (_trickle, "No whole answer came within"), (_reset, "could not be reached")],
)
def test_a_receiver_that_does_not_answer(
    hook: Hooks, receiver: Receiver, contoso: Customer, monkeypatch: pytest.MonkeyPatch, reply: Any, words: str
) -> None:
    monkeypatch.setattr(post, "READ_SECONDS", 0.3)
    monkeypatch.setattr(post, "WHOLE_SECONDS", 1.0)
    sender = hook()
    receiver.replies = [reply]
    write(contoso, 1)
    sender.send()
    assert sender.log == [("changes", "pending", [None])]
    assert words in Attempt.objects.get().error
    sender.later()
    assert sender.log == [("changes", "delivered", [None, 200])]
    assert receiver.requests[0].uid == receiver.requests[1].uid


def test_nobody_listens(hook: Hooks, contoso: Customer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sender = hook(url=f"http://127.0.0.1:{taken.getsockname()[1]}/")
        write(contoso, 1)
        sender.send()
    assert "could not be reached" in Attempt.objects.get().error
    assert sender.row.failures == 1


def test_a_long_answer_is_cut(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    receiver.replies = [(200, {}, b"y\0" * 100_000), (200, {"Content-Encoding": "gzip"}, b"no gzip")]
    write(contoso, 1)
    sender.send()
    write(contoso, 2)
    sender.send()
    assert [len(one.answer) <= 1024 for one in Attempt.objects.all()] == [True, True]
    assert [state for _kind, state, _tries in sender.log] == ["delivered", "delivered"]


class Killed(BaseException):
    """kill -9."""


def test_killed_between_sending_and_noting(
    hook: Hooks, receiver: Receiver, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delivered twice with the same webhook-id, never lost."""
    sender = hook()
    write(contoso, 1)

    def kill(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_note", kill)
        with pytest.raises(Killed):
            sending.advance(sender.pk)
    assert sender.log == [("changes", "pending", [])]
    assert not sending.advance(sender.pk)  # its lease has not ended
    Webhook.objects.filter(pk=sender.pk).update(lease_until=timezone.now())
    sender.send()
    assert receiver.numbers == [[1], [1]]
    assert receiver.requests[0].uid == receiver.requests[1].uid
    assert sender.log == [("changes", "delivered", [200])]


def test_killed_before_sending(
    hook: Hooks, receiver: Receiver, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = hook()
    write(contoso, 1)

    def kill(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "post", kill)
        with pytest.raises(Killed):
            sending.advance(sender.pk)
    owner = sender.row.lease_owner
    monkeypatch.setattr(lease, "is_dead", lambda name: name == owner)
    sending.free_the_dead()
    sender.send()
    assert receiver.numbers == [[1]]


def test_who_has_lost_the_lease_writes_nothing(
    hook: Hooks, receiver: Receiver, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one waits for the answer, the lease ends and another one sends."""
    sender = hook()
    write(contoso, 1)
    really = sending.post

    def slow(url: str, body: bytes, headers: dict[str, str]) -> post.Answer:
        monkeypatch.setattr(sending, "post", really)
        Webhook.objects.filter(pk=sender.pk).update(lease_until=timezone.now())
        sender.send()
        return post.Answer(500, 1, "late")

    monkeypatch.setattr(sending, "post", slow)
    assert not sending.advance(sender.pk)
    assert sender.log == [("changes", "delivered", [200])]
    assert (sender.row.failures, sender.row.lease_owner) == (0, "")


def test_each_is_told_of_its_own_numbers_only(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    reseller = ChannelFactory()
    theirs, others = CustomerFactory(channel=reseller), CustomerFactory()
    senders = {"channel": hook(channels=[reseller]), "customer": hook(customers=[contoso]), "all": hook()}
    gone = hook(channels=[ChannelFactory()])
    gone.row.channels.all().delete()
    for n, customer in enumerate((contoso, theirs, others)):
        write(customer, n)
    told = {}
    for name, sender in (senders | {"gone": gone}).items():
        receiver.requests.clear()
        sender.send()
        told[name] = [n for numbers in receiver.numbers for n in numbers]
    assert told == {"channel": [1], "customer": [0], "all": [0, 1, 2], "gone": []}
    assert not sending.due().exists()


def test_some_kinds_of_changes_only(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook(events=["release.", "sync."])
    for n, action in enumerate(("release.requested", "location.changed", "sync.new", "released.not")):
        write(contoso, n, action=action)
    sender.send()
    assert receiver.numbers == [[0, 2]]


def test_a_narrower_scope_holds_for_what_waits_too(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    other = CustomerFactory()
    sender = hook()
    receiver.replies = [500]
    write(contoso, 1)
    write(other, 2)
    sender.send()
    values = {"name": "portal", "url": receiver.url, "events": [], "everything": False}
    services.change(sender.pk, values, [], [other], by=SYSTEM)
    sender.later()
    assert receiver.numbers == [[1, 2], [2]]


def test_both_secrets_sign_while_one_is_exchanged(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    new = services.new_secret(sender.pk, SYSTEM)
    write(contoso, 1)
    sender.send()
    assert receiver.requests[0].is_signed_by(sender.secret)
    assert receiver.requests[0].is_signed_by(new)
    Webhook.objects.update(old_secret_until=timezone.now())
    write(contoso, 2)
    sender.send()
    assert not receiver.requests[1].is_signed_by(sender.secret)
    assert receiver.requests[1].is_signed_by(new)


def test_a_secret_that_cannot_be_opened_is_said(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    Webhook.objects.update(sealed_secret="damaged")
    write(contoso, 1)
    sender.send()
    assert receiver.requests == []
    assert "Make a new secret" in Attempt.objects.get().error


def test_a_test_goes_out_once_even_when_disabled(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    services.disable(sender.pk, SYSTEM)
    write(contoso, 1)
    services.send_test(sender.pk, SYSTEM)
    receiver.replies = [500]
    sender.send()
    (got,) = receiver.requests
    assert got.is_signed_by(sender.secret)
    assert b'"type":"webhook.test"' in got.body
    assert sender.log == [("test", "failed", [500])]
    assert sender.row.failures == 0
    assert not sending.due().exists()


def test_a_message_once_more(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    write(contoso, 1)
    sender.send()
    services.again(Delivery.objects.get(), SYSTEM)
    sender.send()
    first, again = receiver.requests
    assert (first.uid, first.body) == (again.uid, again.body)
    assert sender.log == [("changes", "delivered", [200]), ("again", "delivered", [200])]


def test_old_deliveries_are_forgotten(hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    write(contoso, 1)
    sender.send()
    old = timezone.now() - timedelta(days=31)
    Delivery.objects.update(finished_at=old, created_at=old)
    receiver.replies = [500]
    write(contoso, 2)
    sender.send()
    Delivery.objects.filter(state="pending").update(created_at=old)
    assert services.tidy() == 1
    assert sender.log == [("changes", "pending", [500])]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_receiver_is_asked(
    hook: Hooks, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = hook()
    write(contoso, 1)
    seen = []

    def look(*_args: object) -> post.Answer:
        seen.append(connection.in_atomic_block)
        return post.Answer(200, 1)

    monkeypatch.setattr(sending, "post", look)
    sender.send()
    assert seen == [False]


def test_secrets_are_in_no_log_and_no_entry(
    hook: Hooks, receiver: Receiver, contoso: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    sender = hook()
    new = services.new_secret(sender.pk, SYSTEM)
    write(contoso, 1)
    sender.send()
    texts = caplog.text + str(list(AuditEntry.objects.values())) + str(list(Delivery.objects.values()))
    for secret in (sender.secret, new):
        assert secret not in texts
        assert secret not in str(list(Webhook.objects.values()))
