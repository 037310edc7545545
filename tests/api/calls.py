"""Every operation of the document, as a request with its example."""

import json
from typing import Any

import pytest
from django.test import Client

from ocadmin.access.permissions import Permission
from ocadmin.api.openapi import document

NOBODYS = "00000000-0000-4000-8000-000000000000"


class Call:
    """One operation, as a request with its example."""

    def __init__(self, path: str, method: str, operation: dict[str, Any]) -> None:
        self.path, self.method, self.operation = path, method, operation
        self.body = operation.get("requestBody", {}).get("content", {})

    @property
    def permissions(self) -> set[Permission]:
        """One of them is needed."""
        return {Permission(scope) for one in self.operation["security"] for scope in one.get("oauth2", [])}

    def send(self, http: Client, method: str = "", more: dict[str, str] | None = None, **known: Any) -> Any:
        """Send it; `known` are values of parameters, else they are made up; `more` goes into the address as it is."""
        parameters = self.operation.get("parameters", [])
        path, query = self.path, dict(more or {})
        for one in parameters:
            name = one["name"]
            value = known.get(name, NOBODYS if one["schema"].get("format") == "uuid" else 999_999_999)
            if one["in"] == "path":
                path = path.replace(f"{{{name}}}", str(value))
            elif one["in"] == "query" and (one["required"] or name in known):
                query[name] = value
        kind, content = self._content()
        verb = (method or self.method).upper()
        return http.generic(verb, path, content, kind, query_params=query)

    @property
    def example(self) -> Any:
        """The example of its JSON body; None where it takes none."""
        return self.body.get("application/json", {}).get("example")

    def takes(self, parameter: str) -> bool:
        """Whether it has a parameter of that name."""
        return any(one["name"] == parameter for one in self.operation.get("parameters", []))

    def _content(self) -> tuple[str, str]:
        if "application/json" in self.body:
            return "application/json", json.dumps(self.body["application/json"]["example"])
        if "text/csv" in self.body:
            return "text/csv", "telephoneNumber\r\n+442079460110\r\n"
        return "application/octet-stream", ""


CALLS = [
    pytest.param(Call(path, method, operation), id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if path.startswith("/api/")
]
every = pytest.mark.parametrize("call", CALLS)
