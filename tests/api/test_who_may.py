"""Every operation × every role and scope, out of the document: a new operation is covered without a word here."""

from typing import Any

import pytest
from django.test import Client

from ocadmin.access.permissions import ROLE_PERMISSIONS, Permission, Role
from ocadmin.api.openapi import document
from ocadmin.numbers.models import Channel as Reseller
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks.models import Task
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory, TaskFactory

from .calls import Call, every
from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

NUMBER = "+442079460110"


def answer_of(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


@every
def test_nobody(call: Call, client: Client) -> None:
    answer = call.send(client)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["errorCode"] == "unauthenticated"


@every
def test_a_session_is_no_token(call: Call, alice_client: Client) -> None:
    assert call.send(alice_client).status_code == 401


@every
def test_a_token_for_something_else(call: Call, program: Programs) -> None:
    """Admin, but the token is limited to what the operation does not take."""
    other = next(one for one in Permission if one not in call.permissions)
    answer = call.send(program(scope=other.value).http)
    assert answer.status_code == 403
    assert answer.json()["errorCode"] == "forbidden"


@every
@pytest.mark.parametrize("role", Role.values)
def test_each_role(call: Call, program: Programs, role: str, contoso: Customer) -> None:
    """Who may not is told so before anything is looked up; who may is told something else."""
    answer = call.send(program(role, customer=contoso).http)
    may = bool(call.permissions & ROLE_PERMISSIONS[role])
    told = {} if answer.streaming or answer.status_code < 400 else answer.json()
    refused = answer.status_code == 403 and "This API client may not: " in told["detail"]
    assert refused != may
    assert answer.status_code < 500


@every
def test_wrong_methods(call: Call, program: Programs) -> None:
    taken = set(document()["paths"][call.path])
    for method in {"get", "post", "put", "patch", "delete"} - taken:
        answer = call.send(program().http, method)
        assert answer.status_code == 405, method
        assert answer.json()["errorCode"] == "method_not_allowed"


class TestStrangers:
    """A client of one customer, and what belongs to another one: it is not there."""

    @pytest.fixture
    def stranger(self, program: Programs, contoso: Customer) -> Program:
        return program(Role.ADMIN, customer=contoso)

    @pytest.fixture
    def theirs(self, db: None) -> dict[str, Any]:
        """Names of parameters to what another customer has."""
        channel: Reseller = ChannelFactory(ovoc_channel_id=77)
        customer: Customer = CustomerFactory(full_name="Fabrikam secret", channel=channel)
        number: PhoneNumber = PhoneNumberFactory(customer=customer, e164=NUMBER)
        task: Task = TaskFactory(title="Fabrikam secret", customer_ref=customer.pk)
        return {
            "msTenantId": str(customer.tenant_id),
            "phonenumber": number.e164,
            "taskId": task.pk,
            "customerName": "Fabrikam",
        }

    @every
    def test_nothing_is_told(self, call: Call, stranger: Program, theirs: dict[str, Any]) -> None:
        answer = call.send(stranger.http, **theirs)
        body = answer_of(answer)
        assert b"Fabrikam secret" not in body
        named = {one["name"] for one in call.operation.get("parameters", [])}
        if named & {"msTenantId", "taskId", "phonenumber"}:
            # A list by tenant may be empty as well; what changes something is never begun.
            assert answer.status_code in (400, 404) or (call.method == "get" and NUMBER.encode() not in body)
        assert set(Task.objects.values_list("pk", flat=True)) <= {theirs["taskId"]} | _own_syncs()

    @every
    def test_a_channel_out_of_reach(self, call: Call, stranger: Program, theirs: dict[str, Any]) -> None:
        answer = call.send(Client(headers={"Authorization": f"Bearer {stranger.token}", "X-Ovoc-Channel-Id": "77"}))
        assert answer.status_code == 404
        assert answer.json()["errorCode"] == "channel_not_found"


def _own_syncs() -> set[int]:
    """Synchronising what is one's own needs no name of anything."""
    return set(Task.objects.filter(kind="sync").values_list("pk", flat=True))
