"""Changes of two transactions at once: what only PostgreSQL has, so these tests are collected only there (conftest)."""

import datetime
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from ocadmin.access import feed
from ocadmin.access.models import AuditEntry
from ocadmin.numbers.models import Customer

from .changing import PATH, change, committed, read, settle, write
from .conftest import Programs


class Late(threading.Thread):
    """Writes one change in a transaction of its own, and commits it when `commit` is set."""

    def __init__(self, customer: Customer, n: int) -> None:
        super().__init__(daemon=True)
        self.customer, self.n = customer, n
        self.written, self.commit = threading.Event(), threading.Event()

    def run(self) -> None:
        with transaction.atomic():
            change(self.customer, self.n).save()
            self.written.set()
            self.commit.wait(30)
        connections.close_all()

    def end(self) -> None:
        self.commit.set()
        self.join(30)


@pytest.fixture
def late(contoso: Customer) -> Iterator[Callable[[int], Late]]:
    begun: list[Late] = []

    def begin(n: int) -> Late:
        begun.append(Late(contoso, n))
        begun[-1].start()
        assert begun[-1].written.wait(30)
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


@committed
def test_a_late_commit_is_never_lost(program: Programs, contoso: Customer, late: Callable[[int], Late]) -> None:
    """An older transaction commits after a younger one: no cursor that was given out may lie behind its id."""
    reader = program()
    write(contoso, 0)
    first = late(1)
    AuditEntry.objects.bulk_create([change(contoso, 2)])
    seen, since = read(reader, "0")
    assert seen == [0]  # 2 is committed, but 1 may still come before it
    first.end()
    settle()
    assert read(reader, since)[0] == [1, 2]
    assert read(reader, "0")[0] == [0, 1, 2]


@committed
def test_ids_do_not_say_who_was_first(program: Programs, contoso: Customer, late: Callable[[int], Late]) -> None:
    """The older transaction writes again after the younger one, and commits first: both kinds of disorder at once."""
    reader = program()
    older, younger = late(1), late(2)
    older.end()
    seen, since = read(reader, "0")
    AuditEntry.objects.bulk_create([change(contoso, 3)])
    more, since = read(reader, since)
    younger.end()
    settle()
    rest, _since = read(reader, since)
    assert seen + more + rest == [1, 2, 3]


@committed
def test_now_does_not_miss_what_is_under_way(program: Programs, contoso: Customer, late: Callable[[int], Late]) -> None:
    reader = program()
    first = late(1)
    since = reader.get(PATH).json()["nextSince"]
    instant = timezone.now() - datetime.timedelta(seconds=30)
    _none, from_then = read(reader, instant.isoformat())
    first.end()
    settle()
    assert read(reader, since)[0] == [1]
    assert read(reader, from_then)[0] == [1]


@committed
def test_what_was_rolled_back_holds_nothing_up(program: Programs, contoso: Customer) -> None:
    try:
        with transaction.atomic():
            change(contoso, 1).save()
            raise LookupError
    except LookupError:
        pass
    write(contoso, 2)
    assert read(program(), "0")[0] == [2]


@committed
def test_a_database_that_moved_to_a_younger_server_goes_on_in_order(program: Programs, contoso: Customer) -> None:
    reader = program()
    with connection.cursor() as cursor:
        cursor.execute(feed.function_sql(10**12))
    try:
        write(contoso, 1)
        _seen, since = read(reader, "0")
        with connection.cursor() as cursor:
            cursor.execute(feed.function_sql(0))  # the same rows, on a server that has counted less far
        feed.keep_order()
        write(contoso, 2)
        assert read(reader, since)[0] == [2]
        assert read(reader, "0")[0] == [1, 2]
        feed.keep_order()
        write(contoso, 3)
        assert read(reader, "0")[0] == [1, 2, 3]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(feed.function_sql(0))
