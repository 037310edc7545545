"""GET /api/v3/oc/changes: every change once, in an order that no later commit can change."""

import datetime
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from ocadmin.access import feed
from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.access.principal import Scope
from ocadmin.numbers.models import Customer
from tests.factories import ChannelFactory, CustomerFactory

from .changing import FIRST, PATH, committed, read, write
from .conftest import Programs

pytestmark = pytest.mark.django_db


def test_a_change_says_who_what_and_when(program: Programs, contoso: Customer) -> None:
    write(contoso, 1, before={"location_id": None}, after={"location_id": "x"}, ticket="T-1", task_ref=7, message="ok")
    (told,) = program().get(PATH, {"since": "0"}).json()["changes"]
    at = datetime.datetime.fromisoformat(told.pop("at"))
    assert abs(at - AuditEntry.objects.get(object_type="number").at) < datetime.timedelta(milliseconds=1)
    assert told == {
        "id": AuditEntry.objects.get(object_type="number").pk,
        "action": "location.changed",
        "telephoneNumber": "+442079460001",
        "msTenantId": str(contoso.tenant_id),
        "before": {"location_id": None},
        "after": {"location_id": "x"},
        "message": "ok",
        "taskId": 7,
        "ticket": "T-1",
        "actor": "system",
        "through": "api",
    }


@committed
def test_pages_hold_every_change_once_and_in_order(program: Programs, contoso: Customer) -> None:
    write(contoso, *range(5))
    write(contoso, 5)
    reader = program()
    for size in (1, 2, 5, 6, 100):
        assert read(reader, "0", size)[0] == list(range(6))


def test_the_way_on_is_told_on_an_empty_page_too(program: Programs, contoso: Customer) -> None:
    write(contoso, 1)
    reader = program()
    _found, since = read(reader, "0")
    assert read(reader, since) == ([], read(reader, since)[1])
    write(contoso, 2)
    assert read(reader, since)[0] == [2]


def test_without_since_it_begins_now(program: Programs, contoso: Customer) -> None:
    write(contoso, 1)
    reader = program()
    told = reader.get(PATH).json()
    assert (told["changes"], told["more"]) == ([], False)
    write(contoso, 2)
    assert read(reader, told["nextSince"])[0] == [2]


def test_the_history_of_one_number(program: Programs, contoso: Customer) -> None:
    write(contoso, 1, 2, 1, 12)
    write(CustomerFactory(), 1)
    asked = {"since": "0", "telephoneNumber": f"+{FIRST + 1}"}
    told = program().get(PATH, asked).json()
    assert [one["telephoneNumber"] for one in told["changes"]] == [f"+{FIRST + 1}"] * 3
    assert len(program(Role.MONITOR, customer=contoso).get(PATH, asked).json()["changes"]) == 2
    as_typed = program().http.get(f"/api/{PATH}?since=0&telephoneNumber=+{FIRST + 1}")  # the plus comes as a blank
    assert as_typed.json()["changes"] == told["changes"]


def test_an_instant_begins_with_what_happened_then(program: Programs, contoso: Customer) -> None:
    now = timezone.now()
    for n, age in enumerate((300, 90, 61, 30, 0)):
        write(contoso, n, at=now - datetime.timedelta(minutes=age))
    reader = program()
    for minutes, expected in ((62, [2, 3, 4]), (0, [4]), (1000, [0, 1, 2, 3, 4]), (-5, [])):
        since = (now - datetime.timedelta(minutes=minutes)).isoformat()
        assert read(reader, since)[0] == expected
    write(contoso, 5)
    assert read(reader, read(reader, now.isoformat())[1]) == ([], read(reader, "0")[1])


def test_an_instant_finds_what_was_committed_out_of_order(program: Programs, contoso: Customer) -> None:
    """Times are noted before a commit: a later position may have an earlier time."""
    now = timezone.now()
    for n, age in enumerate((20, 30, 10)):
        write(contoso, n, at=now - datetime.timedelta(minutes=age))
    assert read(program(), (now - datetime.timedelta(minutes=25)).isoformat())[0] == [0, 2]


@pytest.mark.parametrize(
    "since",
    ["x", "1-", "-1", "1--2", "9" * 40, "2026-01-31", "2026-13-45T00:00:00Z", "2026-01-31T12:00:00", "٣-٣"],
)
def test_what_is_no_cursor_is_refused(program: Programs, since: str) -> None:
    answer = program().get(PATH, {"since": since})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errorCode"] == "invalid_since"


def test_a_nul_is_refused_before_it_is_read(program: Programs) -> None:
    answer = program().get(PATH, {"since": "\0"})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "invalid_request")


@pytest.mark.parametrize("size", ["0", "-1", "1001", "x", "1e9"])
def test_a_page_has_a_size_that_makes_sense(program: Programs, size: str) -> None:
    assert program().get(PATH, {"since": "0", "pageSize": size}).status_code == 400


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "999999999999999999-0"])
def test_cursors_at_the_ends_of_the_world(program: Programs, contoso: Customer, since: str) -> None:
    write(contoso, 1)
    answer = program().get(PATH, {"since": since})
    assert answer.status_code == 200
    assert bool(answer.json()["changes"]) is since.startswith("0001")


def test_only_numbers_are_in_it(program: Programs, contoso: Customer) -> None:
    write(contoso, 1, object_type="export")
    write(contoso, 2)
    assert read(program(), "0")[0] == [2]


def test_each_sees_their_own(program: Programs, contoso: Customer) -> None:
    reseller = ChannelFactory()
    theirs, others = CustomerFactory(channel=reseller), CustomerFactory()
    for n, customer in enumerate((contoso, theirs, others, theirs, contoso)):
        write(customer, n)
    assert read(program(), "0", 1)[0] == [0, 1, 2, 3, 4]
    assert read(program(Role.MONITOR, customer=contoso), "0", 1)[0] == [0, 4]
    assert read(program(Role.MONITOR, channel=reseller), "0", 1)[0] == [1, 3]


def test_a_channel_header_narrows(program: Programs, contoso: Customer) -> None:
    reseller = ChannelFactory(ovoc_channel_id=77)
    write(contoso, 0)
    write(CustomerFactory(channel=reseller), 1)
    told = program().get(PATH, {"since": "0"}, headers={"X-Ovoc-Channel-Id": "77"}).json()
    assert [one["telephoneNumber"] for one in told["changes"]] == ["+442079460001"]


def test_many_places_at_once(db: None, contoso: Customer) -> None:
    """A customer of a channel that is reached both ways is told once; more places than one query takes."""
    reseller = ChannelFactory()
    customers = [contoso, *CustomerFactory.create_batch(4, channel=reseller), CustomerFactory()]
    for n, customer in enumerate(customers):
        write(customer, n)
    far = frozenset(range(10_000, 10_000 + feed.PLACES_AT_ONCE))
    scope = Scope(channels=frozenset({reseller.pk}), customers=far | {contoso.pk, customers[1].pk})
    for limit in (1, 3, 10):
        rows = feed.entries("number", scope, feed.Asked(feed.BEGINNING), feed.horizon(), limit)
        assert [int(row.object_id) - FIRST for row in rows] == list(range(5))[:limit]


def test_nobody_without_a_token_and_no_other_verb(program: Programs, client: Any) -> None:
    assert client.get(f"/api/{PATH}").status_code == 401
    assert program().http.post(f"/api/{PATH}").status_code == 405


@given(st.integers(0, 10**17), st.integers(0, 10**17))
def test_a_cursor_reads_as_it_was_written(xact: int, pk: int) -> None:
    position = feed.Position(xact, pk)
    assert feed.read_cursor(str(position)) == position
