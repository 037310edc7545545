"""Location updates by the operator (upstreams.md 9.3 and 9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import iso
from ..exchange import Json
from ..numbers import revised
from ..seeds.records import is_toll_free
from ..tenants import known_tenant
from . import codes
from .kinds import (
    Codes,
    Kind,
    address_problem,
    check_common,
    invalid,
    location,
    own_numbers,
    telephone_numbers,
)
from .tables import Job

if TYPE_CHECKING:
    from ..world import World


class LocationUpdate(Kind):
    """The civic address follows from the location; null takes both away."""

    path, name = "location-updates", "LocationUpdate"

    def check(self, world: World, body: Json) -> list[str]:
        """404 for a location the tenant does not have; 400 when nothing is to change."""
        tenant = known_tenant(world, body.get("tenantId"))
        check_common(body)
        texts = telephone_numbers(body)
        if not {"locationId", "allowTenantAddressUpdate"} & set(body):
            raise invalid("Give locationId (null takes it away) or allowTenantAddressUpdate.")
        if not isinstance(body.get("allowTenantAddressUpdate", False), bool):
            raise invalid("allowTenantAddressUpdate is true or false.")
        if body.get("locationId") is not None:
            location(world, tenant["tenantId"], body["locationId"])
        return texts

    def judge(self, world: World, job: Job, texts: list[str], busy: set[str]) -> Codes:
        """Toll-free numbers have no emergency location; the rest is about the address (F18)."""
        known, verdicts = own_numbers(world, job.tenant_id, texts, busy, 0)
        wanted = job.request.get("locationId")
        if "locationId" not in job.request:
            return verdicts
        address = location(world, job.tenant_id, wanted) if wanted is not None else None
        for text, code in verdicts.items():
            if code is None and is_toll_free(text):
                verdicts[text] = codes.LOCATION_UPDATE_NOT_SUPPORTED
            elif code is None and address is not None:
                verdicts[text] = address_problem(address, known[text]["isoCountryCode"])
        return verdicts

    def finish(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The location and, with it, the civic address change."""
        request = job.request
        values: Json = {}
        if "locationId" in request:
            values = place(world, job.tenant_id, request["locationId"])
        if "allowTenantAddressUpdate" in request:
            values["allowTenantAddressUpdate"] = request["allowTenantAddressUpdate"]
        numbers = world.numbers.get_many(texts).values()
        world.numbers.put(revised(number, iso(at), **values) for number in numbers)


def place(world: World, tenant_id: str, location_id: str | None) -> Json:
    """The two fields of a number's location; None clears both."""
    address = location(world, tenant_id, location_id) if location_id is not None else None
    return {"locationId": location_id, "civicAddressId": address["id"] if address else None}
