"""GET and PATCH /api/v2/customer/{id}/sitelocation/{siteId}/dialplan/{dialPlanId}."""

import uuid
from typing import Any

import pytest

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import SipConnection
from ocadmin.tasks.models import Task, TaskState
from sbc.models import DialPlanRule
from tests.factories import CustomerFactory, PhoneNumberFactory, SBCFactory, SipConnectionFactory, TrunkFactory
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

from .acting import e164s, refused, task_of
from .conftest import Programs

pytestmark = pytest.mark.django_db

TAG = "trunk1.emea.example"


def path_of(world: World, plan: str = "/OCDialPlan") -> str:
    site = SipConnection.objects.get(customer=world.customer)
    return f"v2/customer/{world.customer.pk}/sitelocation/{site.pk}/dialplan{plan}"


def test_the_rules_of_the_customers_numbers(world: World, program: Programs) -> None:
    """And of nobody else's on the same SBC; by each id of the customer and of the site."""
    mine = world.numbers(2)
    world.numbers(1, first=442079460600, customer=world.new_customer(SAUERLAND, "Sauerland"))
    guid = uuid.uuid4()
    world.customer.ump_customer_guid = guid
    world.customer.save()
    expected = {
        "dialPlanId": "OCDialPlan",
        "ruleDTO": [{"name": "Harbourline", "prefix": number.e164, "tag": TAG} for number in mine],
    }
    caller = program(Role.MONITOR, customer=world.customer)
    assert caller.get(path_of(world)).json() == expected
    assert caller.get(path_of(world, "")).json() == [expected]
    site = SipConnection.objects.get(customer=world.customer).pk
    for customer, place in ((guid, guid), (world.customer.tenant_id, site), (guid, world.customer.pk + 10**6)):
        answer = caller.get(f"v2/customer/{customer}/sitelocation/{place}/dialplan/ocdialplan")
        assert answer.status_code == (200 if place in (guid, site) else 404), (customer, place)
    for wrong in (
        path_of(world, "/CustDialPlan"),
        path_of(world).replace(f"customer/{world.customer.pk}", "customer/x"),
    ):
        assert caller.get(wrong).status_code == 404
    assert program(Role.ADMIN, customer=CustomerFactory()).get(path_of(world)).status_code == 404
    SipConnectionFactory(customer=world.customer, calling_profile=world.profile, sbc=SBCFactory())
    answer = caller.get(f"v2/customer/{guid}/sitelocation/{guid}/dialplan/OCDialPlan")
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "site_unclear")


def test_a_missing_rule_is_written_and_a_spare_one_taken_off(world: World, program: Programs) -> None:
    world.route(world.numbers(1, routed=False))
    (missing,) = e164s(world.numbers(1, first=442079460600, routed=False))
    spare = "+442079460990"
    world.sandbox.call(
        "POST",
        "/sbc/emea-sp1-sbc",
        {"rules": [{"name": "Harbourline", "prefix": prefix, "tag": TAG} for prefix in ("+442079460500", spare)]},
    )
    DialPlanRule.objects.create(sbc=world.sbc, prefix=spare, name="Harbourline", tag=TAG, present=True)
    body = {
        "dialPlanId": "OCDialPlan",
        "add": [{"Name": "anything", "Prefix": f"{missing}#", "Tag": TAG.upper()}, {"prefix": "+442079460500"}],
        "remove": [{"name": "Harbourline", "prefix": spare, "tag": TAG}],
    }
    plan = program().patch(path_of(world), body, dryRun="true").json()
    assert (plan["begins"], plan["will"]["sample"]) == (True, [missing, spare])
    assert [group["code"] for group in plan["leftAlone"]] == ["already"]
    assert not Task.objects.exists()
    assert world.device_prefixes() == {"+442079460500", spare}
    task = passes.finish(task_of(program().patch(path_of(world), body, ticketId="CHG-5", comment="as agreed")))
    assert (task.state, task.succeeded, task.unchanged, task.ticket) == (TaskState.SUCCEEDED, 2, 1, "CHG-5")
    assert world.device_prefixes() == {"+442079460500", missing}
    actions = dict(AuditEntry.objects.filter(task_ref=task.pk, object_type="number").values_list("object_id", "action"))
    assert actions == {missing: "routing.written", spare: "routing.removed"}
    assert [rule["prefix"] for rule in program().get(path_of(world)).json()["ruleDTO"]] == ["+442079460500", missing]


def test_only_what_is_right_anyway(world: World, program: Programs) -> None:
    (mine,) = e164s(world.numbers(1))
    (theirs,) = e164s(
        world.numbers(1, first=442079460600, customer=world.new_customer(SAUERLAND, "Sauerland"), routed=False)
    )
    external = PhoneNumberFactory(customer=world.customer, calling_profile=world.profile, source=Source.EXTERNAL)
    leaving = PhoneNumberFactory(
        customer=world.customer, calling_profile=world.profile, status=Status.READY_FOR_REMOVAL
    )
    elsewhere = PhoneNumberFactory(customer=world.customer)
    TrunkFactory(profile=elsewhere.calling_profile, sbc=SBCFactory())
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"add": [{"prefix": "+44"}]}, 400, "not_their_number"),
        ({"add": [{"prefix": "[1-5]xx"}]}, 400, "not_their_number"),
        ({"add": [{"prefix": theirs}]}, 400, "not_their_number"),
        ({"add": [{"prefix": external.e164}]}, 409, "external"),
        ({"add": [{"prefix": leaving.e164}]}, 409, "leaving"),
        ({"add": [{"prefix": elsewhere.e164}]}, 409, "other_sbc"),
        ({"add": [{"prefix": mine, "tag": "evil.example"}]}, 409, "other_tag"),
        ({"remove": [{"prefix": mine}]}, 409, "in_use"),
        ({"remove": [{"prefix": theirs}]}, 400, "no_spare_rule"),
        ({"remove": [{"prefix": "+442079460999"}]}, 400, "no_spare_rule"),
        ({"add": [{"prefix": mine}], "remove": [{"prefix": mine}]}, 400, "contradictory"),
        ({"dialPlanId": "Other", "add": [{"prefix": mine}]}, 400, "contradictory"),
        ({}, 400, "no_rules"),
        ({"add": [{"name": "x"}]}, 400, "invalid_request"),
        ({"add": [{"prefix": "\x00"}]}, 400, "invalid_request"),
        ({"add": "x"}, 400, "invalid_request"),
    ]
    for body, status, code in cases:
        refused(program().patch(path_of(world), body), status, code)
    assert world.device_prefixes() == {mine}
    for caller, status in (
        (program(Role.LITE_OPERATOR), 403),
        (program(Role.MONITOR, customer=world.customer), 403),
        (program(Role.OPERATOR, customer=CustomerFactory()), 404),
        (program(Role.OPERATOR, customer=world.customer), 200),
    ):
        answer = caller.patch(path_of(world), {"add": [{"prefix": mine}]}, dryRun="true")
        assert answer.status_code == status
