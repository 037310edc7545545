"""Location updates by the operator, and those of the customer through Graph."""

from __future__ import annotations

from typing import Any

import pytest

from .jobs import FREE, Jobs, upload

NOBODY = "00000000-1111-2222-3333-444444444444"
NOWHERE = "00000000-0000-0000-0000-000000000000"


def places(jobs: Jobs, country: str, validation: str = "validated") -> list[Any]:
    addresses = jobs.sim.oc(f"/tenants/{jobs.tenant}/civic-addresses").json["value"]
    return [
        location
        for one in addresses
        if (one["country"], one["validationStatus"]) == (country, validation)
        for location in one["locations"]
    ]


def test_path_of_a_number(jobs: Jobs) -> None:
    (text,) = jobs.some(isoCountryCode="GB", locationId=None)
    place = places(jobs, "GB")[1]
    more = {"locationId": place["id"], "allowTenantAddressUpdate": True}
    job_id = jobs.start("location-updates", telephoneNumbers=[text], **more)
    seen = []
    for seconds in (0, 2, 4.9, 0.1):
        jobs.advance(seconds)
        status = jobs.get("location-updates", job_id)["status"]
        seen.append((status, jobs.number(text)["locationId"]))
    assert seen == [
        ("Pending", None),
        ("InProgress", None),
        ("InProgress", None),
        ("Success", place["id"]),
    ]
    number = jobs.number(text)
    assert number["civicAddressId"] == place["civicAddressId"]
    assert number["allowTenantAddressUpdate"] is True
    jobs.run("location-updates", telephoneNumbers=[text], locationId=None)
    number = jobs.number(text)
    assert (number["locationId"], number["civicAddressId"]) == (None, None)
    jobs.run("location-updates", telephoneNumbers=[text], allowTenantAddressUpdate=False)
    assert jobs.number(text)["allowTenantAddressUpdate"] is False


def test_entries_that_fail(jobs: Jobs) -> None:
    """F18."""
    british = jobs.some(1, isoCountryCode="GB")[0]
    french = jobs.some(1, isoCountryCode="FR")[0]
    toll_free = jobs.some(displayedCountryCode="GB")[0]
    texts = [british, french, toll_free, FREE]
    place = places(jobs, "GB")[0]["id"]
    envelope = jobs.run("location-updates", telephoneNumbers=texts, locationId=place)
    assert envelope["status"] == "PartialSuccess"
    assert list(jobs.codes(envelope).values()) == [
        None,
        "CountryMismatch",
        "LocationUpdateNotSupported",
        "NumberNotOwned",
    ]
    raw = places(jobs, "GB", "notValidated")[0]["id"]
    envelope = jobs.run("location-updates", telephoneNumbers=[british], locationId=raw)
    assert (envelope["status"], jobs.codes(envelope)) == (
        "Error",
        {british: "AddressNotValidated"},
    )
    assert jobs.number(british)["locationId"] == place


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"locationId": NOBODY}, 404, "LocationNotFound"),
        ({}, 400, "InvalidRequest"),
        ({"allowTenantAddressUpdate": "yes"}, 400, "InvalidRequest"),
        ({"locationId": None, "tenantId": NOBODY}, 404, "TenantNotFound"),
        ({"locationId": None, "telephoneNumbers": []}, 400, "InvalidRequest"),
    ],
)
def test_refused_at_once(jobs: Jobs, body: dict[str, Any], status: int, code: str) -> None:
    answer = jobs.send("location-updates", **{"telephoneNumbers": ["+442079460000"], **body})
    assert (answer.status, answer.code) == (status, code)


def test_another_tenants_location_is_unknown(jobs: Jobs) -> None:
    place = places(jobs, "GB")[0]["id"]
    jobs.tenant = jobs.sim.tenant("Sauerland")
    answer = jobs.send("location-updates", telephoneNumbers=["+442079460000"], locationId=place)
    assert answer.code == "LocationNotFound"


def test_customers_update_is_seen_late(jobs: Jobs) -> None:
    """At once for the customer, after the lag for the operator."""
    (text,) = jobs.some(isoCountryCode="GB", locationId=None, allowTenantAddressUpdate=True)
    place = places(jobs, "GB")[1]
    answer = jobs.graph("updateNumber", text, locationId=place["id"], networkSiteId="site-1")
    assert (answer.status, answer.json["locationId"]) == (200, place["id"])
    seen = jobs.on_graph(text)
    assert (seen["locationId"], seen["civicAddressId"]) == (place["id"], place["civicAddressId"])
    assert seen["networkSiteId"] == "site-1"
    found = jobs.sim.graph(jobs.tenant, filter=f"locationId eq '{place['id']}'", top=1000).json
    assert text in [one["telephoneNumber"] for one in found["value"]]
    jobs.advance(9.9)
    assert jobs.number(text)["locationId"] is None
    jobs.advance(0.1)
    assert jobs.number(text)["locationId"] == place["id"]
    assert jobs.number(text)["civicAddressId"] == place["civicAddressId"]
    assert jobs.on_graph(text) == seen


def test_empty_clears_and_absent_keeps(jobs: Jobs) -> None:
    (text,) = jobs.some(isoCountryCode="GB", locationId=None, allowTenantAddressUpdate=True)
    place = places(jobs, "GB")[0]["id"]
    jobs.graph("updateNumber", text, locationId=place)
    for body in ({}, {"locationId": None}, {"networkSiteId": ""}):
        assert jobs.graph("updateNumber", text, **body).json["locationId"] == place
    jobs.advance(5)
    assert jobs.graph("updateNumber", text, locationId="").json["locationId"] == NOWHERE
    jobs.advance(6)
    assert jobs.number(text)["locationId"] is None
    jobs.advance(10)
    assert jobs.number(text)["locationId"] is None
    assert jobs.on_graph(text)["locationId"] == NOWHERE


def test_nothing_outlives_the_number(jobs: Jobs) -> None:
    (text,) = jobs.some(assignmentStatus="Unassigned", isoCountryCode="FR")
    assert jobs.graph("updateNumber", text, networkSiteId="site-1").status == 200
    jobs.run("releases", telephoneNumbers=[text])
    jobs.run("uploads", **upload(text))
    assert jobs.on_graph(text)["networkSiteId"] == NOWHERE


def test_customers_update_is_refused(jobs: Jobs) -> None:
    (fixed,) = jobs.some(isoCountryCode="GB", allowTenantAddressUpdate=False)
    (free,) = jobs.some(isoCountryCode="GB", allowTenantAddressUpdate=True)
    for text, place, status, code in (
        (fixed, places(jobs, "GB")[0]["id"], 400, "LocationUpdateNotSupported"),
        (free, places(jobs, "FR")[0]["id"], 400, "CountryMismatch"),
        (free, places(jobs, "GB", "notValidated")[0]["id"], 400, "AddressNotValidated"),
        (free, NOBODY, 404, "LocationNotFound"),
        (FREE, "", 404, "NumberNotFound"),
        ("+448718943000", "", 404, "NumberNotFound"),
    ):
        answer = jobs.graph("updateNumber", text, locationId=place)
        assert (answer.status, answer.code) == (status, code)
    for body in ({"locationId": 7}, {"reverseNumberLookupOptions": "x"}):
        assert jobs.graph("updateNumber", free, **body).code == "BadRequest"
