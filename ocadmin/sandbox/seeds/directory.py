"""The fixed cast of every world: operator, customers, SBCs, calling profiles, addresses.

Names and addresses are made up; host names end in ``.example`` and IP addresses are from the ranges
kept for documentation.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from ..sbc.devices import slug
from .places import PLACES, Place

OPERATOR_ID = "7a4e2c1d-6b0f-4f0a-9c53-2d1e8a90b6f4"
DIRECTORY_TENANT_ID = "0d1f6a52-3c7b-4e8e-8a64-5b9f3c2e7d10"
EXAMPLE_PROFILE = "ab86ef82-ce9e-4ead-befb-4aa954b64872"
EMEA_PROFILE = "3f0c9f4e-52a7-4c0b-9a51-7d6a1be0c8e2"
NOAM_PROFILE = "91d7b3aa-0e64-4f5d-8c1f-46b2f5a7d903"
APAC_PROFILE = "c5e82f17-7b3d-4a96-b1d4-0f9e6c3a2b58"

_NAMESPACE = uuid.UUID("5d3b1d0e-8f4f-4b3e-9d6a-2c7e1f0a9b84")


def fixed_id(*words: object) -> str:
    """A GUID that is always the same for the same words."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(str(word) for word in words)))


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer; ``countries`` are those it consented to, spelled as Microsoft sends them."""

    key: str
    tenant_id: str
    name: str
    full_name: str
    ump_guid: str
    countries: tuple[str, ...]
    contact: str
    company_size: str
    consented_on: str
    consent_status: str = "active"
    relationship: str = "AgreementSigned"
    graph_connected: bool = True
    # Made by the operator from the tenant's id, without a date (live-platform.md 7.2).
    consentless: bool = False
    # The reseller it came through, as the former platform counts them; 0: none.
    channel: int = 0


def _tenant(key: str, name: str, *rest: Any, **options: Any) -> Tenant:
    return Tenant(key, fixed_id("tenant", key), name, name, fixed_id("ump", key), *rest, **options)


# "UK" for one customer is deliberate: Microsoft's own example has it (upstreams.md 1.2).
TENANTS = (
    Tenant(
        "example",
        "3bc57cac-5794-457f-ad36-2c88cade9dbb",
        "MSFT",
        "BradOCDev",
        "82686da4-980d-4eef-8c00-cfe918d954d4",
        ("GB", "US"),
        "Brad Sutton",
        "L1_U249",
        "2025-11-03T08:12:44Z",
        consentless=True,
    ),
    _tenant(
        "harbourline",
        "Harbourline Logistics Ltd",
        ("GB", "FR", "US"),
        "Priya Nair",
        "L250_U999",
        "2024-03-11T10:05:12Z",
        channel=7,
    ),
    _tenant(
        "sauerland",
        "Sauerland Präzisionstechnik GmbH",
        ("DE", "IL", "GB"),
        "Jörg Möller",
        "L250_U999",
        "2024-06-18T13:41:03Z",
        channel=7,
    ),
    _tenant(
        "kestrel",
        "Kestrel & Vane Insurance",
        ("UK", "US"),
        "Imogen Vane",
        "L1_U249",
        "2026-02-12T16:22:30Z",
        relationship="ConsentAcknowledged",
    ),
    _tenant(
        "brightwater",
        "Brightwater Media Group, Inc.",
        ("US",),
        "Marcus O'Dell",
        "L1000_U4999",
        "2023-09-27T19:55:48Z",
        consent_status="suspended",
    ),
    _tenant(
        "southerncross",
        "Southern Cross Clinics Pty Ltd",
        ("AU", "IL"),
        "Hannah Liu",
        "L250_U999",
        "2025-01-22T02:30:19Z",
        graph_connected=False,
        channel=21,
    ),
)
BY_KEY = {tenant.key: tenant for tenant in TENANTS}


@dataclass(frozen=True, slots=True)
class Sbc:
    """A session border controller."""

    id: int
    name: str
    fqdn: str
    ip: str
    product: str
    online: bool = True
    booleans_as_text: bool = False

    def brief(self) -> dict[str, Any]:
        """As a trunk names it (live-platform.md 3.8)."""
        return {"sbcId": self.id, "fqdn": self.fqdn, "ipAddress": self.ip, "name": self.name}


SBCS = (
    Sbc(11, "US SP1 SBC", "sbc1.us.operator.example", "192.0.2.11", "Mediant VE SBC"),
    Sbc(
        12,
        "EMEA SP1 SBC",
        "sbc1.emea.operator.example",
        "198.51.100.12",
        "Mediant 4000 SBC",
        booleans_as_text=True,
    ),
    Sbc(14, "APAC SP1 SBC", "sbc1.apac.operator.example", "203.0.113.14", "Mediant VE SBC", False),
)
_SBC_BY_ID = {sbc.id: sbc for sbc in SBCS}

# id, name, region, carrier, emergency numbers, (SBC of each trunk)
PROFILES = (
    (EXAMPLE_PROFILE, "SP1 Global Calling", "GB", "SP1", ("112", "999", "911"), (11, 11)),
    (EMEA_PROFILE, "SP1 EMEA Calling", "EMEA", "SP1 EMEA", ("112", "999", "110"), (12, 11)),
    (NOAM_PROFILE, "SP1 North America Calling", "NOAM", "SP1 US", ("911", "933"), (11, 12)),
    (APAC_PROFILE, "SP1 APAC Calling", "APAC", "SP1 APAC", ("000", "112"), (14, 12)),
)


def profile_sbcs(profile_id: str) -> list[dict[str, Any]]:
    """``sbcList`` of the V3 contract: every SBC behind a profile's trunks, once."""
    ids = next(row[5] for row in PROFILES if row[0] == profile_id)
    return [{"sbcName": _SBC_BY_ID[one].name, "sbcId": one} for one in dict.fromkeys(ids)]


def trunk_on(profile_id: str, sbc_id: int) -> str:
    """FQDN of a profile's trunk that ends on this SBC, the first one where there are several."""
    _, _, region, _, _, ids = next(row for row in PROFILES if row[0] == profile_id)
    return _trunk_fqdn(region, ids.index(sbc_id) + 1, sbc_id)


def _trunk_fqdn(region: str, place: int, sbc_id: int) -> str:
    return f"trunk{place}.{region.lower()}.{_SBC_BY_ID[sbc_id].fqdn}"


def documents() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Everything above as the objects the mounts serve: kind -> [(id, object)]."""
    return {
        "tenant": [(tenant.tenant_id, _tenant_document(tenant)) for tenant in TENANTS],
        "profile": [(row[0], _profile_document(row)) for row in PROFILES],
        "address": [(address["id"], address) for address in addresses()],
        "sbc": [(str(sbc.id), _sbc_document(sbc)) for sbc in SBCS],
    }


def _tenant_document(tenant: Tenant) -> dict[str, Any]:
    return {
        "tenantId": tenant.tenant_id,
        "name": tenant.name,
        "graphConnected": tenant.graph_connected,
        "consent": _consent(tenant),
        "usages": usages(third_party=tenant.key not in ("example", "kestrel")),
    }


def _consent(tenant: Tenant) -> dict[str, Any]:
    """Consent as the operator's side shows it (upstreams.md 1.2)."""
    mail = tenant.contact.lower().replace(" ", ".").replace("'", "").replace("ö", "oe")
    contact = {
        "fullName": tenant.contact,
        "email": f"{mail}@{tenant.key}.example",
        "telephoneNumber": None,
        "companyName": tenant.name,
        "companySize": tenant.company_size,
    }
    changed = {"lastModifiedOn": tenant.consented_on, "comment": None}
    return {
        "id": fixed_id("consent", tenant.key),
        "tenantId": tenant.tenant_id,
        "accountName": tenant.key,
        "productContext": "teams",
        "operatorId": OPERATOR_ID,
        "status": tenant.consent_status,
        "consentedOn": None if tenant.consentless else tenant.consented_on,
        "lastModifiedOn": tenant.consented_on,
        "consentedCountries": list(tenant.countries),
        "contacts": [contact],
        "customerRelationship": {"status": tenant.relationship, **changed},
        "ticketId": None,
    }


def usages(third_party: bool) -> list[dict[str, Any]]:
    """Capability plans (upstreams.md 1.2 and 9.2; matrix of live-platform.md 5.2).

    Applications of third parties only where the customer supports them (live-platform.md 5.1).
    """

    def plan(name: str, usage: str, offer: str, needed: str, toll_free: bool) -> dict[str, Any]:
        return {
            "name": name,
            "usage": usage,
            "offerTypes": [offer],
            "mandatoryCapabilities": ["Office365", needed],
            "choosableCapabilities": ["InboundCalling", "OutboundCalling", "Mobile"],
            "supportsTollFree": toll_free,
        }

    conference = {
        **plan("Conferencing", "ConferenceAssignment", "", "ConferenceAssignment", True),
        "offerTypes": ["AudioConferencing"],
        "choosableCapabilities": ["InboundCalling", "OutboundCalling"],
    }
    first, third = "FirstPartyAppAssignment", "ThirdPartyAppAssignment"
    plans = [
        plan("Calling for users", "CallingUserAssignment", "Calling", "UserAssignment", False),
        plan("Calling for applications", first, "Calling", first, True),
        conference,
    ]
    if third_party:
        plans.append(plan("Calling for partner applications", third, "Calling", third, False))
    return plans


def _profile_document(row: tuple[Any, ...]) -> dict[str, Any]:
    profile_id, name, region, carrier, emergency, sbc_ids = row
    trunks = [
        {
            "trunkFqdn": _trunk_fqdn(region, place, sbc_id),
            "trunkId": fixed_id("trunk", name, place),
            "matchingSbcList": [_SBC_BY_ID[sbc_id].brief()],
        }
        for place, sbc_id in enumerate(sbc_ids, start=1)
    ]
    return {
        "callingProfileId": profile_id,
        "name": name,
        "region": region,
        "carrier": carrier,
        "offerTypes": [
            {"offerTypeName": "Calling", "testNumbers": []},
            {"offerTypeName": "AudioConferencing", "testNumbers": []},
        ],
        "emergencyDialStrings": list(emergency),
        "isEmergencyProfile": False,
        "emergencyProfileId": None,
        "trunksEnrolled": trunks,
        "validation": {"Calling": "NotStarted"},
    }


def _sbc_document(sbc: Sbc) -> dict[str, Any]:
    return {
        "id": sbc.id,
        "name": sbc.name,
        "slug": slug(sbc.name),
        "fqdn": sbc.fqdn,
        "ipAddress": sbc.ip,
        "online": sbc.online,
        "productType": sbc.product,
        "versionID": "7.40A.500.357",
        "highAvailability": "Operational" if sbc.booleans_as_text else "Not Operational",
        "serialNumber": str(5_200_000 + sbc.id * 7919),
        "macAddress": f"00908f{sbc.id * 65_537:06x}",
        "saveNeeded": False,
        "booleansAsText": sbc.booleans_as_text,
        "startedAt": 1_767_225_600,
    }


def addresses() -> list[dict[str, Any]]:
    """Civic addresses with their locations; the first location is the default one."""
    return [civic_address(place) for place in PLACES]


def civic_address(place: Place) -> dict[str, Any]:
    """One civic address in the shape of upstreams.md 1.2."""
    tenant = BY_KEY[place.tenant]
    address_id = fixed_id("address", place.tenant, place.street, place.house, place.city)
    locations = [
        {
            "id": fixed_id("location", address_id, index),
            "civicAddressId": address_id,
            "description": text,
            "additionalInfo": None if index == 0 else text,
            "isDefault": index == 0,
            "elin": None,
        }
        for index, text in enumerate(place.rooms)
    ]
    return {
        "id": address_id,
        "country": place.country,
        "houseNumber": place.house,
        "houseNumberSuffix": None,
        "preDirectional": None,
        "streetName": place.street,
        "streetSuffix": place.suffix,
        "postDirectional": None,
        "stateOrProvince": place.state,
        "countyOrDistrict": None,
        "cityOrTown": place.city,
        "cityOrTownAlias": None,
        "postalOrZipCode": place.postal_code,
        "description": place.name,
        "companyName": tenant.name,
        "companyId": None,
        "defaultLocationId": locations[0]["id"],
        "validationStatus": place.validation,
        "tenantId": tenant.tenant_id,
        "partnerId": OPERATOR_ID,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "locations": locations,
    }


def usable_locations(tenant: Tenant, country: str) -> list[tuple[str, str]]:
    """(location, civic address) pairs a number of this customer and country may have."""
    return [
        (location["id"], address["id"])
        for address in addresses()
        for location in address["locations"]
        if address["tenantId"] == tenant.tenant_id
        and address["country"] == country
        and address["validationStatus"] != "invalid"
    ]
