"""One operation at every address that the reference's documentation has for it (live-platform.md, 3.2 and 8)."""

import pytest

from ocadmin.access.permissions import Permission
from ocadmin.api.openapi import document
from ocadmin.numbers.models import Customer, PhoneNumber
from tests.factories import LocationFactory, PhoneNumberFactory, SipConnectionFactory, TrunkFactory

from .conftest import Programs

pytestmark = pytest.mark.django_db

NUMBER = "+442079460110"


@pytest.fixture
def number(contoso: Customer) -> PhoneNumber:
    LocationFactory(civic_address__customer=contoso)
    number: PhoneNumber = PhoneNumberFactory(customer=contoso, e164=NUMBER)
    TrunkFactory(profile=number.calling_profile)
    SipConnectionFactory(customer=contoso, calling_profile=number.calling_profile)
    return number


@pytest.mark.parametrize(
    "paths",
    [
        ("v3/oc/lead", "v2/oc/lead", "v3/oc/leads", "v2/oc/leads"),
        ("v3/oc/callingprofile", "v2/oc/callingprofile", "v3/oc/callingprofiles", "v2/oc/callingprofiles"),
        ("v3/customer/{0}/sitelocation/{0}/dialplan", "v2/customer/{0}/sitelocation/{0}/dialplan"),
        (
            "v3/customer/{0}/sitelocation/{0}/dialplan/OCDialPlan",
            "v2/customer/{0}/sitelocation/{0}/dialplan/OCDialPlan",
        ),
    ],
)
def test_the_same_answer(program: Programs, number: PhoneNumber, paths: tuple[str, ...]) -> None:
    client = program()
    found = [client.get(path.format(number.customer.tenant_id)) for path in paths]
    assert {one.status_code for one in found} == {200}
    assert {one.content for one in found} == {found[0].content}
    assert found[0].content != b"[]"


@pytest.mark.parametrize("path", ["v3/oc/leads", "v2/oc/callingprofiles"])
def test_other_spellings_are_guarded_and_not_in_the_document(program: Programs, path: str) -> None:
    assert f"/api/{path}" not in document()["paths"]
    assert program(scope=Permission.UPLOAD.value).get(path).status_code == 403
    assert program().post(path).status_code == 405


def test_whatever_version_two_has_version_three_has() -> None:
    paths = document()["paths"]
    two = {path: set(paths[path]) for path in paths if path.startswith("/api/v2/")}
    assert len(two) > 8
    for path, methods in two.items():
        assert methods <= set(paths[path.replace("/v2/", "/v3/", 1)]), path


def test_one_number_of_version_three(program: Programs, number: PhoneNumber) -> None:
    client = program()
    (listed,) = client.get("v3/oc/numbers").json()["data"]
    assert len(listed) == 32
    for text in (NUMBER, NUMBER.removeprefix("+"), f"%2B{NUMBER[1:]}"):
        assert client.get(f"v3/oc/numbers/{text}").json() == listed
    assert client.get("v3/oc/numbers/+442079460119").json()["errorCode"] == "number_not_found"
    assert client.get("v3/oc/numbers/export.csv").headers["Content-Type"].startswith("text/csv")


def test_with_and_without_tenantui(program: Programs, number: PhoneNumber) -> None:
    """Answers and errors name the address without it; nothing else is there."""
    http = program().http
    one = http.get("/tenantui/api/v3/oc/numbers?pageSize=1&after=")
    assert one.json()["data"][0]["telephoneNumber"] == NUMBER
    missing = http.get("/tenantui/api/v2/task/none")
    assert (missing.status_code, missing.json()["instance"]) == (404, "/api/v2/task/none")
    assert http.get("/tenantui/api/nothing").json()["errorCode"] == "not_found"
    assert http.get("/tenantui/numbers/").status_code == 404
    for path in ("/api/V3/OC/Numbers", "/TenantUI/API/v3/oc/NUMBERS/"):
        assert http.get(path).status_code == 200, path
    assert http.get("/tenantui/tenantui/api/v3/oc/numbers").status_code == 404


def test_with_and_without_a_slash_at_the_end(program: Programs, number: PhoneNumber) -> None:
    """Actions too: nothing is sent elsewhere, which would lose the body."""
    client = program()
    assert client.get("v3/oc/numbers/", pageSize=1).json() == client.get("v3/oc/numbers", pageSize=1).json()
    assert client.get(f"v2/oc/numbers/{NUMBER}/").json() == client.get(f"v2/oc/numbers/{NUMBER}").json()
    planned = client.post("v3/oc/numbers/action/ready-for-removal/", [NUMBER], dryRun="true")
    assert planned.json()["operation"] == "approve-removal"
    assert client.http.get("/tenantui/api/v3/oc/numbers/").status_code == 200
    assert client.get("v3/oc/numbers//").json()["instance"] == "/api/v3/oc/numbers/"


def test_a_walk_may_begin_after_a_number_as_it_is_typed(program: Programs, number: PhoneNumber) -> None:
    """The plus of an address comes as a blank."""
    before = NUMBER.replace("110", "100")
    typed = program().http.get(f"/api/v3/oc/numbers?after={before}")
    assert [one["telephoneNumber"] for one in typed.json()["data"]] == [NUMBER]
    assert program().get("v3/oc/numbers", {"after": before}).json() == typed.json()


def test_the_root_tells_nothing_of_its_making(program: Programs) -> None:
    assert program().get("").json()["detail"] == "There is nothing at this address."
