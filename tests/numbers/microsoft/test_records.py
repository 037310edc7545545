"""Reading Microsoft's records: what is tolerated, what is put right, what is refused and how that is said."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocadmin.numbers.microsoft import errors
from ocadmin.numbers.microsoft.errors import UnreadableRecord
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.microsoft.records import parse_number

from .conftest import Microsoft

TENANT = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
ZERO = "00000000-0000-0000-0000-000000000000"


def record(**changes: Any) -> dict[str, Any]:
    return {"telephoneNumber": "+442074996300", "tenantId": TENANT, **changes}


def test_the_least_a_record_may_hold() -> None:
    number = parse_number(record())
    assert (number.e164, number.tenant_id) == ("+442074996300", uuid.UUID(TENANT))
    assert number.upstream_status is number.calling_profile_id is number.assignment_status is None
    assert number.acquired_capabilities == []
    assert number.available_capabilities is None
    assert number.acquired_on is None
    assert number.allow_tenant_address_update is None


@pytest.mark.parametrize(
    ("field", "given", "name", "expected"),
    [
        ("isoCountryCode", "UK", "iso_country_code", "GB"),
        ("isoCountryCode", "gb", "iso_country_code", "GB"),
        ("displayedCountryCode", "UK", "displayed_country_code", "GB"),
        ("locationId", ZERO, "location_id", None),
        ("civicAddressId", ZERO, "civic_address_id", None),
        ("locationId", TENANT.upper(), "location_id", uuid.UUID(TENANT)),
        ("tnUploadJobId", "", "tn_upload_job_id", None),
        ("assignmentStatus", "voiceApplicationAssigned", "assignment_status", "VoiceApp"),
        ("assignmentStatus", "FutureThing", "assignment_status", "FutureThing"),
        ("assignmentStatus", None, "assignment_status", None),
        ("activationState", "SomethingNew", "activation_state", "SomethingNew"),
        ("acquiredNumberStatus", 9, "upstream_status", 9),
        ("acquiredCapabilities", ["Unheard", "Of"], "acquired_capabilities", ["Unheard", "Of"]),
        ("additionalUsages", ["A"], "additional_usages", ("A",)),
        ("availableCapabilities", [], "available_capabilities", []),
        ("somethingElse", {"a": [1]}, "usage", ""),
        ("acquiredOn", "2026-02-16T16:17:41Z", "acquired_on", datetime(2026, 2, 16, 16, 17, 41, tzinfo=UTC)),
        (
            "acquiredOn",
            "2026-02-16T18:17:41.1234567+02:00",
            "acquired_on",
            datetime(2026, 2, 16, 16, 17, 41, 123456, tzinfo=UTC),
        ),
        ("acquiredOn", "2026-02-16T16:17:41", "acquired_on", datetime(2026, 2, 16, 16, 17, 41, tzinfo=UTC)),
        ("acquiredOn", "0001-01-01T00:00:00Z", "acquired_on", None),
    ],
)
def test_tolerated_and_put_right(field: str, given: object, name: str, expected: object) -> None:
    value = getattr(parse_number(record(**{field: given})), name)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("telephoneNumber", None),
        ("telephoneNumber", "442074996300"),
        ("telephoneNumber", "+44 20 7499 6300"),
        ("telephoneNumber", "+0123456"),
        ("telephoneNumber", "+1234567890123456"),
        ("telephoneNumber", "+٤٤٢٠٧٤٩٩٦٣٠٠"),
        ("telephoneNumber", "+442074996300\n"),
        ("telephoneNumber", 442074996300),
        ("tenantId", None),
        ("tenantId", ZERO),
        ("tenantId", "not a guid"),
        ("callingProfileId", 7),
        ("acquiredNumberStatus", "Active"),
        ("acquiredNumberStatus", True),
        ("acquiredNumberStatus", -1),
        ("acquiredNumberStatus", 10**9),
        ("isoCountryCode", "GREATBRITAIN"),
        ("assignmentStatus", "x" * 65),
        ("assignmentTargetId", "x" * 65),
        ("activationState", "x" * 65),
        ("activationState", "a\x00b"),
        ("usage", "\ud800"),
        ("usage", {}),
        ("acquiredCapabilities", "Geographic"),
        ("acquiredCapabilities", [1]),
        ("acquiredCapabilities", ["a\x00"]),
        ("availableCapabilities", {}),
        ("acquiredOn", "yesterday"),
        ("acquiredOn", 5),
        ("allowTenantAddressUpdate", "true"),
    ],
)
def test_one_bad_field_makes_the_record_unreadable(field: str, given: object) -> None:
    with pytest.raises(UnreadableRecord) as caught:
        parse_number(record(**{field: given}))
    assert field in caught.value.reason
    expected = given if field == "telephoneNumber" else "+442074996300"
    assert caught.value.telephone_number == (expected if isinstance(expected, str) else None)


def test_a_bad_record_in_a_short_list_names_field_and_record(microsoft: Microsoft) -> None:
    microsoft.answers = [httpx2.Response(200, json={"value": [{"callingProfileId": TENANT, "region": "EMEA"}]})]
    with pytest.raises(errors.BadAnswer, match=f"{TENANT}: name is missing"):
        list(OperatorConnect().calling_profiles())
    microsoft.answers = [httpx2.Response(200, json={"value": [{"status": "active"}]})]
    with pytest.raises(errors.BadAnswer, match="without tenantId: tenantId is missing"):
        list(OperatorConnect().consents())
    microsoft.answers = [httpx2.Response(200, json={"telephoneNumber": "+442074996300"})]
    with pytest.raises(errors.BadAnswer, match=r"\+442074996300: tenantId is missing"):
        OperatorConnect().number("+442074996300")


def test_an_address_as_plain_as_it_may_be(microsoft: Microsoft) -> None:
    value = {
        "id": TENANT,
        "country": "UK",
        "description": "x" * 500,
        "latitude": 51.5,
        "defaultLocationId": ZERO,
        "validationStatus": "SomethingNew",
        "locations": [{"id": TENANT, "additionalInfo": None, "elin": None, "isDefault": True}],
    }
    microsoft.answers = [httpx2.Response(200, json={"value": [value]})]
    (address,) = OperatorConnect().civic_addresses(TENANT)
    assert (address.country, address.latitude, address.longitude) == ("GB", "51.5", "")
    assert (len(address.description), address.description[-1]) == (200, "…")
    assert address.default_location_id is None
    assert address.validation_status == "SomethingNew"
    assert address.locations[0].is_default


def test_contacts_can_be_stored(microsoft: Microsoft) -> None:
    value = {"tenantId": TENANT, "contacts": [{"fullName": "A\x00B", "companyName": None}, {"companyName": "C"}]}
    microsoft.answers = [httpx2.Response(200, json={"value": [value]})]
    (consent,) = OperatorConnect().consents()
    assert consent.contacts[0]["fullName"] == "A�B"
    assert (consent.company_name, consent.status, consent.relationship_status) == ("C", "", "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "telephoneNumber",
    "tenantId",
    "acquiredNumberStatus",
    "isoCountryCode",
    "callingProfileId",
    "assignmentStatus",
    "additionalUsages",
    "acquiredCapabilities",
    "acquiredOn",
    "locationId",
    "allowTenantAddressUpdate",
    "displayedCountryCode",
)
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))])
TIMES = st.datetimes(timezones=ZONES).map(lambda moment: moment.isoformat())


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING | TIMES, max_size=4))
def test_no_record_brings_the_reader_down(changes: dict[str, Any]) -> None:
    try:
        number = parse_number(record(**changes))
    except UnreadableRecord as unreadable:
        f"{unreadable.reason} {unreadable.telephone_number}".encode()  # can be stored and shown
        return
    str(number).encode()
    assert number.acquired_on is None or number.acquired_on.tzinfo is UTC
