"""``/oc/v1/operators/{operatorId}``: the operator's side of Operator Connect.

A reconstruction: Microsoft has not published this interface.  Paths and shapes follow upstreams.md
9.2, error shapes its common rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exchange import Json, Refusal, Request, Response, is_e164, whole_number
from .jobs import api as jobs_api
from .numbers import NumberFilter
from .paging import next_link, paging
from .routing import Mount, Route
from .seeds.records import available_for_new
from .tenants import known_tenant

if TYPE_CHECKING:
    from .world import World

MAX_NUMBERS = 1000
# Portal wording; the starred ones of upstreams.md 1.2 need a reason.
RELATIONSHIPS = ("ConsentAcknowledged", "AgreementSigned", "ConsentDeclined", "ContractTerminated")
REASON_REQUIRED = ("ConsentDeclined", "ContractTerminated")
LIST_PARAMETERS = {
    "tenantId",
    "status",
    "isoCountryCode",
    "assignmentStatus",
    "startsWith",
    "top",
    "skip",
}


def guard(world: World, request: Request) -> Response | None:
    """A live token for this audience, and the operator this sandbox plays."""
    request.token = world.tokens.require(request, "oc")
    world.limits.check(world, request)
    operator = request.segments[3] if len(request.segments) > 3 else None
    known = world.store.setting("operator_id")
    if operator is not None and request.segments[2] == "operators" and operator != known:
        raise Refusal(404, "OperatorNotFound", f"Operator '{operator}' was not found.")
    return None


def list_consents(world: World, request: Request) -> Response:
    """All customers' consents; ``status`` is active, suspended or removed."""
    top, skip = paging(request)
    consents = [tenant["consent"] for tenant in world.store.documents("tenant").values()]
    status = request.query.get("status")
    if status is not None:
        consents = [one for one in consents if one["status"].lower() == status.lower()]
    link = next_link(request, skip, top, len(consents))
    page = consents[skip : skip + top]
    return Response(body={"value": page, "nextLink": link, "totalCount": len(consents)})


def get_consent(world: World, request: Request) -> Response:
    """One customer's consent."""
    return Response(body=known_tenant(world, request.parameters["tenantId"])["consent"])


def patch_consent(world: World, request: Request) -> Response:
    """Change the customer relationship; declining and terminating need a comment."""
    tenant = known_tenant(world, request.parameters["tenantId"])
    body = request.json()
    wanted = body.get("customerRelationship")
    wanted = wanted if isinstance(wanted, dict) else {}
    status = wanted.get("status")
    if status not in RELATIONSHIPS:
        text = f"customerRelationship.status must be one of {', '.join(RELATIONSHIPS)}."
        raise Refusal(400, "InvalidRelationshipStatus", text)
    comment = wanted.get("comment")
    if status in REASON_REQUIRED and not comment:
        raise Refusal(400, "ReasonRequired", f"The status {status} needs a comment.")
    ticket = body.get("ticketId")
    if ticket is not None and (not isinstance(ticket, str) or len(ticket) > 64):
        raise Refusal(400, "InvalidTicketId", "ticketId may have at most 64 characters.")
    now = world.clock.stamp()
    relationship = {"status": status, "lastModifiedOn": now, "comment": comment}
    changes = {"customerRelationship": relationship, "lastModifiedOn": now}
    consent = {**tenant["consent"], **changes, "ticketId": ticket}
    world.store.put("tenant", tenant["tenantId"], {**tenant, "consent": consent})
    return Response(body=consent)


def list_profiles(world: World, request: Request) -> Response:
    """Calling profiles with their trunks (live-platform.md 3.8)."""
    return Response(body={"value": list(world.store.documents("profile").values())})


def list_usages(world: World, request: Request) -> Response:
    """The plans by which numbers may be uploaded for a customer."""
    return Response(body={"value": known_tenant(world, request.parameters["tenantId"])["usages"]})


def _telephone_numbers(body: Json) -> list[str]:
    numbers = body.get("telephoneNumbers")
    if not isinstance(numbers, list) or not numbers:
        raise Refusal(400, "InvalidRequest", "telephoneNumbers must be a list with entries.")
    if len(numbers) > MAX_NUMBERS:
        raise Refusal(400, "TooManyNumbers", f"At most {MAX_NUMBERS} numbers are allowed.")
    return [str(number) for number in numbers]


def available_capabilities(world: World, request: Request) -> Response:
    """What all of the given numbers could do: the capabilities they have in common."""
    tenant_id = known_tenant(world, request.parameters["tenantId"])["tenantId"]
    common: list[str] | None = None
    details = []
    for text in _telephone_numbers(request.json()):
        number = world.numbers.get(text)
        if not is_e164(text):
            details.append(_detail("InvalidTelephoneNumber", text, "This is not E.164."))
        elif number is not None and number["tenantId"] != tenant_id:
            details.append(_detail("NumberNotFound", text, "The tenant has no such number."))
        else:
            own = (number or {}).get("availableCapabilities") or available_for_new(text)
            common = own if common is None else [one for one in common if one in own]
    if details:
        raise Refusal(400, "InvalidRequest", "Some numbers cannot be used.", details)
    return Response(body={"availableCapabilities": common or []})


def _detail(code: str, target: str, message: str) -> Json:
    return {"code": code, "target": target, "message": message}


def list_addresses(world: World, request: Request) -> Response:
    """A customer's emergency addresses with their locations."""
    tenant_id = known_tenant(world, request.parameters["tenantId"])["tenantId"]
    known = world.store.documents("address").values()
    value = [address for address in known if address["tenantId"] == tenant_id]
    return Response(body={"value": value, "nextLink": None, "totalCount": len(value)})


def get_address(world: World, request: Request) -> Response:
    """One emergency address of a customer."""
    tenant_id = known_tenant(world, request.parameters["tenantId"])["tenantId"]
    address = world.store.documents("address").get(request.parameters["id"])
    if address is None or address["tenantId"] != tenant_id:
        raise Refusal(404, "CivicAddressNotFound", "The tenant has no such civic address.")
    return Response(body=address)


def list_numbers(world: World, request: Request) -> Response:
    """Numbers of all customers by number, narrowed by any of the filters."""
    unknown = sorted(set(request.query) - LIST_PARAMETERS)
    if unknown:
        raise Refusal(400, "InvalidParameter", f"Unknown parameter: {', '.join(unknown)}.")
    top, skip = paging(request)
    bodies, total = world.numbers.page(_number_filter(world, request.query), skip, top)
    link = next_link(request, skip, top, total)
    tail = Response(body={"nextLink": link, "totalCount": total}).payload()
    # The stored objects are JSON already; parsing them only to write them again costs most.
    return Response(body=b'{"value":[' + ",".join(bodies).encode() + b"]," + tail[1:])


def _number_filter(world: World, query: dict[str, str]) -> NumberFilter:
    tenant = None
    if "tenantId" in query:
        known_tenant(world, query["tenantId"])
        tenant = world.store.tenant_index(query["tenantId"])
    status = whole_number(query["status"], "status", 0, 4) if "status" in query else None
    assignment = query.get("assignmentStatus")
    return NumberFilter(
        tenant=tenant,
        status=status,
        country=query.get("isoCountryCode"),
        assignments=(assignment,) if assignment is not None else None,
        starts_with=query.get("startsWith"),
    )


def get_number(world: World, request: Request) -> Response:
    """One number by its E.164 form, with its ``ETag``."""
    number = world.numbers.get(request.parameters["e164"])
    if number is None:
        raise Refusal(404, "NumberNotFound", "There is no such telephone number.")
    return Response(body=number, headers={"ETag": number["etag"]})


def validate_numbers(world: World, request: Request) -> Response:
    """Say for each number whether it could be uploaded for the tenant (upstreams.md 9.2)."""
    body = request.json()
    tenant = known_tenant(world, str(body.get("tenantId")))
    verdicts = [_verdict(world, tenant, text) for text in _telephone_numbers(body)]
    passed = all(one["validationResult"] == "Success" for one in verdicts)
    result = "Success" if passed else "Failed"
    return Response(body={"validationResult": result, "telephoneNumbers": verdicts})


def _verdict(world: World, tenant: Json, text: str) -> Json:
    number: Json | None = world.numbers.get(text)
    problems: list[str] = []
    if not is_e164(text):
        problems.append("InvalidTelephoneNumber")
    if number is not None and number["tenantId"] != tenant["tenantId"]:
        problems.append("NumberOwnedByAnotherTenant")
    # Whose number it is may be told, what the other customer does with it may not.
    own: Any = number if number is not None and not problems else {}
    return {
        "telephoneNumber": text,
        "validationResult": "Failed" if problems else "Success",
        "actionRequired": False,
        "validationDetail": problems,
        "telephoneNumberDetail": {
            "numberFound": number is not None,
            "numberOffering": "OperatorConnect" if number is not None else None,
            "assignmentStatus": own.get("assignmentStatus"),
        },
    }


BASE = "/oc/v1/operators/{operatorId}"
READ, WRITE = "NumberManagement.Read", "NumberManagement.Write"
CONSENT = f"{BASE}/consents/{{tenantId}}"
TENANT = f"{BASE}/tenants/{{tenantId}}"

MOUNT = Mount(
    "oc",
    (
        Route("GET", f"{BASE}/consents", list_consents, "partnerSettings.Read"),
        Route("GET", CONSENT, get_consent, "partnerSettings.Read"),
        Route("PATCH", CONSENT, patch_consent, WRITE),
        Route("GET", f"{BASE}/calling-profiles", list_profiles, "TrunkManagement.Read"),
        Route("GET", f"{TENANT}/usages", list_usages, READ),
        Route("POST", f"{TENANT}/available-capabilities", available_capabilities, READ),
        Route("GET", f"{TENANT}/civic-addresses", list_addresses, READ),
        Route("GET", f"{TENANT}/civic-addresses/{{id}}", get_address, READ),
        Route("GET", f"{BASE}/telephone-numbers", list_numbers, READ),
        Route("GET", f"{BASE}/telephone-numbers/{{e164}}", get_number, READ),
        Route("POST", f"{BASE}/telephone-numbers:validate", validate_numbers, READ),
        *jobs_api.ROUTES,
    ),
    guard=guard,
)
