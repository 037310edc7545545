"""A file and the plan of the action judge alike: the same numbers, the same places, the same verdicts."""

import random
from typing import Any

from django.utils import timezone
from hypothesis import given
from hypothesis import settings as properties
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Location, Mode, PhoneNumber, RowOutcome
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations.plan import WILL
from ocadmin.tasks.models import ItemState
from tests.factories import (
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    TaskFactory,
    TaskItemFactory,
    UserFactory,
    grant,
)
from tests.numbers.imports import checked, sheet

NUMBERS = 12


class Verdicts(TestCase):
    """Some customers, places and numbers at random; then every number is judged for a random place, both ways."""

    @properties(max_examples=25)
    @given(st.integers(0, 1 << 60))
    def test_of_emergency_locations(self, seed: int) -> None:
        dice = random.Random(seed)
        customers = [CustomerFactory(full_name=name) for name in ("One", "Two")]
        places = [a_place(dice, dice.choice(customers)) for _place in range(6)]
        numbers = [a_number(dice, n, dice.choice(customers), places) for n in range(NUMBERS)]
        targets: list[Location | None] = [dice.choice([None, *places]) for _number in numbers]
        allows = [dice.choice([None, None, True, False]) for _number in numbers]
        user = a_user(dice, customers[0])
        content = sheet(
            ["telephoneNumber", "locationId", "allowTenantAddressUpdate"],
            *(
                [number.e164, place.pk if place else "-", "" if allow is None else str(allow).lower()]
                for number, place, allow in zip(numbers, targets, allows, strict=True)
            ),
        )
        batch = checked(content, user, mode=Mode.UPDATE)
        rows = {row.e164: row for row in batch.rows.all()}
        visible = set(PhoneNumber.objects.visible_to(principal_of(user)).values_list("pk", flat=True))
        for number, place, allow in zip(numbers, targets, allows, strict=True):
            params = {
                "location_id": str(place.pk) if place else None,
                "allow_tenant_address_update": allow,
                "route": "operator",
            }
            planned = verdict_of(number, params, user)
            row = rows[number.e164]
            codes = [code for _column, _value, code, _sentence in row.problems]
            words = (planned, RowOutcome(row.outcome), codes)
            if number.pk not in visible:
                assert codes in (["unknown"], ["unknown_location"]), words
            elif planned == "already":
                # Or it is at a place of another customer, of which this person may not know.
                assert row.outcome == RowOutcome.UNCHANGED or codes == ["unknown_location"], words
            elif planned == WILL:
                assert row.outcome == RowOutcome.CHANGED, words
            else:
                assert row.outcome == RowOutcome.REFUSED, words
                assert planned in codes or "unknown_location" in codes, words


def verdict_of(number: PhoneNumber, params: dict[str, Any], user: User) -> str:
    operation = ON_NUMBERS["relocate"]
    judged = operation.judged(PhoneNumber.objects.filter(pk=number.pk), params, principal_of(user))
    verdict: str = judged.values_list("verdict", flat=True).get()
    return verdict


def a_user(dice: random.Random, customer: Any) -> User:
    if dice.random() < 0.6:
        return grant(UserFactory(), Role.ADMIN)
    return grant(UserFactory(), dice.choice([Role.OPERATOR, Role.LITE_OPERATOR]), customer=customer)


def a_place(dice: random.Random, customer: Any) -> Location:
    gone = [None, None, None, timezone.now()]
    address = CivicAddressFactory(
        customer=customer,
        country=dice.choice(["GB", "GG", "DE", "US", "CA"]),
        validation_status=dice.choice(["Validated", "validated", "NotValidated", "INVALID", ""]),
        removed_at=dice.choice(gone),
    )
    place: Location = LocationFactory(civic_address=address, removed_at=dice.choice(gone))
    return place


def a_number(dice: random.Random, n: int, customer: Any, places: list[Location]) -> PhoneNumber:
    at = dice.choice([None, None, *places])
    address = at.civic_address if at else dice.choice([None, places[0].civic_address])
    number: PhoneNumber = PhoneNumberFactory(
        e164=f"+4420794605{n:02d}",
        customer=customer,
        status=dice.choice([Status.ACTIVE, Status.ACTIVE, *Status]),
        iso_country_code=dice.choice(["GB", "GB", "DE", "US", "IM", ""]),
        acquired_capabilities=dice.choice([["InboundCalling"], ["TollFree", "InboundCalling"], []]),
        location=at,
        civic_address=address,
        allow_tenant_address_update=dice.choice([None, True, False]),
    )
    if dice.random() < 0.1:
        TaskItemFactory(task=TaskFactory(kind="release"), key=number.e164, state=ItemState.PENDING)
    return number
