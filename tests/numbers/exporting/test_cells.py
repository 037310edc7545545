"""What the database writes into a cell is, to the letter, what Python would."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from hypothesis import example, given
from hypothesis import settings as properties
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from ocadmin.console.spreadsheet import harmless, original
from ocadmin.numbers.exporting import columns, sql
from ocadmin.numbers.exporting.rows import Export
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import CivicAddress, Customer, PhoneNumber
from tests.factories import (
    CallingProfileFactory,
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    SipConnectionFactory,
)

# Texts as a database can hold them, many of them near the signs that matter.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
TRICKY = st.text(alphabet="'=+-@\t\r\n\x0b\x1c ;,|\"\\[]019aé\u00a0\u2028\u3000", max_size=12)


class Properties(TestCase):
    """One number, whose texts change."""

    number: PhoneNumber

    @classmethod
    def setUpTestData(cls) -> None:
        address = CivicAddressFactory(customer=CustomerFactory())
        cls.number = PhoneNumberFactory(customer=address.customer, civic_address=address)

    def cell(self, value: sql.Sql) -> str:
        return PhoneNumber.objects.annotate(cell=value).values_list("cell", flat=True).get()

    @properties(max_examples=150)
    @given(st.one_of(TEXT, TRICKY, st.from_regex(r"'?\+[0-9]{0,17}", fullmatch=True)))
    @example("+123456789012345")
    @example("+1234567890123456")
    @example("+12\n")
    @example("+\u0661\u0662")
    def test_the_guard_is_that_of_every_csv(self, text: str) -> None:
        PhoneNumber.objects.update(note=text)
        assert self.cell(sql.harmless(F("note"))) == harmless(text)

    @properties(max_examples=150)
    @given(st.lists(st.one_of(TEXT, TRICKY, st.just("-"), st.just("Geographic")), max_size=4))
    @example([", "])
    @example(["a", ", ", "b"])
    @example(["", ""])
    @example(["[x]", "y"])
    @example(["y", "[x]"])
    @example(["=1", "b"])
    @example(["+44", "b"])
    @example(["+44"])
    def test_words_can_be_read_back(self, words: list[str]) -> None:
        PhoneNumber.objects.update(tags=words)
        cell = self.cell(sql.words("tags"))
        assert (json.loads(cell) if cell.startswith("[") else cell.split(";") if cell else []) == words
        assert cell == sql.words_text(json.dumps(words))
        assert self.cell(sql.harmless_words("tags")) == harmless(cell)

    @properties(max_examples=100)
    @given(st.lists(st.one_of(TRICKY, st.sampled_from(["", " ", "N", "High Street"])), min_size=9, max_size=9))
    def test_an_address_is_the_line_of_the_list(self, parts: list[str]) -> None:
        names = ("house_number", "house_number_suffix", "pre_directional", "street_name", "street_suffix")
        names += ("post_directional", "city", "state", "postal_code")
        CivicAddress.objects.update(**dict(zip(names, parts, strict=True)))
        line = CivicAddress.objects.get().one_line
        assert self.cell(sql.address("civic_address")) == line
        assert self.cell(sql.harmless_address("civic_address")) == harmless(line)


def cells(names: str = "", tab: str = "", *, guarded: bool = True) -> dict[str, str | None]:
    """Header to cell of the only number."""
    chosen = columns.TABS[tab]
    if names:
        chosen = columns.named(tab, names.split())
    export = Export(PhoneNumber.objects.order_by("e164"), chosen)
    (row,) = export.read(guarded=guarded)
    return dict(zip(export.header, row, strict=True))


def test_every_column_of_a_full_number(contoso: Customer) -> None:
    address = CivicAddressFactory(customer=contoso, street_name="High Street", postal_code="SW1A 1AA")
    location = LocationFactory(civic_address=address, description="", additional_info="Desk 4", elin="4420")
    profile = CallingProfileFactory(name="Gold")
    SipConnectionFactory(customer=contoso, calling_profile=profile, name="IP group 7")
    SipConnectionFactory(customer=contoso, calling_profile=profile, sbc__name="Amsterdam")
    job, at = uuid.uuid4(), datetime(2026, 1, 2, 3, 4, 5, 120000, tzinfo=UTC)
    PhoneNumberFactory(
        e164="+442079460958",
        customer=contoso,
        calling_profile=profile,
        civic_address=address,
        location=location,
        tn_upload_job_id=job,
        acquired_on=at,
        status_changed_at=at + timedelta(milliseconds=880),
        when_created=at,
        aslcht=at,
        aslv_code=200,
        allow_tenant_address_update=False,
        additional_usages=["ConferenceAssignment"],
        available_capabilities=None,
        status=Status.PENDING_FIRST_SYNC,
        note="=1+1",
        tags=["vip", "a,b"],
        usage="CallingUserAssignment",
    )
    assert cells() == {
        "telephoneNumber": "+442079460958",
        "customer": "Contoso",
        "country": "GB",
        "msTenantId": str(contoso.tenant_id),
        "emergencyAddress": "10 High Street, London, SW1A 1AA, GB",
        "sipConnection": "Amsterdam, IP group 7",
        "callingProfileId": str(profile.pk),
        "source": "webapi",
        "msJobId": str(job),
        "assignment": "Unassigned",
        "status": "PendingFirstSync",
        "acquiredOn": "2026-01-02T03:04:05.12Z",
        "callingProfile": "Gold",
        "usage": "CallingUserAssignment",
        "additionalUsage": "ConferenceAssignment",
        "capabilities": "Geographic;InboundCalling;OutboundCalling;UserAssignment",
        "availableCapabilities": None,
        "civicAddressId": str(address.pk),
        "locationId": str(location.pk),
        "location": "Desk 4",
        "elin": "4420",
        "validation": "validated",
        "allowTenantAddressUpdate": "false",
        "displayedCountry": None,
        "assignedTo": None,
        "activationState": None,
        "note": "'=1+1",
        "tags": '["vip", "a,b"]',
        "statusSince": "2026-01-02T03:04:06Z",
        "statusReason": None,
        "created": "2026-01-02T03:04:05.12Z",
        "lastCheck": "2026-01-02T03:04:05.12Z",
        "lastCheckCode": "200",
    }
    assert cells(guarded=False)["note"] == "=1+1"


def test_a_number_without_anything_has_empty_cells(db: None) -> None:
    PhoneNumberFactory(calling_profile=None, source="", assignment_status=None, acquired_on=None)
    empty = {name for name, cell in cells().items() if cell is None}
    assert {"emergencyAddress", "sipConnection", "callingProfileId", "source", "assignment", "acquiredOn"} <= empty
    assert {"locationId", "location", "elin", "validation", "allowTenantAddressUpdate", "tags"} <= empty


def test_the_names_of_connections_are_guarded_too(contoso: Customer) -> None:
    profile = CallingProfileFactory()
    SipConnectionFactory(customer=contoso, calling_profile=profile, name="@SUM(A1)")
    PhoneNumberFactory(customer=contoso, calling_profile=profile)
    assert cells("sipConnection") == {"sipConnection": "'@SUM(A1)"}
    assert original("'@SUM(A1)") == cells("sipConnection", guarded=False)["sipConnection"]


@pytest.mark.parametrize("tab", list(columns.TABS))
def test_the_number_leads_and_no_header_stands_twice(tab: str) -> None:
    names = [column.name for column in columns.TABS[tab]]
    assert names[0] == "telephoneNumber"
    assert len(set(names)) == len(names)
