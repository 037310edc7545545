"""Changes that come from outside the console: the customer's hand and the test's."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from .exchange import Json, Refusal, is_e164
from .jobs import late
from .numbers import NumberFilter, revised
from .seeds.directory import APAC_PROFILE, EMEA_PROFILE, EXAMPLE_PROFILE, NOAM_PROFILE, TENANTS
from .seeds.records import oc_number
from .tenants import known_tenant

if TYPE_CHECKING:
    from .world import World

EXAMPLE_TENANT = TENANTS[0].tenant_id
# Numbers that a page-shifting hook adds sort before all others.
SHIFT_FIRST = 1_201_200_0000
COUNTRIES = (("44", "GB"), ("49", "DE"), ("33", "FR"), ("61", "AU"), ("972", "IL"), ("1", "US"))
PROFILES = {"US": NOAM_PROFILE, "AU": APAC_PROFILE}
WHERE = {
    "tenantId",
    "acquiredNumberStatus",
    "isoCountryCode",
    "assignmentStatus",
    "startsWith",
    "limit",
    "nth",
}


def change_tenant(world: World, change: Json) -> None:
    """Merge ``name``, ``graphConnected``, ``consentStatus``, ``relationship``, ``countries``."""
    tenant = dict(known_tenant(world, change.get("tenantId")))
    consent = dict(tenant["consent"])
    for name, target, key in (
        ("name", tenant, "name"),
        ("graphConnected", tenant, "graphConnected"),
        ("consentStatus", consent, "status"),
        ("consentedCountries", consent, "consentedCountries"),
    ):
        if name in change:
            target[key] = change[name]
    if "customerRelationship" in change:
        relationship = {**consent["customerRelationship"], "status": change["customerRelationship"]}
        consent["customerRelationship"] = relationship
    consent["lastModifiedOn"] = world.clock.stamp()
    world.store.put("tenant", tenant["tenantId"], {**tenant, "consent": consent})


def touched(world: World, number: Json, **values: Any) -> Json:
    """The number as it is after a change made now."""
    return revised(number, world.clock.stamp(), **values)


def change_numbers(world: World, body: Json) -> Json:
    """Insert, replace and delete numbers at Microsoft.

    ``upsert`` holds Number fields; a known number keeps what is not given, a new one is active and
    unassigned unless said otherwise.  ``every`` is ``{"where": {...}, "set": {...}}``: the same
    change for all numbers that pass, with ``limit`` and ``nth`` (only each n-th one) to thin out.
    """
    changed = [_merged(world, fields) for fields in body.get("upsert") or []]
    every = body.get("every")
    with world.store.transaction():
        upserted = world.numbers.put(changed)
        matched = 0
        if every is not None:
            matched = world.numbers.put(_every(world, every))
        deleted = world.numbers.delete(body.get("delete") or [])
    return {"upserted": upserted, "changed": matched, "deleted": deleted}


def _merged(world: World, fields: Json) -> Json:
    text = fields.get("telephoneNumber") if isinstance(fields, dict) else None
    if not isinstance(text, str) or not is_e164(text):
        raise Refusal(400, "InvalidTelephoneNumber", f"'{text}' is not E.164.")
    late.settle_now(world, [text])
    known = world.numbers.get(text)
    base = known or _new_number(world, text, fields)
    known_tenant(world, fields.get("tenantId", base["tenantId"]))
    return touched(world, base, **fields)


def _new_number(world: World, text: str, fields: Json) -> Json:
    tenant_id = fields.get("tenantId", TENANTS[1].tenant_id)
    country = fields.get("isoCountryCode") or country_of(text)
    example = tenant_id == EXAMPLE_TENANT
    profile = EXAMPLE_PROFILE if example else PROFILES.get(country, EMEA_PROFILE)
    values = {
        key: fields[key] for key in ("assignmentStatus", "acquiredNumberStatus") if key in fields
    }
    acquired = {"acquiredOn": world.clock.stamp(), "etag": 'W/"0"'}
    return oc_number(text, tenant_id, country, profile, **acquired, **values)


def country_of(telephone_number: str) -> str:
    """Country by calling code, for the six countries of the sandbox; US when unknown."""
    digits = telephone_number[1:]
    return next((country for code, country in COUNTRIES if digits.startswith(code)), "US")


def _every(world: World, every: Json) -> list[Json]:
    where, values = every.get("where") or {}, every.get("set") or {}
    unknown = set(where) - WHERE
    if unknown or "telephoneNumber" in values:
        raise Refusal(400, "InvalidEvery", f"where may contain {', '.join(sorted(WHERE))}.")
    if "tenantId" in where:
        known_tenant(world, where["tenantId"])
    assignment = where.get("assignmentStatus")
    wanted = NumberFilter(
        tenant=world.store.tenant_index(where["tenantId"]) if "tenantId" in where else None,
        status=where.get("acquiredNumberStatus"),
        country=where.get("isoCountryCode"),
        assignments=(assignment,) if assignment else None,
        starts_with=where.get("startsWith"),
    )
    nth = max(1, int(where.get("nth", 1)))
    found = list(world.numbers.select(wanted))[::nth][: where.get("limit")]
    return [touched(world, number, **values) for number in found]


def shift(world: World, hook: Json, tenant_id: str | None) -> None:
    """``{"insert": n, "delete": [...] | n, "tenantId"}``: move the pages of a list.

    Inserted numbers sort before all others, so that what follows moves back by ``n``; a count to
    delete takes the first ones of the list.  The ten numbers of the example are never taken.
    """
    tenant_id = hook.get("tenantId") or tenant_id or TENANTS[1].tenant_id
    tenant = world.store.tenant_index(tenant_id)
    delete = hook.get("delete") or []
    if isinstance(delete, int):
        first = world.numbers.select(NumberFilter(tenant=tenant), delete)
        delete = [] if tenant_id == EXAMPLE_TENANT else [one["telephoneNumber"] for one in first]
    world.numbers.delete(delete)
    new: list[Json] = []
    number = SHIFT_FIRST
    while tenant is not None and len(new) < hook.get("insert", 0):
        text = f"+{number}"
        if world.numbers.get(text) is None:
            new.append(_new_number(world, text, {"tenantId": tenant_id}))
        number += 1
    world.numbers.put(new)


def customer_acts(world: World, body: Json) -> Json:
    """One act of the customer's administrator; answers what it changed.

    Actions: ``assign`` (with ``assignmentStatus``, ``assignmentTargetId``), ``unassign``,
    ``release`` (status 2; with ``"vanish": true`` the number is gone at once), ``addLocation``
    (with ``civicAddressId``, ``description``), ``suspendConsent``, ``resumeConsent``.
    """
    tenant = known_tenant(world, body.get("tenantId"))
    action = str(body.get("action"))
    if action in ("suspendConsent", "resumeConsent"):
        status = "suspended" if action == "suspendConsent" else "active"
        change_tenant(world, {"tenantId": tenant["tenantId"], "consentStatus": status})
        consent: Json = known_tenant(world, tenant["tenantId"])["consent"]
        return consent
    if action == "addLocation":
        return _add_location(world, tenant, body)
    late.settle_now(world, [str(body.get("telephoneNumber"))])
    number = world.numbers.get(str(body.get("telephoneNumber")))
    if number is None or number["tenantId"] != tenant["tenantId"]:
        raise Refusal(404, "NumberNotFound", "The tenant has no such telephone number.")
    if action == "release":
        return _release(world, number, bool(body.get("vanish")))
    if action == "assign":
        return _assign(world, number, body)
    if action == "unassign":
        if number["acquiredNumberStatus"] == 4:
            raise Refusal(409, "NumberNotActive", "The number is not there yet.")
        return _stored(world, number, assignmentStatus="Unassigned", assignmentTargetId=None)
    raise Refusal(400, "InvalidAction", f"'{action}' is not an action of a customer.")


def _stored(world: World, number: Json, **values: Any) -> Json:
    changed = touched(world, number, **values)
    world.numbers.put([changed])
    return changed


def _assign(world: World, number: Json, body: Json) -> Json:
    if number["acquiredNumberStatus"] != 0:
        raise Refusal(409, "NumberNotActive", "Only an active number can be assigned.")
    target = body.get("assignmentTargetId") or str(uuid.uuid4())
    status = body.get("assignmentStatus", "UserAssigned")
    return _stored(world, number, assignmentStatus=status, assignmentTargetId=target)


def _release(world: World, number: Json, vanish: bool) -> Json:
    """The customer may only release what is not assigned (live-platform.md 4.2)."""
    if number["assignmentStatus"] != "Unassigned":
        raise Refusal(409, "NumberAssigned", "The number is assigned; it cannot be released.")
    if number["acquiredNumberStatus"] not in (0, 2):
        raise Refusal(409, "NumberNotActive", "Only an active number can be released.")
    if vanish:
        world.numbers.delete([number["telephoneNumber"]])
        return {"telephoneNumber": number["telephoneNumber"], "deleted": True}
    return _stored(world, number, acquiredNumberStatus=2)


def _add_location(world: World, tenant: Json, body: Json) -> Json:
    known = world.store.documents("address")
    own = [one for one in known.values() if one["tenantId"] == tenant["tenantId"]]
    address_id = body.get("civicAddressId") or (own[0]["id"] if own else None)
    address = next((one for one in own if one["id"] == address_id), None)
    if address is None:
        raise Refusal(404, "CivicAddressNotFound", "The tenant has no such civic address.")
    location = {
        "id": str(uuid.uuid4()),
        "civicAddressId": address["id"],
        "description": body.get("description", "New location"),
        "additionalInfo": body.get("additionalInfo"),
        "isDefault": False,
        "elin": None,
    }
    locations = [*address["locations"], location]
    world.store.put("address", address["id"], {**address, "locations": locations})
    return location
