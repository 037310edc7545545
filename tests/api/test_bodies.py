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


UUID = "00000000-0000-4000-8000-000000000000"
DEEP = b"[" * 100_000 + b"]" * 100_000
HUGE = b'{"msTenantId": ' + b"9" * 400 + b"}"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "Send a body in JSON."),
        (b"null", "The body has to be a JSON object."),
        (b"[]", "The body has to be a JSON object."),
        (b'"x"', "The body has to be a JSON object."),
        (DEEP, "The body is not JSON, or is nested too deeply."),
        (HUGE, "The body is not JSON, or is nested too deeply."),
        (b'{"msTenantId": NaN}', "The body is not JSON, or is nested too deeply."),
        (b'{"msTenantId": "\xff"}', "The body is not JSON, or is nested too deeply."),
        (b'{"msTenantId": "\\ud800"}', "The body is not JSON, or is nested too deeply."),
        (b'{"msTenantId": "\\u0000"}', "The character NUL (U+0000) cannot be used."),
    ],
)
def test_bodies_that_are_none(program: Programs, body: bytes, sentence: str) -> None:
    answer = program().http.post("/api/v3/oc/sync", body, "application/json")
    assert refused(answer, 400, answer.json()["errorCode"])["detail"] == sentence


def test_an_object_where_numbers_belong(program: Programs, contoso: Customer) -> None:
    client, tenant = program(), {"msTenantId": str(contoso.tenant_id)}
    path = "v3/oc/numbers/action/unassign"
    for body in ({"telephoneNumbers": {"a": 1}}, {"phoneNumberRanges": ["+44"]}, [{"a": 1}], ["+44", None], [44], 44):
        refused(client.post(path, body, **tenant), 400, "invalid_request")
    problem = refused(client.post(path, {"phoneNumberRanges": [1]}, **tenant), 400, "invalid_request")
    assert problem["detail"] == "phoneNumberRanges.0: write a JSON object"


@pytest.mark.parametrize("second", ["msTenantId", "MsTenantID", "ms_tenant_id"])
def test_a_parameter_that_says_two_things(program: Programs, contoso: Customer, second: str) -> None:
    """Nobody can know which of two customers was meant."""
    http, tenant = program().http, contoso.tenant_id
    path = f"/api/v3/oc/numbers/action/release?msTenantId={tenant}"
    answer = http.post(f"{path}&{second}={UUID}", ["+442079460110"], "application/json")
    problem = refused(answer, 400, "invalid_request")
    assert problem["detail"] == "msTenantId: it stands there twice, with different values."
    assert http.get(f"/api/v3/oc/numbers?msTenantId={tenant}&{second}={tenant}&x=1&x=2").status_code == 200
