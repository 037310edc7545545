"""GET /api/v3/oc/numbers: the contract, the parameters, pages."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocadmin.numbers.api import lists, reading, records
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import Task
from tests.factories import (
    CallingProfileFactory,
    ChannelFactory,
    CustomerFactory,
    PhoneNumberFactory,
    SBCFactory,
    SipConnectionFactory,
)
from tests.numbers import passes
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
    """After its first synchronisation, and any other: the example's customer is on hold."""
    call_command("load_demo")
    task = passes.finish(Task.objects.get(kind="sync"))
    assert (task.result["complete"], task.result["on_hold"]) == (True, len(EXAMPLE["data"]))
    assert passes.synchronise().result["on_hold"] == len(EXAMPLE["data"])
    answer = program().get("v3/oc/numbers", {"msTenantId": TENANT, "pageNumber": 1, "pageSize": 10})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert in_order(json.loads(answer.content)) == in_order(EXAMPLE)


FIELDS = list(EXAMPLE["data"][0])


def listed(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [record["telephoneNumber"] for record in json.loads(answer.content)["data"]]


def make(count: int, **columns: Any) -> list[str]:
    customer = columns.pop("customer", None) or CustomerFactory()
    profile = CallingProfileFactory()
    return [
        PhoneNumberFactory(e164=f"+44207947{n:04d}", customer=customer, calling_profile=profile, **columns).e164
        for n in range(1000, 1000 + count)
    ]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Active", 0),
        ("active", 0),
        ("0", 0),
        ("Release Requested", 1),
        ("ReleaseRequested", 1),
        ("RELEASE_REQUESTED", 1),
        ("MarkedForRemoval", 2),
        ("marked for removal", 2),
        ("Ready For Removal", 3),
        ("3", 3),
        ("PendingFirstSync", 4),
        ("All", None),
        ("aLL", None),
        ("", None),
    ],
)
def test_a_status_by_any_of_its_names(program: Programs, word: str, status: int | None) -> None:
    by_status = {value: PhoneNumberFactory(status=value).e164 for value in Status.values}
    answer = program().get("v3/oc/numbers", {"acquiredNumberStatus": word})
    assert set(listed(answer)) == ({by_status[status]} if status is not None else set(by_status.values()))


@pytest.mark.parametrize(
    ("number", "size"),
    [
        ("pageNumber", "pageSize"),
        ("PageNumber", "PageSize"),
        ("page_number", "page_size"),
        ("Page Number", "PAGESIZE"),
    ],
)
def test_pages_by_number(program: Programs, number: str, size: str) -> None:
    numbers, one = make(5), program()
    for page, expected in ((1, numbers[:2]), (2, numbers[2:4]), (3, numbers[4:]), (4, [])):
        answer = one.get("v3/oc/numbers", {number: page, size: 2, "unknown": "x"})
        assert listed(answer) == expected
        body = json.loads(answer.content)
        assert list(body) == ["currentPage", "pageSize", "totalPages", "totalRecords", "data"]
        assert [body[name] for name in list(body)[:4]] == [page, 2, 3, 5]


def test_the_defaults(program: Programs) -> None:
    body = json.loads(program().get("v3/oc/numbers").content)
    assert body == {"currentPage": 1, "pageSize": 200, "totalPages": 0, "totalRecords": 0, "data": []}


def test_a_tenant_without_numbers_is_no_error(program: Programs) -> None:
    customer = CustomerFactory()
    make(1)
    answer = program().get("v3/oc/numbers", {"msTenantId": str(customer.tenant_id).upper()})
    assert listed(answer) == []


def test_tenant_status_and_page_together(program: Programs) -> None:
    customer = CustomerFactory()
    numbers = make(6, customer=customer)
    PhoneNumber.objects.filter(e164__in=numbers[::2]).update(status=Status.MARKED_FOR_REMOVAL)
    query = {"msTenantId": customer.tenant_id, "acquiredNumberStatus": 2, "pageSize": 2, "pageNumber": 2}
    answer = program().get("v3/oc/numbers", query)
    assert listed(answer) == [numbers[4]]
    assert json.loads(answer.content)["totalRecords"] == 3


def test_walking_the_whole_inventory(program: Programs) -> None:
    customer = CustomerFactory()
    numbers, one = make(7, customer=customer), program()
    PhoneNumberFactory(e164="+442079461099")
    path, found = (
        f"/api/v3/oc/numbers?after=&pageSize=3&ms_tenant_id={customer.tenant_id}&acquiredNumberStatus=Active",
        [],
    )
    for expected in (3, 3, 1):
        answer = one.http.get(path)
        body = json.loads(answer.content)
        assert list(body) == ["pageSize", "nextLink", "data"]
        assert len(body["data"]) == expected
        found += listed(answer)
        path = body["nextLink"]
    assert path is None
    assert found == numbers


def test_a_walk_that_ends_with_a_full_page(program: Programs) -> None:
    make(4)
    one = program()
    body = json.loads(one.get("v3/oc/numbers", {"after": "", "pageSize": 2}).content)
    assert json.loads(one.http.get(body["nextLink"]).content)["nextLink"] is None


def test_a_number_added_elsewhere(program: Programs) -> None:
    PhoneNumberFactory(
        source="", calling_profile=None, iso_country_code="", acquired_on=None, available_capabilities=None
    )
    [record] = json.loads(program().get("v3/oc/numbers").content)["data"]
    assert list(record) == FIELDS
    assert record["source"] == "ocsync"
    assert record["sbcList"] == []
    nothing = (
        "callingProfileId",
        "isoCountryCode",
        "acquiredOn",
        "availableCapabilities",
        "uploadToAccountJobId",
        "umpCustomerGuid",
    )
    assert all(record[name] is None for name in nothing)


def test_sbcs_connections_and_channel(program: Programs) -> None:
    customer = CustomerFactory(channel=ChannelFactory(ovoc_channel_id=42), ms_company_name="Contoso at Microsoft")
    number = PhoneNumberFactory(customer=customer)
    for name, sbc in (
        ("", SBCFactory(name="A")),
        ("Group", SBCFactory(name="B", fqdn="b.example", ip_address="192.0.2.1")),
    ):
        SipConnectionFactory(
            customer=customer, calling_profile=number.calling_profile, sbc=sbc, name=name, description="Of B"
        )
    SipConnectionFactory(customer=customer)
    one = program()
    [record] = json.loads(one.get("v3/oc/numbers").content)["data"]
    assert [sbc["sbcName"] for sbc in record["sbcList"]] == ["A", "B"]
    assert (record["ocSipConnectionName"], record["ocSipConnectionDescription"]) == ("Group", "Of B")
    assert (record["ovocChannelId"], record["msCompanyName"]) == (42, "Contoso at Microsoft")
    second = json.loads(one.get(f"v2/oc/numbers/{number.e164}").content)
    assert second["sbcList"][1] == {"sbcName": "b.example [192.0.2.1]", "sbcId": record["sbcList"][1]["sbcId"]}


def test_seven_digits_hold_while_the_column_does(program: Programs) -> None:
    at = datetime.datetime(2026, 2, 16, 16, 17, 56, 142792, tzinfo=datetime.UTC)
    exact = {"whenCreated": "2026-02-16T16:17:56.1427926+00:00", "acquiredOn": "2026-02-16T17:17:56.1427926+01:00"}
    number = PhoneNumberFactory(when_created=at, acquired_on=at, exact_times=exact)
    one = program()

    def shown() -> dict[str, Any]:
        [record] = json.loads(one.get("v3/oc/numbers").content)["data"]
        return record

    assert {name: shown()[name] for name in exact} == exact
    PhoneNumber.objects.filter(pk=number.pk).update(acquired_on=at.replace(second=57))
    assert shown()["whenCreated"] == exact["whenCreated"]
    assert shown()["acquiredOn"] == "2026-02-16T16:17:57.142792+00:00"


def test_words_outside_ascii_and_lists_stay_what_they_are(program: Programs) -> None:
    words = ['Ä "quoted"', "\\", "日本"]
    PhoneNumberFactory(acquired_capabilities=words, customer=CustomerFactory(full_name="Müller & Söhne"))
    [record] = json.loads(program().get("v3/oc/numbers").content)["data"]
    assert record["acquiredCapabilities"] == words
    assert record["umpCustomerFullName"] == "Müller & Söhne"


def test_the_records_are_what_the_schema_says(program: Programs) -> None:
    make(2)
    body = json.loads(program().get("v3/oc/numbers").content)
    assert lists.Page.model_validate(body).totalRecords == 2
    assert sorted(records.NumberV3.model_fields) == sorted(FIELDS)


def test_version_2_is_a_bare_array(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "CHUNK", 3)
    one = program()
    assert json.loads(b"".join(one.get("v2/oc/numbers"))) == []
    for count in (2, 3, 7):
        PhoneNumber.objects.all().delete()
        numbers = make(count)
        found = json.loads(b"".join(one.get("v2/oc/numbers")))
        assert [record["telephoneNumber"] for record in found] == numbers
    assert list(found[0]) == list(records.NumberV2.model_fields)
    assert [name for name in FIELDS if name in found[0]] == list(found[0])


def test_one_number_with_and_without_its_plus(program: Programs) -> None:
    number, one = PhoneNumberFactory(), program()
    for text in (number.e164, number.e164[1:], f"%2B{number.e164[1:]}"):
        assert json.loads(one.get(f"v2/oc/numbers/{text}").content)["telephoneNumber"] == number.e164
    assert one.get("v2/oc/numbers/+442079469999").status_code == 404


def test_many_numbers_are_counted_once_in_a_while(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "COUNTED_AT_ONCE", 3)
    make(5)
    one = program()

    def total(**query: Any) -> int:
        return json.loads(one.get("v3/oc/numbers", {"pageSize": 1} | query).content)["totalRecords"]

    assert total() == 5
    PhoneNumberFactory()
    assert total() == 5, "of the moment when they were counted"
    assert total(pageSize=200) == 6, "a last page says it by itself"
    assert total(acquiredNumberStatus="Active", pageSize=1) == 6, "another question"
    cache.clear()
    assert total() == 6


def test_small_numbers_of_numbers_are_exact(program: Programs) -> None:
    make(5)
    one = program()
    for expected in (5, 6):
        assert json.loads(one.get("v3/oc/numbers", {"pageSize": 2}).content)["totalRecords"] == expected
        PhoneNumberFactory()


@given(size=st.integers(1, 12), count=st.integers(0, 12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_ways_of_paging_show_each_number_once(program: Programs, size: int, count: int) -> None:
    PhoneNumber.objects.all().delete()
    numbers, one = make(count), program()
    pages = -(-count // size)
    by_number = [
        e164
        for n in range(1, pages + 1)
        for e164 in listed(one.get("v3/oc/numbers", {"pageSize": size, "pageNumber": n}))
    ]
    path, by_key = f"/api/v3/oc/numbers?after=&pageSize={size}", []
    while path:
        answer = one.http.get(path)
        by_key += listed(answer)
        path = json.loads(answer.content)["nextLink"]
    assert by_number == by_key == numbers


def test_deep_pages_go_on_where_the_one_before_ended(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DEEP", 4)
    numbers, one = make(9), program()

    def page(number: int, **query: Any) -> list[str]:
        return listed(one.get("v3/oc/numbers", {"pageSize": 2, "pageNumber": number} | query))

    assert [page(n) for n in range(1, 7)] == [numbers[:2], numbers[2:4], numbers[4:6], numbers[6:8], numbers[8:], []]
    early = PhoneNumberFactory(e164="+442079470001").e164
    assert page(1) == [early, numbers[0]]
    assert page(2) == numbers[1:3]
    assert [page(3), page(4), page(5)] == [numbers[3:5], numbers[5:7], numbers[7:]]
    PhoneNumberFactory(e164="+442079470002")
    assert [page(3), page(4), page(5)] == [numbers[3:5], numbers[5:7], numbers[7:]], "not shifted by what was added"
    assert page(3, acquiredNumberStatus="Active") == numbers[2:4], "another list"
    cache.clear()
    assert page(3) == numbers[2:4]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_deep_pages_are_the_same_from_either_end(program: Programs, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(reading, "DEEP", 2)
    numbers, one = make(11), program()
    for number in (*range(1, 13), 10_000_000):
        cache.clear()
        page = listed(one.get("v3/oc/numbers", {"pageSize": size, "pageNumber": number}))
        assert page == numbers[(number - 1) * size : number * size], number
