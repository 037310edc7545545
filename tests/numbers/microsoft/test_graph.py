"""A customer's own tenant, asked over HTTP as the sandbox plays it."""

import pytest
from django.conf import settings

from ocadmin.numbers.assignment import normalise
from ocadmin.numbers.microsoft import errors
from ocadmin.numbers.microsoft.graph import Graph
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from tests.sandbox_process import Sandbox

EXAMPLE = "3bc57cac-5794-457f-ad36-2c88cade9dbb"
NUMBER = "+442079460500"


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


@pytest.fixture
def used(sandbox: Sandbox) -> str:
    """A number of the example that somebody uses; jobs end at once."""
    sandbox.call("PUT", "/state", {"durations": 0, "lag": 0})
    values = {"assignmentStatus": "UserAssigned", "assignmentTargetId": "3f2a", "allowTenantAddressUpdate": True}
    sandbox.numbers(upsert=[{"telephoneNumber": NUMBER, "tenantId": EXAMPLE, **values}])
    return NUMBER


def test_an_unassignment_is_followed_by_its_link(sandbox: Sandbox, used: str) -> None:
    sandbox.call("PUT", "/state", {"hold": {"unassign": True}})
    graph = Graph(EXAMPLE)
    started = graph.unassign(used)
    assert started.link.startswith(settings.ENV.graph_url)
    assert started.ask_in is not None
    running = graph.operation(started.link)
    assert not running.succeeded
    assert not running.failed
    found = graph.assignment(used)
    assert found is not None
    assert found.changing
    sandbox.call("PUT", "/state", {"hold": {"unassign": False}})
    assert graph.operation(started.link).succeeded
    found = graph.assignment(used)
    assert found is not None
    assert (found.free, found.changing, found.assignment_target_id) == (True, False, "")


def test_a_failed_unassignment_has_microsofts_sentence(sandbox: Sandbox, used: str) -> None:
    sandbox.call("PUT", "/state", {"failures": {used: "InternalError"}})
    graph = Graph(EXAMPLE)
    ended = graph.operation(graph.unassign(used).link)
    assert (ended.failed, ended.succeeded, ended.detail) == (
        True,
        False,
        "Something went wrong inside; try again later.",
    )


def test_an_unassignment_is_refused_with_microsofts_word(sandbox: Sandbox, used: str) -> None:
    graph = Graph(EXAMPLE)
    graph.unassign(used)
    with pytest.raises(errors.Refused) as caught:
        graph.unassign(used)
    assert caught.value.upstream_code == "NumberNotAssigned"
    with pytest.raises(errors.NotFound):
        graph.unassign("+442079460999")


@pytest.mark.parametrize(
    ("headers", "words"),
    [({"Location": "https://evil.example/operations('x')"}, "another host"), ({}, "where its operation")],
)
def test_an_operation_elsewhere_or_nowhere_is_not_followed(
    sandbox: Sandbox, used: str, headers: dict[str, str], words: str
) -> None:
    sandbox.fault({"mount": "graph", "method": "POST"}, {"status": 202, "headers": headers})
    with pytest.raises(errors.BadAnswer, match=words):
        Graph(EXAMPLE).unassign(used)
    with pytest.raises(errors.BadAnswer, match="another host"):
        Graph(EXAMPLE).operation("https://evil.example/operations('x')")


def test_an_assignment_is_looked_up_by_its_exact_number(sandbox: Sandbox, used: str) -> None:
    graph = Graph(EXAMPLE)
    found = graph.assignment(used)
    assert found is not None
    assert (found.e164, found.number_type, found.assignment_status) == (used, "operatorConnect", "UserAssigned")
    assert graph.assignment("+442079460999") is None
    assert graph.assignment("O'Dell") is None  # quoted, not refused


def test_a_number_is_moved_to_a_location_and_to_none(sandbox: Sandbox, used: str) -> None:
    place = next(OperatorConnect().civic_addresses(EXAMPLE)).locations[0].id
    graph = Graph(EXAMPLE)
    for location in (place, None):
        graph.update_location(used, location)
        found = graph.assignment(used)
        assert found is not None
        assert found.location_id == location
