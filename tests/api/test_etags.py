"""ETag and If-None-Match on everything that is read."""

import pytest

from ocadmin.access.permissions import Role
from ocadmin.numbers.models import PhoneNumber
from tests.factories import PhoneNumberFactory

from .conftest import Programs

pytestmark = pytest.mark.django_db

LISTS = ["v3/oc/numbers", "v3/oc/numbers?after=", "v3/oc/tasks", "v3/oc/customers", "v3/oc/released-numbers"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"x", {tag}', "*"])
def test_what_the_client_has_is_not_sent_again(program: Programs, path: str, known: str) -> None:
    PhoneNumberFactory()
    client = program()
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": known.replace("{tag}", first["ETag"])})
    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]


def test_what_has_changed_is_sent(program: Programs) -> None:
    number = PhoneNumberFactory()
    client = program()
    first = client.get("v3/oc/numbers")
    PhoneNumber.objects.filter(pk=number.pk).update(assignment_status="UserAssigned")
    again = client.get("v3/oc/numbers", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]


def test_what_another_client_may_not_see_is_not_confirmed(program: Programs) -> None:
    """The tag is of the answer: who sees less has another one."""
    number = PhoneNumberFactory()
    tag = program().get("v3/oc/numbers")["ETag"]
    other = program(Role.MONITOR, customer=PhoneNumberFactory().customer)
    answer = other.get("v3/oc/numbers", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert number.e164.encode() not in answer.content


def test_only_who_asked_may_keep_it(program: Programs) -> None:
    answer = program().get("v3/oc/numbers")
    assert answer["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer["Vary"]


def test_streams_and_errors_have_none(program: Programs) -> None:
    client = program()
    assert "ETag" not in client.get("v2/oc/numbers")
    missing = client.get("v2/oc/numbers/+442079460000", headers={"If-None-Match": "*"})
    assert missing.status_code == 404
    assert "ETag" not in missing
