"""The OpenAPI document and its page: complete, valid, for everybody who may sign in."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from ocadmin.access.permissions import Permission, Role
from ocadmin.api.docs import with_code
from ocadmin.api.openapi import document

from .conftest import Programs

OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]
each = pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)


def routes(patterns: list[Any], prefix: str = "") -> list[str]:
    """All addresses, as templates."""
    found = []
    for pattern in patterns:
        place = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += routes(pattern.url_patterns, place)
        elif isinstance(pattern, URLPattern):
            found.append("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", place))
    return found


def test_it_is_valid() -> None:
    assert document()["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_it_has_every_address_of_the_interface() -> None:
    ours = [one for one in routes(get_resolver().url_patterns) if one.startswith(("/api/v", "/oauth2/"))]
    assert len(ours) > 10
    twins = {f"/api/v{version}/oc/{name}" for version in (2, 3) for name in ("leads", "callingprofiles")}
    assert set(ours) - set(document()["paths"]) == twins  # other spellings (test_addresses.py)
    assert set(document()["paths"]) <= set(ours)


@each
def test_operations_are_described(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    for parameter in operation.get("parameters", []):
        assert parameter["in"] == "path" or parameter["description"], parameter["name"]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        assert "example" in content or content["schema"].get("format") == "binary" or "multipart" in kind


@each
def test_operations_say_what_they_answer(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    assert any(status.startswith("2") for status in answers)
    expected = {"400", "401", "405"} if path == "/oauth2/token" else {"400", "401", "403", "404", "405", "500"}
    assert expected <= answers.keys()
    for status, answer in answers.items():
        assert answer["description"]
        if status >= "400" and path != "/oauth2/token":
            assert list(answer["content"]) == ["application/problem+json"]
        if status == "429":
            assert "Retry-After" in answer["headers"]
    acting = method != "get" and path != "/oauth2/token"
    named = [one["name"] for one in operation.get("parameters", [])]
    assert ("Idempotency-Key" in named) == acting
    assert not acting or {"409", "422"} <= answers.keys()


@each
def test_operations_say_who_may(path: str, method: str, operation: dict[str, Any]) -> None:
    schemes = document()["components"]["securitySchemes"]
    assert {name for one in operation["security"] for name in one} <= schemes.keys()
    scopes = [scope for one in operation["security"] for scope in one.get("oauth2", [])]
    assert set(scopes) <= set(Permission.values)
    assert scopes or path == "/oauth2/token"


def test_operation_ids_are_unique() -> None:
    ids = [param.values[2]["operationId"] for param in OPERATIONS]  # type: ignore[index,call-overload]
    assert len(ids) == len(set(ids))


@pytest.mark.django_db
class TestWhoMaySeeIt:
    def test_a_program(self, program: Programs) -> None:
        answer = program(Role.MONITOR).get("openapi.json")
        assert answer.status_code == 200
        assert json.loads(answer.content) == document()

    def test_a_person(self, charlie_client: Client) -> None:
        """Even without any role: it tells no secret."""
        assert charlie_client.get("/api/openapi.json").json() == document()

    def test_nobody_else(self, client: Client) -> None:
        answer = client.get("/api/openapi.json")
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        page = client.get("/api/docs")
        assert page.status_code == 302
        assert page["Location"].startswith("/accounts/login/")

    def test_nobody_with_a_bad_token(self, client: Client) -> None:
        answer = client.get("/api/openapi.json", headers={"Authorization": "Bearer x"})
        assert answer.status_code == 401

    def test_is_for_reading(self, alice_client: Client) -> None:
        assert alice_client.post("/api/openapi.json").status_code == 405
        assert alice_client.post("/api/docs").status_code == 405

    def test_the_page_names_every_operation(self, alice_client: Client) -> None:
        page = alice_client.get("/api/docs").content.decode()
        for param in OPERATIONS:
            path, method, operation = param.values
            assert f'id="{operation["operationId"]}"' in page  # type: ignore[index,call-overload]
            assert f"{str(method).upper()} {path}" in page
        assert "<script>" not in page
        assert "style=" not in page

    def test_code_is_set_as_code(self, alice_client: Client) -> None:
        page = alice_client.get("/api/docs").content.decode()
        assert "<code>dryRun=true</code>" in page
        assert "`" not in page

    def test_whatever_stands_in_code_is_escaped(self) -> None:
        assert with_code("a `<b>` & `c`, `") == "a <code>&lt;b&gt;</code> &amp; <code>c</code>, `"


def test_no_two_shapes_share_a_name() -> None:
    """In the document a shape or a set of words is known by its name: of two with the same, one is told for both."""
    told = document()["components"]["schemas"].keys()
    shapes = {*_below(BaseModel), *_below(Enum)}
    names = [one.__name__ for one in shapes if one.__module__.startswith(("ocadmin.", "sbc."))]
    assert [name for name, n in Counter(names).items() if n > 1 and name in told] == []


def _below(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
