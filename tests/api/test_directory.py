"""GET /api/v2/oc/callingprofile and /api/v2/oc/lead."""

import uuid

import pytest

from ocadmin.access.permissions import Role
from tests.factories import (
    CallingProfileFactory,
    ChannelFactory,
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    SBCFactory,
    SipConnectionFactory,
    TrunkFactory,
)

from .conftest import Programs

pytestmark = pytest.mark.django_db


def test_a_calling_profile_has_all_documented_fields(program: Programs) -> None:
    sbc = SBCFactory(name="EMEA 1", fqdn="emea1.example.net", ip_address="192.0.2.7")
    profile = CallingProfileFactory(name="EMEA", offer_types=["Calling"], emergency_dial_strings=["112"], region="EMEA")
    TrunkFactory(profile=profile, fqdn="trunk1.example.net", sbc=sbc)
    TrunkFactory(profile=profile, fqdn="trunk2.example.net")
    assert program().get("v2/oc/callingprofile").json() == [
        {
            "additionalSbcList": [],
            "callingProfileId": str(profile.pk),
            "name": "EMEA",
            "enviroment": None,
            "region": "EMEA",
            "carrier": None,
            "offerTypes": [{"offerTypeName": "Calling", "testNumbers": []}],
            "emergencyDialStrings": ["112"],
            "isEmergencyProfile": False,
            "emergencyProfileId": None,
            "trunksEnrolled": [
                {
                    "trunkFqdn": "trunk1.example.net",
                    "trunkId": None,
                    "matchingSbcList": [
                        {"sbcId": sbc.pk, "fqdn": "emea1.example.net", "ipAddress": "192.0.2.7", "name": "EMEA 1"}
                    ],
                },
                {"trunkFqdn": "trunk2.example.net", "trunkId": None, "matchingSbcList": []},
            ],
            "validation": {},
        }
    ]


def test_profiles_that_a_client_sees(program: Programs) -> None:
    """Those of its numbers, and those it could upload numbers to."""
    number, link = PhoneNumberFactory(), SipConnectionFactory()
    CallingProfileFactory()
    for customer, profile in ((number.customer, number.calling_profile), (link.customer, link.calling_profile)):
        found = program(Role.MONITOR, customer=customer).get("v2/oc/callingprofile").json()
        assert [one["callingProfileId"] for one in found] == [str(profile.pk)]
    assert len(program().get("v2/oc/callingprofile").json()) == 3


def test_a_lead_with_its_addresses(program: Programs) -> None:
    customer = CustomerFactory(
        full_name="Harbourline",
        channel=ChannelFactory(ovoc_channel_id=7),
        contacts=[{"fullName": "Ann", "email": "ann@example.com", "telephoneNumber": "+44", "secret": "x"}],
    )
    address = CivicAddressFactory(customer=customer, city="London")
    location = LocationFactory(civic_address=address, is_default=True)
    (lead,) = program().get("v2/oc/lead", {"msTenantID": customer.tenant_id}).json()
    assert (lead["tenantId"], lead["status"], lead["isNotActive"]) == (str(customer.tenant_id), "Active", False)
    assert (lead["ovocChannelId"], lead["consentedCountries"]) == (7, ["GB"])
    assert lead["contactDetails"] == {
        "fullName": "Ann",
        "email": "ann@example.com",
        "phoneNumber": "+44",
        "companyName": None,
        "companySize": None,
    }
    assert "secret" not in str(lead)
    (found,) = lead["civicAddresses"]
    assert (found["id"], found["cityOrTown"], found["tenantId"]) == (str(address.pk), "London", str(customer.tenant_id))
    assert [one["id"] for one in found["locations"]] == [str(location.pk)]


def test_pages_of_leads(program: Programs) -> None:
    names = [f"Customer {n:02d}" for n in range(12)]
    for name in names:
        CivicAddressFactory(customer=CustomerFactory(full_name=name))
    caller = program()

    def page(**query: object) -> list[str]:
        rows = caller.get("v2/oc/lead", query).json()
        return [row["civicAddresses"][0]["tenantId"] and row["tenantId"] for row in rows]

    first, second = page(), page(page=2)
    assert (len(first), len(second)) == (10, 2)
    assert not set(first) & set(second)
    assert page(pageNumber=0) == page(PageNumber=1, checkOnline="true") == first
    assert page(PageSize=200) == first + second
    assert page(page=3) == []
    for query in ({"PageSize": 0}, {"PageSize": 20_001}, {"page": -1}, {"msTenantId": "x"}, {"checkOnline": "perhaps"}):
        assert caller.get("v2/oc/lead", query).status_code == 400, query


def test_leads_that_a_client_sees(program: Programs) -> None:
    mine, other = CustomerFactory(), CustomerFactory()
    caller = program(Role.MONITOR, customer=mine)
    assert [lead["tenantId"] for lead in caller.get("v2/oc/lead").json()] == [str(mine.tenant_id)]
    for tenant in (other.tenant_id, uuid.uuid4()):
        assert caller.get("v2/oc/lead", {"msTenantID": tenant}).status_code == 404
