"""POST /api/v2|v3/oc/numbers/action/release: to the end, and all that is refused."""

from typing import Any

import pytest
from django.conf import settings

from ocadmin.access import services
from ocadmin.access.audit import Channel
from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber
from ocadmin.tasks.models import ItemState, Task, TaskState
from sbc.models import State
from tests.factories import ChannelFactory, CustomerFactory, PhoneNumberFactory
from tests.numbers import passes, unassigning
from tests.numbers.world import EMEA_SLUG, SAUERLAND, World

from .acting import e164s, of, refused, task_of
from .conftest import Programs

pytestmark = pytest.mark.django_db

PATH = "v2/oc/numbers/action/release"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (PATH, "array"),
        (PATH, "object"),
        (PATH.replace("v2", "v3"), "other name"),
        (PATH, "any case"),
        (PATH.replace("v2", "v3"), "range"),
    ],
)
def test_numbers_are_released_to_the_end(world: World, program: Programs, path: str, form: str) -> None:
    numbers = e164s(world.numbers(2))
    body: Any = {
        "array": numbers,
        "object": {"telephoneNumbers": numbers},
        "other name": {"PhoneNumbersList": numbers},
        "any case": {"TelephoneNumbers": numbers},
        "range": {"phoneNumberRanges": [{"start": numbers[0], "end": numbers[1]}]},
    }[form]
    caller = program()
    task = task_of(caller.post(path, body, ticketId="CHG-1", comment="moved away", **of(world)))
    assert (task.channel, task.ticket, task.actor_name, task.total) == (Channel.API, "CHG-1", "portal 0", 2)
    assert task.params.get("range", False) == (form == "range")
    passes.finish(task)
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 2)
    assert not PhoneNumber.objects.exists()
    assert ReleasedNumber.objects.count() == 2
    assert world.device_prefixes() == set()
    assert [world.status_at_microsoft(number) for number in numbers] == [None, None]
    entry = AuditEntry.objects.filter(action="release.completed").first()
    assert entry is not None
    assert (entry.actor_name, entry.channel, entry.ticket) == ("portal 0", Channel.API, "CHG-1")


def test_a_dry_run_answers_the_plan_and_begins_nothing(world: World, program: Programs) -> None:
    numbers = e164s(world.numbers(2))
    used = e164s(world.numbers(1, first=442079460600, assignment_status="UserAssigned"))
    answer = program().post(PATH, [*numbers, *used, "+442079460999"], dryRun="true", **of(world))
    assert answer.status_code == 200
    plan = answer.json()
    assert (plan["operation"], plan["begins"], plan["total"]) == ("release", False, 4)
    assert plan["will"] == {"count": 2, "sample": numbers}
    assert {group["code"]: group["sample"] for group in plan["leftAlone"]} == {
        "assigned": used,
        "unknown_number": ["+442079460999"],
    }
    assert program().post(PATH, numbers, dryRun="true", **of(world)).json()["begins"] is True
    assert not Task.objects.exists()
    assert set(PhoneNumber.objects.values_list("status", flat=True)) == {Status.ACTIVE}
    assert not world.posts("/releases")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"assignment_status": "UserAssigned"}, "assigned"),
        ({"status": Status.PENDING_FIRST_SYNC}, "pending_first_sync"),
        ({"status": Status.MARKED_FOR_REMOVAL}, "leaving"),
        ({"status": Status.RELEASE_REQUESTED}, "requested"),
    ],
)
def test_one_number_that_cannot_go_holds_all_and_is_named(
    world: World, program: Programs, fields: dict[str, Any], code: str
) -> None:
    numbers = e164s(world.numbers(1))
    bad = e164s(world.numbers(1, first=442079460600, routed=False, **fields))[0]
    body = refused(program().post(PATH, [*numbers, bad], **of(world)), 409, code)
    assert [(one["telephoneNumber"], one["code"]) for one in body["errors"]] == [(bad, code)]
    assert bad in body["detail"]
    assert numbers[0] not in body["detail"]
    assert PhoneNumber.objects.get(e164=numbers[0]).status == Status.ACTIVE


def test_partly_is_possible_where_it_is_asked_for(world: World, program: Programs) -> None:
    numbers = e164s(world.numbers(1))
    used = e164s(world.numbers(1, first=442079460600, assignment_status="UserAssigned"))
    body = [*numbers, *used, "+442079460999"]
    task = passes.finish(task_of(program().post(PATH, body, allowPartial="true", **of(world))))
    states = dict(task.items.values_list("key", "state"))
    assert states == {
        numbers[0]: ItemState.SUCCEEDED,
        used[0]: ItemState.REFUSED,
        "+442079460999": ItemState.REFUSED,
    }
    again = program().post(PATH, used, allowPartial="true", **of(world))
    assert (again.status_code, again.json()["errorCode"]) == (409, "assigned")


def test_a_busy_number_is_refused_until_it_is_free(world: World, program: Programs) -> None:
    numbers = e164s(world.numbers(1))
    task_of(program().post(PATH, numbers, **of(world)))
    answer = program().post("v2/oc/numbers/action/unassign", numbers, allowPartial="true", **of(world))
    assert answer.status_code in (200, 409)
    again = program().post(PATH, numbers, **of(world))
    assert (again.status_code, again.json()["errorCode"]) == (409, "requested")


def test_numbers_of_two_customers_are_refused(world: World, program: Programs) -> None:
    other = world.new_customer(SAUERLAND, "Sauerland")
    mine = e164s(world.numbers(1))
    theirs = e164s(world.numbers(1, first=442079460600, customer=other))
    body = refused(program().post(PATH, [*mine, *theirs], **of(world)), 400, "other_customer")
    assert [one["telephoneNumber"] for one in body["errors"]] == theirs
    # to a program that may not see the other customer the number is unknown
    hidden = program(Role.OPERATOR, customer=world.customer).post(PATH, [*mine, *theirs], **of(world))
    unknown = program(Role.OPERATOR, customer=world.customer).post(PATH, [*mine, "+442079460999"], **of(world))
    assert hidden.json()["detail"].replace(theirs[0], "+442079460999") == unknown.json()["detail"]
    refused(hidden, 400, "unknown_number")


BAD: list[tuple[Any, str]] = [
    ([], "no_numbers"),
    ({}, "no_numbers"),
    ({"telephoneNumbers": []}, "no_numbers"),
    (["+44 20 7946 0500"], "not_e164"),
    (["442079460500"], "not_e164"),
    (["+4420794O0500"], "letters"),
    (["+442079460500\x00"], "invalid_request"),
    ([5], "invalid_request"),
    ("+442079460500", "invalid_request"),
    (None, "invalid_request"),
    ({"telephoneNumbers": "+442079460500"}, "invalid_request"),
    ({"telephoneNumbers": ["+" + "4" * 70]}, "invalid_request"),
    ([f"+4420{n:08d}" for n in range(10_001)], "invalid_request"),
    ({"phoneNumberRanges": [{"start": "+442079460510", "end": "+442079460500"}]}, "range_reversed"),
    ({"phoneNumberRanges": [{"start": "+4930123456", "end": "+49301234567"}]}, "range_mixed_length"),
    ({"phoneNumberRanges": [{"start": "+442079460500", "end": "+442080460500"}]}, "range_too_large"),
    ({"phoneNumberRanges": [{"start": "+442079460500"}]}, "invalid_request"),
    ({"phoneNumberRanges": [{"start": "0", "end": "1"}]}, "leading_zero"),
    (
        {"phoneNumberRanges": [{"start": f"+44207{n}00000", "end": f"+44207{n}09999"} for n in (94, 95)]},
        "too_many_numbers",
    ),
    ({"phoneNumberRanges": [{"start": "+442079460000", "end": "+442079469999"}] * 2}, "too_many_numbers"),
]


def test_what_is_wrong_with_a_request_is_said(program: Programs) -> None:
    number = PhoneNumberFactory()
    for body, code in BAD:
        answer = program().post(PATH, body, msTenantId=number.customer.tenant_id)
        refused(answer, 400, code)
    for tenant in ("", "x", "00000000-0000-0000-0000-00000000000g"):
        refused(program().post(PATH, [number.e164], msTenantId=tenant), 400, "invalid_request")
    refused(program().post(PATH, [number.e164]), 400, "invalid_request")
    caller = program()
    caller.http.defaults.pop("HTTP_AUTHORIZATION")
    refused(caller.post(PATH, [number.e164], msTenantId=number.customer.tenant_id), 401, "unauthenticated")
    narrow = program(Role.ADMIN, "view upload")
    refused(narrow.post(PATH, [number.e164], msTenantId=number.customer.tenant_id), 403, "forbidden")


@pytest.mark.parametrize("verb", ["release", "unassign"])
def test_roles_and_places(program: Programs, verb: str) -> None:
    """A dry run takes the same permission."""
    customer = CustomerFactory(channel=ChannelFactory())
    number = PhoneNumberFactory(customer=customer, assignment_status="Unassigned")
    lite = 200 if verb == "unassign" else 403
    cases: list[tuple[str, dict[str, Any], int]] = [
        (Role.ADMIN, {}, 200),
        (Role.OPERATOR, {"channel": customer.channel}, 200),
        (Role.OPERATOR, {"customer": customer}, 200),
        (Role.OPERATOR, {"customer": CustomerFactory()}, 404),
        (Role.OPERATOR, {"channel": ChannelFactory()}, 404),
        (Role.LITE_OPERATOR, {}, lite),
        (Role.MONITOR, {"customer": customer}, 403),
    ]
    for role, place, status in cases:
        for dry in ("true", "false"):
            path = f"v3/oc/numbers/action/{verb}"
            answer = program(role, **place).post(path, [number.e164], dryRun=dry, msTenantId=customer.tenant_id)
            assert answer.status_code == status, (role, place, answer.content)
            assert Task.objects.exists() == (status == 200 and dry == "false")
            Task.objects.all().delete()
            PhoneNumber.objects.update(status=Status.ACTIVE)


def test_who_may_see_a_customer_but_not_release_there_is_told_so(world: World, program: Programs) -> None:
    caller = program(Role.OPERATOR, customer=CustomerFactory())
    services.grant(caller.client, Role.MONITOR, by=SYSTEM, channel="command", place={"customer": world.customer})
    refused(caller.post(PATH, e164s(world.numbers(1)), **of(world)), 403, "forbidden")


def test_ranges_wait_for_every_sbc(world: World, program: Programs) -> None:
    numbers = e164s(world.numbers(2))
    world.sbc.state = State.OFFLINE
    world.sbc.save()
    body = {"phoneNumberRanges": [{"start": numbers[0], "end": numbers[1]}]}
    refused(program().post(PATH, body, **of(world)), 409, "sbc_offline")
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", {"online": False})
    assert program().post(PATH, numbers, dryRun="1", **of(world)).json()["will"]["count"] == 2


def test_ten_in_ten_seconds(program: Programs) -> None:
    caller, tenant = program(), CustomerFactory().tenant_id
    for _ in range(10):
        refused(caller.post(PATH, ["+442079460999"], msTenantId=tenant), 400, "unknown_number")
    answer = caller.post(PATH.replace("v2", "v3"), ["+442079460999"], msTenantId=tenant)
    refused(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    refused(program().post(PATH, ["+442079460999"], msTenantId=tenant), 400, "unknown_number")


def test_gaps_in_a_range_are_named(world: World, program: Programs) -> None:
    numbers = e164s(world.numbers(2))
    PhoneNumberFactory(e164="+442079460503", customer=world.customer)
    body = {"phoneNumberRanges": [{"start": numbers[0], "end": "+442079460503"}]}
    gap = refused(program().post(PATH, body, **of(world)), 400, "unknown_number")
    assert [one["telephoneNumber"] for one in gap["errors"]] == ["+442079460502"]


def test_a_release_that_was_not_sent_can_be_withdrawn(
    world: World, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "release_grace_seconds", 3600)
    numbers = e164s(world.numbers(2))
    release = task_of(program().post(PATH, numbers, **of(world)))
    path = "v3/oc/numbers/action/withdraw-release"
    assert program().post(path, numbers, dryRun="true", **of(world)).json()["will"]["count"] == 2
    task_of(program().post(path, numbers[:1], ticketId="CHG-4", **of(world)))
    assert dict(PhoneNumber.objects.values_list("e164", "status")) == {
        numbers[0]: Status.ACTIVE,
        numbers[1]: Status.RELEASE_REQUESTED,
    }
    assert dict(release.items.values_list("key", "code"))[numbers[0]] == "withdrawn"
    again = program().post(path, numbers[:1], **of(world))
    assert (again.status_code, again.json()["errorCode"]) == (409, "not_requested")
    assert program(Role.LITE_OPERATOR).post(path, numbers, **of(world)).status_code == 403


def test_assigned_numbers_are_unassigned_then_released(world: World, program: Programs) -> None:
    (used,) = e164s(world.numbers(1, assignment_status="UserAssigned", assignment_target_id="3f2a"))
    path = "v3/oc/numbers/action/unassign-release"
    plan = program().post(path, [used], dryRun="true", **of(world)).json()
    assert (plan["begins"], plan["will"]["sample"]) == (True, [used])
    refused(program(Role.ADMIN, "view release").post(path, [used], **of(world)), 403, "not_permitted")
    task = unassigning.finish(task_of(program().post(path, [used], **of(world))))
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, 1), task.message
    assert passes.finish(Task.objects.get(kind="release")).succeeded == 1
    assert ReleasedNumber.objects.get().e164 == used
