"""The OpenAPI document, and a page that reads it aloud. Both are for everybody who may sign in, person or program."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from . import problems
from .authentication import principal_of
from .etags import tagged
from .openapi import TOKEN_PATH, document, sample
from .problems import Problem

DEEPEST = 2
EXAMPLE = r"""BASE=%s
TOKEN=$(curl -s -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials "$BASE/oauth2/token" \
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl -s -H "Authorization: Bearer $TOKEN" "$BASE/api/v3/oc/numbers?pageSize=200"
"""
_CODE = re.compile(r"`([^`\n]+)`")
_TITLES = {"sbcs": "SBCs"}  # others are the tag, capitalised


@dataclass(frozen=True)
class Line:
    """A parameter or a field: name, type in words, whether it has to be there, what it means."""

    name: str
    kind: str
    required: bool
    text: str
    where: str = ""


@dataclass(frozen=True)
class Answer:
    """What may come back."""

    status: str
    text: str
    kinds: list[str]


@dataclass(frozen=True)
class Entry:
    """One operation for reading."""

    anchor: str
    method: str
    path: str
    summary: str
    text: list[str]
    permissions: list[str]
    parameters: list[Line]
    body_kinds: list[str]
    body: list[Line]
    answer: list[Line]
    answers: list[Answer]
    curl: str


@dataclass(frozen=True)
class Section:
    """Operations with one tag."""

    anchor: str
    title: str
    entries: list[Entry] = field(default_factory=list)


def with_code(text: str) -> SafeString:
    """A text of the document as HTML: everything is escaped, then what stands between `backticks` is code."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", escape(text)))  # noqa: S308  escaped right here


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    """The document, for a session or a token of any kind."""
    try:
        if not request.user.is_authenticated:
            scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                raise Problem(401, "unauthenticated", _("Send an access token: Authorization: Bearer …"))
            principal_of(token)
    except Problem as problem:
        return problems.answer(request, problem)
    response = tagged(request, JsonResponse(document()))
    response.headers["Vary"] = "Authorization, Cookie"
    return response  # type: ignore[return-value]


@login_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The page."""
    made = document()
    context = {"sections": sections(made), "about": with_code(made["info"]["description"])}
    return render(request, "api/docs.html", context | {"example": EXAMPLE % request.build_absolute_uri("/")[:-1]})


def sections(made: dict[str, Any]) -> list[Section]:
    """The operations by their tags, the token first."""
    found: dict[str, Section] = {}
    paths = sorted(made["paths"].items(), key=lambda pair: pair[0] != TOKEN_PATH)
    for path, operations in paths:
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            section = found.setdefault(tag, Section(f"tag-{tag}", _TITLES.get(tag, tag.capitalize())))
            section.entries.append(_entry(method.upper(), path, operation, made["components"]["schemas"]))
    return list(found.values())


def _entry(method: str, path: str, operation: dict[str, Any], known: dict[str, Any]) -> Entry:
    body = operation.get("requestBody", {}).get("content", {})
    good: dict[str, Any] = next((one for status, one in operation["responses"].items() if status.startswith("2")), {})
    shapes = [one["schema"] for one in good.get("content", {}).values()]
    return Entry(
        anchor=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        text=[with_code(part) for part in operation.get("description", "").split("\n\n") if part.strip()],
        permissions=[scope for one in operation.get("security", []) for scope in one.get("oauth2", [])],
        parameters=[
            Line(
                one["name"],
                kind_of(one["schema"], known),
                one["required"],
                with_code(one.get("description", "")),
                one["in"],
            )
            for one in operation.get("parameters", [])
        ],
        body_kinds=list(body),
        body=list(_fields(next((one["schema"] for one in body.values()), {}), known)),
        answer=[line for shape in shapes for line in _fields(shape, known)],
        answers=[
            Answer(status, with_code(one["description"]), list(one.get("content", {})))
            for status, one in operation["responses"].items()
        ],
        curl=_curl(method, path, operation.get("parameters", []), body, known),
    )


def kind_of(schema: dict[str, Any], known: dict[str, Any]) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return kind_of(known[name], known) if "enum" in known[name] else name
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(kind_of(choice, known) for choice in choices))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"{kind_of(schema.get('items', {}), known)}[]"
    return schema.get("format") or schema.get("type") or "any"


def _fields(schema: dict[str, Any], known: dict[str, Any], prefix: str = "", depth: int = 0) -> list[Line]:
    """The fields of an object, those of objects inside it behind their names."""
    if "$ref" in schema:
        return _fields(known[schema["$ref"].rsplit("/", 1)[-1]], known, prefix, depth)
    if schema.get("type") == "array":
        return _fields(schema.get("items", {}), known, f"{prefix.removesuffix('.')}[].", depth)
    lines = []
    for choice in schema.get("anyOf", []):
        lines += _fields(choice, known, prefix, depth)
    for name, shape in schema.get("properties", {}).items():
        required = name in schema.get("required", [])
        lines.append(Line(f"{prefix}{name}", kind_of(shape, known), required, with_code(shape.get("description", ""))))
        if depth < DEEPEST:
            lines += _fields(shape, known, f"{prefix}{name}.", depth + 1)
    return list({line.name: line for line in reversed(lines)}.values())[::-1]


def _curl(method: str, path: str, parameters: list[dict[str, Any]], body: dict[str, Any], known: dict[str, Any]) -> str:
    """The request on a command line."""
    if path == TOKEN_PATH:
        return f'curl -s -u "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials "$BASE{path}"'
    needed = {one["name"]: sample(one["name"], one["schema"], known) for one in parameters if one["required"]}
    query = {one["name"]: needed[one["name"]] for one in parameters if one["required"] and one["in"] == "query"}
    for name, value in needed.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe="+"))
    address = f"$BASE{path}?{urlencode(query)}" if query else f"$BASE{path}"
    parts = ["curl -s", *([f"-X {method}"] if method != "GET" else []), '-H "Authorization: Bearer $TOKEN"']
    if "application/json" in body:
        text = json.dumps(body["application/json"].get("example", {}), ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", f"-d '{text}'"]
    elif "multipart/form-data" in body:
        parts.append("-F file=@numbers.csv")
    return " \\\n  ".join([*parts, f'"{address}"'])
