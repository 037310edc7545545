"""A customer's own tenant, asked over HTTP as the sandbox plays it."""

import pytest
from django.conf import settings

from ocadmin.numbers.assignment import normalise
from ocadmin.numbers.microsoft import errors
from ocadmin.numbers.microsoft.graph import Graph
from tests.sandbox_process import Sandbox

EXAMPLE = "3bc57cac-5794-457f-ad36-2c88cade9dbb"


def test_pages_of_the_customers_numbers(sandbox: Sandbox) -> None:
    tenant = max(sandbox.state()["tenants"], key=lambda tenant: tenant["graphConnected"] and tenant["numbers"])
    graph = Graph(tenant["tenantId"])
    first = graph.number_assignments_page(top=4)
    assert len(first.records) == 4
    assert first.next_link is not None
    second = graph.number_assignments_page(first.next_link)
    assert not {r["telephoneNumber"] for r in first.records} & {r["telephoneNumber"] for r in second.records}


def test_a_filter_is_passed_on(sandbox: Sandbox) -> None:
    page = Graph(EXAMPLE).number_assignments_page(filter="assignmentStatus eq 'userAssigned'")
    assert {normalise(record["assignmentStatus"]) for record in page.records} <= {"UserAssigned"}
    with pytest.raises(errors.Refused, match="BadRequest"):
        Graph(EXAMPLE).number_assignments_page(filter="nonsense")


def test_the_connection_of_a_customer(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    Graph(EXAMPLE).check_connection()
    monkeypatch.setattr(settings.ENV, "client_id", "noroles")
    with pytest.raises(errors.Forbidden) as caught:
        Graph(EXAMPLE).check_connection()
    assert caught.value.role == "TeamsTelephoneNumber.Read.All"


def test_a_tenant_nobody_knows(sandbox: Sandbox) -> None:
    with pytest.raises(errors.TenantUnknown):
        Graph("6f3b0f6a-0000-4000-8000-000000000000").check_connection()
