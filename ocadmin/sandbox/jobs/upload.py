"""Uploads: numbers become a customer's (upstreams.md 9.3 and 9.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..clock import iso
from ..exchange import Json, Refusal
from ..numbers import revised
from ..seeds.records import CALLS, USAGES, capabilities, is_toll_free, oc_number, pending
from ..tenants import known_tenant
from . import codes
from .kinds import (
    Codes,
    Kind,
    address_problem,
    calling_country,
    check_common,
    detail,
    invalid,
    location,
    same_country,
    telephone_numbers,
)
from .tables import Job

if TYPE_CHECKING:
    from ..world import World

USER = "CallingUserAssignment"
_ASSIGNMENTS = {usage: assignment for assignment, (usage, _) in USAGES.items()}


class Upload(Kind):
    """A successful number is pending (4) until the lag has passed, then active (0)."""

    path, name = "uploads", "Upload"
    settles = True

    def check(self, world: World, body: Json) -> list[str]:
        """Refusals of the table in upstreams.md 9.3, in the order of their cost to the caller."""
        tenant = known_tenant(world, body.get("tenantId"))
        check_common(body)
        texts = telephone_numbers(body)
        _check_profile(world, body.get("callingProfileId"))
        plan = _plan(tenant, body, texts)
        _check_displayed_country(body, texts)
        _check_capabilities(plan, body.get("capabilities"))
        _check_address(world, tenant, body)
        _check_consent(tenant, body, texts)
        return texts

    def judge(self, world: World, job: Job, texts: list[str], busy: set[str]) -> Codes:
        """A number may be new only; magic endings fail as they say."""
        known = world.numbers.get_many(texts)
        address = _address(world, job.tenant_id, job.request)
        magic = world.job_settings.get("magicSuffixes") and job.status == "InProgress"
        verdicts: Codes = {}
        for text in texts:
            code = _owner_problem(known.get(text), job.tenant_id)
            if code is None and text in busy:
                code = codes.OPERATION_IN_PROGRESS
            if code is None and magic:
                code = codes.MAGIC_SUFFIXES.get(text[-2:])
            country = country_of(text, job.request)
            if code is None and country is None:
                code = codes.UNKNOWN_COUNTRY
            if code is None and address is not None:
                code = address_problem(address, country)
            verdicts[text] = code
        return verdicts

    def finish(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """The numbers appear, not yet synchronised."""
        world.numbers.put(_uploaded(world, job, text, at) for text in texts)

    def settle(self, world: World, job: Job, texts: list[str], at: float) -> None:
        """First synchronisation: Microsoft adds its own capabilities (upstreams.md 1.5)."""
        known = world.numbers.get_many(texts).values()
        waiting = [
            one
            for one in known
            if one["acquiredNumberStatus"] == 4 and one["tnUploadJobId"] == job.id
        ]
        world.numbers.put(_synchronised(number, iso(at)) for number in waiting)


def country_of(text: str, request: Json) -> str | None:
    """The displayed country of a toll-free number, else the calling code's; None when unknown."""
    shown = request.get("displayedCountryCode")
    if isinstance(shown, str) and is_toll_free(text):
        return same_country(shown)
    return calling_country(text)


def _owner_problem(number: Json | None, tenant_id: str) -> str | None:
    if number is None:
        return None
    if number["tenantId"] != tenant_id:
        return codes.OWNED_BY_ANOTHER
    active = number["acquiredNumberStatus"] in (0, 4)
    return codes.NUMBER_ALREADY_ACQUIRED if active else codes.OPERATION_IN_PROGRESS


def _check_profile(world: World, profile_id: Any) -> None:
    if not isinstance(profile_id, str) or profile_id not in world.store.documents("profile"):
        text = f"There is no calling profile '{profile_id}'."
        raise Refusal(404, "CallingProfileNotFound", text)


def _plan(tenant: Json, body: Json, texts: list[str]) -> Json:
    """The plan of the usage; no usage beyond the tenant's plans, none for users if toll-free."""
    plans: dict[Any, Json] = {plan["usage"]: plan for plan in tenant["usages"]}
    usage, more = body.get("usage"), body.get("additionalUsages") or []
    if not isinstance(more, list) or not all(isinstance(one, str) for one in [usage, *more]):
        raise Refusal(400, "InvalidUsage", "usage and additionalUsages are names of usages.")
    wrong = [one for one in [usage, *more] if one not in plans or more.count(usage)]
    if wrong:
        raise Refusal(400, "InvalidUsage", f"Not possible: {', '.join(map(str, wrong))}.")
    plan = plans[usage]
    toll_free = [] if plan["supportsTollFree"] else [one for one in texts if is_toll_free(one)]
    if toll_free:
        text = f"Toll-free numbers cannot be used for {usage}."
        details = [detail("InvalidUsage", one, text) for one in toll_free]
        raise Refusal(400, "InvalidUsage", text, details)
    return plan


def _check_displayed_country(body: Json, texts: list[str]) -> None:
    """North American toll-free numbers do not say where they are (upstreams.md 1.2)."""
    shown = body.get("displayedCountryCode")
    if shown is not None and not isinstance(shown, str):
        raise invalid("displayedCountryCode must be a text.")
    nowhere = [one for one in texts if one.startswith("+1") and is_toll_free(one)]
    if nowhere and not shown:
        text = "North American toll-free numbers need a displayedCountryCode."
        details = [detail("DisplayedCountryCodeRequired", one, text) for one in nowhere]
        raise Refusal(400, "DisplayedCountryCodeRequired", text, details)


def _check_capabilities(plan: Json, wanted: Any) -> None:
    if wanted is None:
        return
    allowed = [*plan["choosableCapabilities"], *plan["mandatoryCapabilities"]]
    wrong = [one for one in wanted if one not in allowed] if isinstance(wanted, list) else [wanted]
    if wrong:
        text = f"The usage {plan['usage']} has no choice of: {', '.join(map(str, wrong))}."
        raise Refusal(400, "CapabilityNotChoosable", text)


def _check_address(world: World, tenant: Json, body: Json) -> None:
    """One of location and civic address; one of them if the customer may not choose later."""
    allowed = body.get("allowTenantAddressUpdate", False)
    if not isinstance(allowed, bool):
        raise invalid("allowTenantAddressUpdate is true or false.")
    if body.get("locationId") and body.get("civicAddressId"):
        text = "Give locationId or civicAddressId, not both."
        raise Refusal(400, "LocationAndCivicAddressBothSet", text)
    address = _address(world, tenant["tenantId"], body)
    if address is None and not allowed and body.get("usage") == USER:
        text = "Numbers for users need an address, or the customer must be allowed to choose one."
        raise Refusal(400, "AddressRequired", text)


def _address(world: World, tenant_id: str, request: Json) -> Json | None:
    """The civic address a request names, None when it names none; 404 when there is none such."""
    if request.get("locationId"):
        return location(world, tenant_id, request["locationId"])
    wanted = request.get("civicAddressId")
    if not wanted:
        return None
    known = world.store.documents("address")
    address: Json | None = known.get(wanted) if isinstance(wanted, str) else None
    if address is None or address["tenantId"] != tenant_id:
        raise Refusal(404, "CivicAddressNotFound", "The tenant has no such civic address.")
    return address


def _check_consent(tenant: Json, body: Json, texts: list[str]) -> None:
    """The consent must be active and cover the countries of all numbers (upstreams.md 9.7 F12)."""
    consent = tenant["consent"]
    if consent["status"] != "active":
        text = f"The consent of the tenant is {consent['status']}."
        raise Refusal(403, "ConsentNotActive", text)
    agreed = {same_country(one) for one in consent["consentedCountries"]}
    outside = {text: country_of(text, body) for text in texts}
    details = [
        detail("CountryNotConsented", text, f"No consent for {country}.")
        for text, country in outside.items()
        if country is not None and country not in agreed
    ]
    if details:
        text = "The tenant has not consented to the country of every number."
        raise Refusal(403, "CountryNotConsented", text, details)


def _uploaded(world: World, job: Job, text: str, at: float) -> Json:
    request = job.request
    usage = request["usage"]
    tenant = known_tenant(world, job.tenant_id)
    plans = {plan["usage"]: plan for plan in tenant["usages"]}
    wanted = request.get("capabilities")
    chosen = {*plans[usage]["mandatoryCapabilities"], *(CALLS if wanted is None else wanted)}
    # No additional usages means all that are supported (upstreams.md 1.3).
    others = request.get("additionalUsages")
    others = [one for one in plans if one != usage] if others is None else others
    address = _address(world, job.tenant_id, request)
    place = address and (request.get("locationId") or address["defaultLocationId"])
    number = oc_number(
        text,
        job.tenant_id,
        country_of(text, request) or "US",
        request["callingProfileId"],
        usage=usage,
        additionalUsages=others,
        acquiredNumberStatus=4,
        locationId=place,
        civicAddressId=address["id"] if address else None,
        allowTenantAddressUpdate=request.get("allowTenantAddressUpdate", False),
        displayedCountryCode=request.get("displayedCountryCode"),
        tnUploadJobId=job.id,
        lastModifiedOn=iso(at),
    )
    return {**pending(number), "acquiredCapabilities": sorted(chosen)}


def _synchronised(number: Json, stamp: str) -> Json:
    text = number["telephoneNumber"]
    toll_free = is_toll_free(text)
    assignment = _ASSIGNMENTS.get(number["usage"], "UserAssigned")
    available = capabilities(assignment, toll_free)[2]
    order = {one: place for place, one in enumerate(available)}
    requested = sorted(number["acquiredCapabilities"], key=lambda one: order.get(one, len(order)))
    return revised(
        number,
        stamp,
        acquiredNumberStatus=0,
        activationState="Activated",
        assignmentStatus="Unassigned",
        acquiredCapabilities=["TollFree" if toll_free else "Geographic", *requested],
        availableCapabilities=[*available, *(one for one in requested if one not in available)],
        acquiredOn=stamp,
    )
