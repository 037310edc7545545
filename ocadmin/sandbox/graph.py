"""``/graph/v1.0``: number assignments as the customer's own tenant sees them (upstreams.md 2, 9.5).

The spellings differ from the operator's side on purpose: camel case, other words for the same
assignment, and the all-zero GUID where the operator's side says null.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from . import graph_changes
from .exchange import Json, Refusal, Request, Response, whole_number
from .jobs import late
from .numbers import NumberFilter
from .routing import Mount, Route

if TYPE_CHECKING:
    from .world import World

DEFAULT_TOP, MAX_TOP = 500, 1000
NO_PLACE = "00000000-0000-0000-0000-000000000000"
OPTIONS = {"$top", "$skip", "$filter", "$count"}

# Operator's word -> Graph's word (upstreams.md 1.6).
ASSIGNMENTS = {
    "Unassigned": "unassigned",
    "UserAssigned": "userAssigned",
    "ConferenceAssigned": "conferenceAssigned",
    "VoiceApp": "voiceApplicationAssigned",
    "ThirdPartyAppAssigned": "thirdPartyAppAssigned",
    "PolicyAssigned": "policyAssigned",
}
UNKNOWN = "unknownFutureValue"
CAPABILITIES = {"FirstPartyAppAssignment": "voiceApplicationAssignment"}
# Filters that compare a stored text; the first letter of the stored enum is upper case.
TEXT_FIELDS = ("locationId", "civicAddressId", "assignmentTargetId")

_CLAUSE = re.compile(r"^\(?\s*(\w+)\s+(\w+)\s+('(?:[^']|'')*'|null|[\w.-]+)\s*\)?$")
_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)")


def guard(world: World, request: Request) -> Response | None:
    """A live token for Graph; it also says which tenant is meant."""
    request.token = world.tokens.require(request, "graph")
    world.limits.check(world, request)
    return None


def list_assignments(world: World, request: Request) -> Response:
    """``GET …/numberAssignments`` with ``$top``, ``$skip``, ``$filter`` and ``$count``."""
    query = request.query
    for name in query:
        if name.startswith("$") and name not in OPTIONS:
            raise Refusal(400, "BadRequest", f"The query option '{name}' is not supported.")
    top = whole_number(query.get("$top", str(DEFAULT_TOP)), "$top", 1, MAX_TOP)
    skip = whole_number(query.get("$skip", "0"), "$skip", 0)
    wanted = number_filter(world, request)
    bodies, total = world.numbers.page(wanted, skip, top)
    root = f"{request.base_url}/graph/v1.0"
    context = f"{root}/$metadata#admin/teams/telephoneNumberManagement/numberAssignments"
    answer: Json = {"@odata.context": context}
    if query.get("$count") == "true":
        answer["@odata.count"] = total
    answer["value"] = _assignments(world, [json.loads(body) for body in bodies])
    if skip + top < total:
        following = {**query, "$top": str(top), "$skip": str(skip + top)}
        pairs = "&".join(f"{name}={quote(value)}" for name, value in following.items())
        answer["@odata.nextLink"] = f"{request.base_url}{request.path}?{pairs}"
    return Response(body=answer)


def _assignments(world: World, numbers: list[Json]) -> list[Json]:
    options = graph_changes.options(world, [number["telephoneNumber"] for number in numbers])
    return [
        {**assignment(number), **options.get(number["telephoneNumber"], {})} for number in numbers
    ]


def update_number(world: World, request: Request) -> Response:
    """``POST …/updateNumber``: done when it is answered, with the number as it is now."""
    return Response(body=_assignments(world, [graph_changes.update(world, request)])[0])


def number_filter(world: World, request: Request) -> NumberFilter:
    """The token's tenant and the ``$filter``; a number not yet synchronised is not there yet."""
    token = request.token
    tenant = world.store.tenant_index(token.tenant_id) if token else None
    parts = parse_filter(request.query.get("$filter", ""))
    number_type = parts.pop("numberType", "operatorConnect")
    status = parts.pop("assignmentStatus", None)
    activation = parts.pop("activationState", None)
    fields = [(name, _stored_place(name, parts[name])) for name in TEXT_FIELDS if name in parts]
    if activation:
        fields.append(("activationState", activation[:1].upper() + activation[1:]))
    stored = tuple(word for word, graph_word in ASSIGNMENTS.items() if graph_word == status)
    return NumberFilter(
        tenant=-1 if tenant is None else tenant,
        country=parts.get("isoCountryCode"),
        telephone_number=parts.get("telephoneNumber"),
        assignments=stored if status not in (None, UNKNOWN) else None,
        known_assignments=tuple(ASSIGNMENTS) if status == UNKNOWN else None,
        synced_only=True,
        fields=tuple(fields),
        nothing=number_type != "operatorConnect",
        customers_view=late.any_ahead(world),
    )


def parse_filter(text: str) -> dict[str, str | None]:
    """``field eq value`` clauses joined by ``and``; anything else is refused with 400."""
    known = (*TEXT_FIELDS, "telephoneNumber", "assignmentStatus", "numberType", "isoCountryCode")
    parts: dict[str, str | None] = {}
    for clause in _AND.split(text.strip()) if text.strip() else []:
        found = _CLAUSE.match(clause)
        if not found:
            raise Refusal(400, "BadRequest", f"Invalid filter clause: {clause}")
        name, operator, value = found.groups()
        if operator != "eq":
            raise Refusal(400, "BadRequest", f"The operator '{operator}' is not supported.")
        if name not in (*known, "activationState"):
            raise Refusal(400, "BadRequest", f"The property '{name}' cannot be filtered on.")
        quoted = value.startswith("'")
        parts[name] = value[1:-1].replace("''", "'") if quoted else value
        if value == "null":
            parts[name] = None
    return parts


def _stored_place(name: str, value: str | None) -> str | None:
    return None if value == NO_PLACE and name != "assignmentTargetId" else value


def _camel(word: str) -> str:
    return word[:1].lower() + word[1:]


def assignment(number: Json) -> Json:
    """A Number of the operator's side as Graph's numberAssignment (upstreams.md 2)."""
    status = ASSIGNMENTS.get(number["assignmentStatus"], UNKNOWN)
    identity = f"{number['operatorId']}|{number['telephoneNumber']}".encode()
    capabilities = [CAPABILITIES.get(one, _camel(one)) for one in number["acquiredCapabilities"]]
    actions = ["locationUpdate"] if number["allowTenantAddressUpdate"] else []
    return {
        "id": base64.b64encode(identity).decode(),
        "telephoneNumber": number["telephoneNumber"],
        "operatorId": number["operatorId"],
        "numberType": "operatorConnect",
        "activationState": _camel(number["activationState"]),
        "capabilities": capabilities,
        "locationId": number["locationId"] or NO_PLACE,
        "civicAddressId": number["civicAddressId"] or NO_PLACE,
        "networkSiteId": NO_PLACE,
        "assignmentTargetId": number["assignmentTargetId"],
        "assignmentCategory": "primary" if status == "userAssigned" else None,
        "assignmentStatus": status,
        "portInStatus": None,
        "isoCountryCode": number["isoCountryCode"],
        "city": None,
        "numberSource": "online",
        "supportedCustomerActions": [*actions, "release"] if status == "unassigned" else actions,
        "reverseNumberLookupOptions": [],
    }


LIST = f"{graph_changes.ROOT}/numberAssignments"
OPERATIONS = f"{graph_changes.ROOT}/operations"
READ, WRITE = "TeamsTelephoneNumber.Read.All", "TeamsTelephoneNumber.ReadWrite.All"

MOUNT = Mount(
    "graph",
    (
        Route("GET", LIST, list_assignments, READ),
        Route("POST", f"{LIST}/unassignNumber", graph_changes.unassign, WRITE),
        Route("POST", f"{LIST}/updateNumber", update_number, WRITE),
        Route("GET", f"{OPERATIONS}/{{id}}", graph_changes.get_operation, READ),
        Route("GET", f"{OPERATIONS}('{{id}}')", graph_changes.get_operation, READ),
    ),
    guard=guard,
)
