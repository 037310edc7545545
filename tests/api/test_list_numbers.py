"""GET /api/v3/oc/numbers: the contract, the parameters, pages."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.sandbox_process import Sandbox

from .conftest import Programs

pytestmark = pytest.mark.django_db

EXAMPLE = json.loads((Path(__file__).parents[1] / "numbers" / "example-v3.json").read_text())
TENANT = EXAMPLE["data"][0]["tenantId"]


def in_order(value: Any) -> Any:
    """Objects as lists of pairs, so that the order of their names is compared as well."""
    if isinstance(value, dict):
        return [(name, in_order(held)) for name, held in value.items()]
    return [in_order(held) for held in value] if isinstance(value, list) else value


def test_the_demo_world_answers_the_example(sandbox: Sandbox, program: Programs) -> None:
    """As it was moved in: a synchronisation renews the stamps of verification, by rule."""
    call_command("load_demo")
    answer = program().get("v3/oc/numbers", {"msTenantId": TENANT, "pageNumber": 1, "pageSize": 10})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert in_order(json.loads(answer.content)) == in_order(EXAMPLE)
