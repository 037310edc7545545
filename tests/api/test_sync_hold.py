"""Putting a customer's synchronisation on hold through the interface, resuming it, and synchronising meanwhile."""

import pytest

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import Task
from tests.factories import CustomerFactory, PhoneNumberFactory

from .conftest import Programs

pytestmark = pytest.mark.django_db


def path(customer: Customer, verb: str) -> str:
    return f"v3/oc/customers/{customer.tenant_id}/action/{verb}-sync"


def test_hold_and_resume(program: Programs, contoso: Customer) -> None:
    client = program(Role.OPERATOR, customer=contoso)
    held = client.post(path(contoso, "hold"), {"reason": " In dispute ", "ticketId": "CHG-7"}).json()
    assert (held["msTenantId"], held["syncHoldReason"]) == (str(contoso.tenant_id), "In dispute")
    (listed,) = client.get("v3/oc/customers").json()["data"]
    assert listed == held
    assert held["syncHeldSince"] is not None
    again = client.post(path(contoso, "hold"), {"reason": "Another"})
    assert (again.status_code, again.json()["errorCode"]) == (409, "already_on_hold")
    resumed = client.post(path(contoso, "resume"), {"comment": "Settled"}).json()
    assert (resumed["syncHeldSince"], resumed["syncHoldReason"]) == (None, None)
    again = client.post(path(contoso, "resume"), {})
    assert (again.status_code, again.json()["errorCode"]) == (409, "not_on_hold")
    entries = AuditEntry.objects.filter(action__startswith="customer.").order_by("pk")
    assert [(one.action, one.message, one.ticket, one.channel) for one in entries] == [
        ("customer.sync_held", "In dispute", "CHG-7", "api"),
        ("customer.sync_resumed", "Settled", "", "api"),
    ]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \x1c"}, {"reason": "x" * 501}, {"reason": None}])
def test_a_reason_has_to_be_given(program: Programs, contoso: Customer, body: dict[str, str | None]) -> None:
    assert program().post(path(contoso, "hold"), body).status_code == 400
    assert not Customer.objects.on_hold().exists()


def test_who_may_not(program: Programs, contoso: Customer) -> None:
    other = CustomerFactory()
    for verb in ("hold", "resume"):
        body = {"reason": "x"} if verb == "hold" else {}
        assert program(Role.MONITOR, customer=contoso).post(path(contoso, verb), body).status_code == 403
        assert program(Role.ADMIN, customer=contoso).post(path(other, verb), body).status_code == 404
    assert not Customer.objects.on_hold().exists()


def test_a_synchronisation_of_nothing_else_is_refused(program: Programs, contoso: Customer) -> None:
    number = PhoneNumberFactory(customer=contoso)
    client = program(Role.OPERATOR, customer=contoso)
    client.post(path(contoso, "hold"), {"reason": "In dispute"})
    for body in ({"msTenantId": str(contoso.tenant_id)}, {"telephoneNumbers": [number.e164]}, {}):
        answer = client.post("v3/oc/sync", body)
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "sync_on_hold")
        assert "Contoso is on hold since" in answer.json()["detail"]
        plan = client.post("v3/oc/sync", body, dryRun="true").json()
        assert (plan["begins"], plan["will"]["count"]) == (False, 0)
        assert [(one["code"], one["count"]) for one in plan["leftAlone"]] == [("sync_on_hold", 0), ("on_hold", 1)]
    assert not Task.objects.exists()
    other = PhoneNumberFactory()
    plan = program().post("v3/oc/sync", {}, dryRun="true").json()
    assert (plan["begins"], plan["will"]["sample"]) == (True, [other.e164])
    assert plan["leftAlone"][0]["sample"] == [number.e164]
    assert program().post("v3/oc/sync", {}).status_code == 200
