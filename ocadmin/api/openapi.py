"""The OpenAPI 3.1 document of the interface, from the code: ninja's, and what ninja does not know of ours.

That is: who may (the permissions are the scopes of OAuth2), errors as application/problem+json, Retry-After, the
headers that every operation takes, the token endpoint, and an example for every body.
"""

import functools
import json
from typing import Any, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.urls import get_resolver
from django.utils import translation
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from ocadmin.access.permissions import Permission

from . import once, problems
from .authentication import CHANNEL_HEADER, Bearer
from .oauth import FORM
from .rest import api

JSON = "application/json"
TOKEN_PATH = "/oauth2/token"  # noqa: S105  an address
ABOUT = """Numbers of Microsoft Teams customers: reading them, and everything that may be done with them.

Get a token from `POST /oauth2/token` and send it with every request, as `Authorization: Bearer`. Names of parameters
and of fields are read in any case, with or without underscores. Unknown parameters are ignored, and so are unknown
fields of a body where the reference platform has the operation; operations of our own refuse them. What acts on
numbers, SBCs and tasks takes `dryRun=true`: it answers the plan and begins nothing; where there is no dry run, the
parameter is refused. Every error has the shape `ProblemDetails`; its `errorTicket` is what support finds it by."""
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_WHEN = {
    304: "The client has this answer already (If-None-Match).",
    400: "Something in the request is wrong; the detail says what and where.",
    401: "There is no access token, or it is not good (any more).",
    403: "The client may not do this.",
    404: "It is not there, or not in reach of the client.",
    405: "The address does not take this method; Allow says which it takes.",
    409: "It cannot be done now, or a request with this Idempotency-Key is still at work.",
    413: "The body is too long.",
    415: "The body is not of a type that is taken here.",
    422: "This Idempotency-Key was used for another request.",
    429: "Too many requests; Retry-After says when to try again.",
    500: "Our fault. Tell support the errorTicket.",
    503: "A service that is needed is not reachable now.",
}
_SAMPLES: dict[str, Any] = {
    "telephoneNumbers": ["+442079460110", "+442079460111"],
    "phoneNumberRanges": [{"start": "+442079460120", "end": "+442079460129"}],
    "start": "+442079460120",
    "end": "+442079460129",
    "ticketId": "INC0012345",
    "comment": "Requested by the customer",
    "phonenumber": "+442079460110",
    "taskId": 17,
}
_PLAIN = {"string": "text", "integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}, "null": None}
_FORMATS = {
    "uuid": "3bc57cac-5794-457f-ad36-2c88cade9dbb",
    "date-time": "2026-01-31T12:00:00Z",
    "uri": "https://example.net/",
}


class Document(OpenAPISchema):
    """ninja's document; each operation is completed by what stands around it."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """One operation."""
        details = super().operation_details(operation)
        acting = operation.methods[0] in once.ACTING
        details["parameters"] = [*details["parameters"], *_headers(acting)]
        details["security"] = _security(operation)
        details["responses"] = self._answers(operation, details, acting)
        for content in details.get("requestBody", {}).get("content", {}).values():
            if "example" not in content and content["schema"].get("type") != "string":
                content["example"] = sample("", content["schema"], self.schemas)
        return details

    def _answers(self, operation: Operation, details: dict[str, Any], acting: bool) -> dict[int, Any]:
        answers = dict(details["responses"])
        refusal = {"$ref": "#/components/schemas/ProblemDetails"}
        for status in (405, 409, 422, 503) if acting else (304, 405, 503):
            answers.setdefault(status, {"content": {} if status == 304 else {JSON: {"schema": refusal}}})
        if "requestBody" in details:
            for status in (413, 415):
                answers.setdefault(status, {"content": {JSON: {"schema": refusal}}})
        if not operation.throttle_objects:
            answers.pop(429, None)
        return {status: _answer(status, answer, acting) for status, answer in sorted(answers.items())}


def _answer(status: int, answer: dict[str, Any], acting: bool) -> dict[str, Any]:
    """An answer with the type that it really has."""
    content = dict(answer.get("content", {}))
    is_file = bool(content.keys() - {JSON})
    if is_file:
        content.pop(JSON, None)
    if status >= 400 and JSON in content:
        content = {problems.CONTENT_TYPE: content[JSON]}
    done = {"description": _WHEN.get(status) or ("Done." if acting else "What was asked for.")}
    headers = dict(answer.get("headers", {}))
    if status == 429:
        headers |= _RETRY_AFTER
    if status in (200, 304) and not acting and not is_file:
        headers["ETag"] = {"description": "For If-None-Match.", "schema": {"type": "string"}}
    if acting and status < 400:
        headers[once.REPLAYED] = {"description": "true: the first answer again.", "schema": {"type": "string"}}
    return done | ({"headers": headers} if headers else {}) | ({"content": content} if content else {})


def _headers(acting: bool) -> list[dict[str, Any]]:
    """The headers that an operation takes beside its own parameters."""
    narrows = "Narrows the request to the channel with this ovocChannelId."
    channel = _header(CHANNEL_HEADER, narrows, {"type": "integer", "minimum": 1})
    if acting:
        words = {"type": "string", "minLength": 1, "maxLength": once.LONGEST_KEY}
        sentence = "A name of the client's own: the same request with the same key is done once in 24 hours."
        return [channel, _header(once.HEADER, sentence, words)]
    return [channel, _header("If-None-Match", "The ETag of an answer that the client has.", {"type": "string"})]


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "description": description, "schema": schema}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """One of the permissions, as scopes; or a token of any kind that has it."""
    bearers = [auth for auth in operation.auth_callbacks if isinstance(auth, Bearer)]
    scopes = [{"oauth2": [permission.value]} for bearer in bearers for permission in bearer.permissions]
    return [*scopes, {"bearer": []}] if scopes else []


def sample(name: str, schema: dict[str, Any], known: dict[str, Any]) -> Any:
    """An example of what a schema describes: its own, one of ours by name, else the plainest value."""
    if "$ref" in schema:
        return sample(name, known[schema["$ref"].rsplit("/", 1)[-1]], known)
    for place, value in (("example", schema.get("example")), ("examples", schema.get("examples"))):
        if place in schema:
            return value[0] if place == "examples" and isinstance(value, list) else value
    if name in _SAMPLES:
        return _SAMPLES[name]
    for choice in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        return sample(name, choice, known)
    if "properties" in schema:
        required = schema.get("required", [])
        shown = [one for one in schema["properties"] if one in required or one in _SAMPLES or _exemplary(schema, one)]
        return {one: sample(one, schema["properties"][one], known) for one in shown if one != "phoneNumbersList"}
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "default" in schema:
        return schema["default"]
    if schema.get("type") == "array" and "items" in schema:
        return [sample(name, schema["items"], known)]
    return _FORMATS.get(schema.get("format", "")) or _PLAIN.get(schema.get("type", "null"))


def _exemplary(schema: dict[str, Any], name: str) -> bool:
    return bool({"example", "examples"} & schema["properties"][name].keys())


def _token_endpoint() -> dict[str, Any]:
    """The only operation that is no operation of ninja's (oauth.py)."""
    error = {"$ref": "#/components/schemas/TokenError"}
    refusals = {
        str(status): {"description": _WHEN[status], "content": {JSON: {"schema": error}}}
        for status in (400, 401, 405, 413, 415, 429)
    }
    refusals["429"]["headers"] = _RETRY_AFTER
    problem = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    refusals["500"] = {"description": _WHEN[500], "content": {problems.CONTENT_TYPE: problem}}
    body = {"schema": {"$ref": "#/components/schemas/TokenRequest"}, "example": {"grant_type": "client_credentials"}}
    issued = {"schema": {"$ref": "#/components/schemas/Token"}}
    return {
        "operationId": "issue_token",
        "summary": "Get an access token",
        "description": "The client credentials grant of OAuth 2.0: client id and secret by HTTP Basic or in the form. "
        "A token is good for an hour.",
        "tags": ["access"],
        "security": [{"basic": []}, {}],
        "requestBody": {"required": True, "content": {FORM: body}},
        "responses": {"200": {"description": "The token.", "content": {JSON: issued}}, **refusals},
    }


def _texts(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _token_schemas() -> dict[str, Any]:
    scopes = "Permissions with blanks between; empty for all that the client's roles grant."
    text = {"type": "string"}
    return {
        "TokenRequest": _texts(
            ["grant_type"],
            grant_type={"type": "string", "enum": ["client_credentials"]},
            scope={"type": "string", "description": scopes},
            client_id={"type": "string", "description": "Where there is no Authorization header."},
            client_secret={"type": "string", "description": "The same."},
        ),
        "Token": _texts(
            ["access_token", "token_type", "expires_in"],
            access_token=text,
            token_type={"type": "string", "enum": ["Bearer"]},
            expires_in={"type": "integer", "description": "Seconds."},
            scope=text,
        ),
        "TokenError": _texts(["error", "error_description"], error=text, error_description=text),
    }


def _security_schemes() -> dict[str, Any]:
    scopes = {permission.value: str(permission.label) for permission in Permission}
    flow = {"tokenUrl": TOKEN_PATH, "scopes": scopes}
    return {
        "oauth2": {"type": "oauth2", "flows": {"clientCredentials": flow}},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "basic": {"type": "http", "scheme": "basic", "description": "Client id and secret, for the token."},
    }


@functools.cache
def document() -> dict[str, Any]:
    """The document. Made once in each process; the same for everybody."""
    get_resolver().url_patterns  # noqa: B018  the wiring adds the operations
    with translation.override("en"):
        made = Document(api, problems.PREFIX.strip("/"))
        made["info"]["description"] = ABOUT
        made["info"]["version"] = f"{made['info']['version']}.0"
        made["paths"] |= {TOKEN_PATH: {"post": _token_endpoint()}}
        made["components"]["schemas"] |= _token_schemas()
        made["components"]["securitySchemes"] = _security_schemes()
        made["servers"] = [{"url": "/"}]
        return cast(dict[str, Any], json.loads(json.dumps(made, cls=DjangoJSONEncoder)))
