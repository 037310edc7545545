"""Fields that nobody knows: refused where the operation is ours, ignored where the reference has it."""

import copy
import json
from typing import Any

import pytest

from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import Task
from tests.factories import PhoneNumberFactory

from .acting import refused
from .calls import CALLS, Call
from .conftest import Programs

pytestmark = pytest.mark.django_db

# What the reference has (live-platform.md, 3.2), under any version.
REFERENCES = {
    "number-status",
    "upload",
    "release",
    "unassign",
    "ready-for-removal",
    "clear-removal-status",
    "{dialPlanId}",
}
WITH_BODIES = [one for one in CALLS if isinstance(one.values[0].example, dict)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("call", WITH_BODIES)
def test_an_unknown_field(call: Call, program: Programs, contoso: Customer) -> None:
    """What is answered otherwise (a customer that is not there) is another test's business."""
    slipped = copy.deepcopy(call)
    slipped.example["msTenantID2"] = "x"
    answer = slipped.send(program().http)
    told = answer.json()
    refused = "There is no field “msTenantID2” here. The fields are: " in told.get("detail", "")
    assert refused != (call.path.rsplit("/", 1)[-1] in REFERENCES)
    assert not refused or (answer.status_code, told["errorCode"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["msTenantID2", "phoneNumbers", "telephone_number", ""])
def test_a_slip_never_synchronises_everything(program: Programs, name: str) -> None:
    problem = refused(program().post("v3/oc/sync", {name: ["+442079460110"]}), 400, "invalid_request")
    assert problem["detail"] == f"There is no field “{name}” here. The fields are: msTenantId, telephoneNumbers."


def test_a_known_field_in_any_spelling(program: Programs, contoso: Customer) -> None:
    number = PhoneNumberFactory(customer=contoso)
    body = {"MsTenantID": str(contoso.tenant_id), "telephone_numbers": [number.e164]}
    assert program().post("v3/oc/sync", body).status_code == 200
    assert Task.objects.get().params == {"numbers": [number.e164]}


def test_an_empty_list_of_numbers_is_not_everything(program: Programs) -> None:
    refused(program().post("v3/oc/sync", {"telephoneNumbers": []}), 400, "invalid_request")


def test_long_and_many_names_are_told_in_part(program: Programs) -> None:
    names: dict[str, Any] = {f"{n}{'x' * 5_000}": 1 for n in range(50)}
    problem = refused(program().post("v3/oc/sync", names), 400, "invalid_request")
    assert len(json.dumps(problem)) < 1_500
