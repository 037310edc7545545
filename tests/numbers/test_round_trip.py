"""What was exported imports again, and nothing would change: every column, CSV and XLSX, on both databases."""

import uuid
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as properties
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import Mode, NumberImport, PhoneNumber, RowOutcome
from tests.factories import (
    CallingProfileFactory,
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    SBCFactory,
    SipConnectionFactory,
    UserFactory,
    grant,
)
from tests.numbers.imports import checked

pytestmark = pytest.mark.django_db


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content[:300]
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def differing(batch: NumberImport) -> list[Any]:
    rows = batch.rows.exclude(outcome=RowOutcome.UNCHANGED)
    return list(rows.values_list("e164", "outcome", "changes", "problems"))


def awkward() -> list[PhoneNumber]:
    """Numbers with all that a spreadsheet, a separator or a language might trip over."""
    customer = CustomerFactory(full_name='=Müller & Söhne, "Gmbh"; 東京', ms_company_name="+Acme")
    twin = CustomerFactory(full_name="Twin")
    CustomerFactory(full_name="Twin")
    profile = CallingProfileFactory(name="-Main, EMEA")
    SipConnectionFactory(customer=customer, calling_profile=profile, sbc=SBCFactory(name="@sbc"))
    address = CivicAddressFactory(customer=customer, country="GB", street_name="=Street", city='O\'Hara, "X"')
    location = LocationFactory(civic_address=address, description="+3rd floor; room 1")
    bare = CivicAddressFactory(customer=twin, country="DE", default_location_id=None)
    values: list[dict[str, Any]] = [
        {"note": "=1+1", "tags": ["a;b", " padded ", '"quoted"', "plain"]},
        {"note": "'=already guarded", "tags": ["-"]},
        {"note": "-", "tags": ["x"]},
        {"note": 'two\nlines\r\nand, "quotes"; tab\there', "location": location, "civic_address": address},
        {"note": "  outer blanks  ", "source": Source.WEB_API, "tn_upload_job_id": uuid.uuid4()},
        {"usage": "CallingUserAssignment", "additional_usages": ["ConferenceAssignment", "FirstPartyAppAssignment"]},
        {"acquired_capabilities": ["TollFree", "InboundCalling"], "displayed_country_code": "US"},
        {"assignment_status": None, "acquired_on": None, "available_capabilities": None, "iso_country_code": ""},
        {"allow_tenant_address_update": True, "assignment_status": "FutureWord", "status_reason": "@reason"},
        {"customer": twin, "civic_address": bare, "allow_tenant_address_update": False, "calling_profile": None},
        *({"status": status} for status in Status),
    ]
    return [
        PhoneNumberFactory(e164=f"+4420794605{place:02d}", **({"customer": customer, "calling_profile": profile} | one))
        for place, one in enumerate(values)
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("which", ["screen", "all"])
@pytest.mark.parametrize("mode", [Mode.UPSERT, Mode.UPDATE])
def test_an_export_imports_unchanged(form: str, which: str, mode: str, alice: User, alice_client: Client) -> None:
    numbers = awkward()
    content = body(alice_client.get(f"/numbers/export/?format={form}&which={which}"))
    batch = checked(content, alice, mode=mode, name=f"numbers.{form}")
    assert differing(batch) == []
    assert batch.counts == {"unchanged": len(numbers)}
    assert batch.shape == "own"
    assert batch.notes == {}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_compares_equal(form: str, alice: User, alice_client: Client) -> None:
    numbers = awkward()
    content = body(alice_client.get(f"/numbers/export/?format={form}&which=all"))
    batch = checked(content, alice, mode=Mode.COMPARE, name=f"numbers.{form}")
    assert differing(batch) == []
    assert batch.counts == {"unchanged": len(numbers)}


def test_the_emergency_tab_imports_unchanged_too(alice: User, alice_client: Client) -> None:
    awkward()
    content = body(alice_client.get("/numbers/export/?format=csv&which=all&tab=emergency"))
    assert differing(checked(content, alice)) == []


def test_a_person_of_one_customer_imports_what_they_exported(alice: User) -> None:
    numbers = awkward()
    person = grant(UserFactory(), Role.LITE_OPERATOR, customer=numbers[0].customer)
    client = Client()
    client.force_login(person)
    batch = checked(body(client.get("/numbers/export/?format=csv&which=all")), person)
    assert differing(batch) == []
    assert batch.counts["unchanged"] == sum(number.customer_id == numbers[0].customer_id for number in numbers)


class AnyText(TestCase):
    """Whatever people write into notes and tags."""

    @properties(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.tuples(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60),
                st.lists(
                    st.text(
                        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
                    ),
                    max_size=4,
                    unique=True,
                ),
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_any_note_and_tags_come_back(self, texts: list[tuple[str, list[str]]]) -> None:
        user = grant(UserFactory(), Role.ADMIN)
        client = Client()
        client.force_login(user)
        for place, (note, tags) in enumerate(texts):
            PhoneNumberFactory(e164=f"+4420794605{place:02d}", note=note, tags=tags)
        batch = checked(body(client.get("/numbers/export/?format=csv&which=all")), user, mode=Mode.UPDATE)
        assert differing(batch) == []
