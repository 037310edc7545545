"""Ending the quarantine of released numbers early."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import ReleasedNumber
from tests.factories import CustomerFactory, ReleasedNumberFactory, grant

from .acting import refused
from .conftest import Programs

pytestmark = pytest.mark.django_db

PATH = "v3/oc/released-numbers/action/end-quarantine"


@pytest.fixture
def resting(db: None) -> list[ReleasedNumber]:
    now = timezone.now()
    return [
        ReleasedNumberFactory(
            e164=f"+44207946012{n}",
            released_at=now,
            quarantine_until=now + timedelta(days=45),
            customer=CustomerFactory(),
        )
        for n in range(3)
    ]


def until(rows: list[ReleasedNumber]) -> list[bool]:
    return [ReleasedNumber.objects.get(pk=row.pk).resting for row in rows]


def test_ended_with_a_reason(program: Programs, resting: list[ReleasedNumber]) -> None:
    named = [row.e164 for row in resting[:2]]
    client = program()
    plan = client.post(PATH, named, comment="Sold", dryRun="true").json()
    assert (plan["begins"], plan["will"]["count"], until(resting)) == (True, 2, [True] * 3)
    told = client.post(PATH, named, comment="Sold", ticketId="CHG-7").json()
    assert told == {"endedCount": 2, "unchangedCount": 0, "refusedCount": 0}
    assert until(resting) == [False, False, True]
    entries = AuditEntry.objects.filter(action="quarantine.ended")
    assert {(one.message, one.ticket, one.channel) for one in entries} == {("Sold", "CHG-7", "api")}
    again = client.post(PATH, named, comment="Sold").json()
    assert again == {"endedCount": 0, "unchangedCount": 2, "refusedCount": 0}


@pytest.mark.parametrize("comment", [{}, {"comment": ""}, {"comment": "  "}])
def test_not_without_a_reason(program: Programs, resting: list[ReleasedNumber], comment: dict[str, str]) -> None:
    refused(program().post(PATH, [resting[0].e164], **comment), 400, "invalid_request")
    assert all(until(resting))


def test_as_a_whole_or_what_can_be(program: Programs, resting: list[ReleasedNumber]) -> None:
    """One that was never released, one that rests no more; an earlier release does not count beside the last."""
    old = timezone.now() - timedelta(days=99)
    ReleasedNumberFactory(e164=resting[0].e164, released_at=old, quarantine_until=old)
    named = [resting[0].e164, "+442079460999"]
    problem = refused(program().post(PATH, named, comment="Sold"), 400, "not_released")
    assert [one["telephoneNumber"] for one in problem["errors"]] == ["+442079460999"]
    assert all(until(resting))
    told = program().post(PATH, named, comment="Sold", allowPartial="true").json()
    assert told == {"endedCount": 1, "unchangedCount": 0, "refusedCount": 1}


def test_of_ones_own_customers(program: Programs, resting: list[ReleasedNumber]) -> None:
    mine, theirs = resting[:2]
    local = program(Role.ADMIN, customer=mine.customer)
    refused(local.post(PATH, [theirs.e164], comment="Sold"), 400, "not_released")
    assert local.post(PATH, [mine.e164], comment="Sold").json()["endedCount"] == 1
    assert program(Role.OPERATOR).post(PATH, [theirs.e164], comment="Sold").status_code == 403


def test_seen_but_not_his_to_end(program: Programs, resting: list[ReleasedNumber]) -> None:
    client = program(Role.MONITOR)
    grant(client.client, Role.ADMIN, customer=resting[0].customer)
    problem = refused(client.post(PATH, [row.e164 for row in resting], comment="Sold"), 403, "not_permitted")
    assert [one["telephoneNumber"] for one in problem["errors"]] == [row.e164 for row in resting[1:]]
