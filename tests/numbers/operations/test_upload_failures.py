"""What goes wrong with uploads: each failed number says why, the rest goes through, no rule stays for nothing."""

import uuid
from typing import Any

import pytest

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import Customer, PhoneNumber, UpstreamJob
from ocadmin.numbers.operations import upload
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from sbc.models import SBC, DialPlanRule
from tests.factories import CustomerFactory, PhoneNumberFactory, SipConnectionFactory, TaskFactory, TaskItemFactory
from tests.numbers import passes
from tests.numbers.world import EMEA_SLUG, SAUERLAND, World

from .uploads import NUMBERS, place, rows, settings_for, submit

__all__ = ["place"]
pytestmark = pytest.mark.django_db

# Endings with which the sandbox fails an upload (upstreams.md §9.7 F06).
MAGIC = {
    "+442079460790": "UnknownCountryCode",
    "+442079460791": "UnableToMatchGeographyEntry",
    "+442079460792": "UnableToRetrieveLocation",
    "+442079460793": "NumberOwnedByAnotherTenant",
    "+442079460794": "InternalError",
}
US_SBC, US_SLUG = 11, "us-sp1-sbc"
PLANS = [
    {
        "usage": "CallingUserAssignment",
        "mandatory_capabilities": ["Office365", "UserAssignment"],
        "choosable_capabilities": ["InboundCalling", "OutboundCalling"],
        "supports_toll_free": False,
    }
]


def outcomes(task: Task) -> dict[str, tuple[str, str]]:
    return {item.key: (item.state, item.code) for item in task.items.all()}


def offline(world: World, slug: str = EMEA_SLUG) -> None:
    world.sandbox.call("POST", f"/sbc/{slug}", {"online": False})


def online(world: World, slug: str = EMEA_SLUG) -> None:
    world.sandbox.call("POST", f"/sbc/{slug}", {"online": True})


def second_sbc(world: World, **fields: Any) -> SBC:
    """Calls of the customer's numbers go over two SBCs from now on."""
    values = {"username": world.sbc.username, "sealed_password": world.sbc.sealed_password} | fields
    sbc = SBC.objects.create(pk=US_SBC, name="US SP1 SBC", rest_url=f"{world.sandbox.url}/sbc/{US_SLUG}", **values)
    world.sandbox.call("POST", f"/sbc/{US_SLUG}", {"rules": []})
    SipConnectionFactory(customer=world.customer, calling_profile=world.profile, sbc=sbc)
    return sbc


def test_partial_failure_and_the_way_back(place: World) -> None:
    task = passes.finish(submit(rows(place, [NUMBERS[0], *MAGIC])))
    assert (task.state, task.succeeded, task.failed) == (TaskState.PARTIAL, 1, 5)
    assert outcomes(task) == {
        NUMBERS[0]: (ItemState.SUCCEEDED, ""),
        **{e164: (ItemState.FAILED, code) for e164, code in MAGIC.items()},
    }
    assert all(item.message.endswith(".") for item in task.items.all())
    assert place.device_prefixes() == {NUMBERS[0]}
    assert set(PhoneNumber.objects.values_list("e164", flat=True)) == {NUMBERS[0]}
    assert not DialPlanRule.objects.filter(wanted=False).exists()


def test_failed_numbers_can_be_tried_again_with_their_settings(place: World) -> None:
    users, apps = settings_for(place), settings_for(place, usage="FirstPartyAppAssignment")
    wanted = zip(MAGIC, [users, apps, users, apps, users], strict=True)
    task = passes.finish(submit(upload.rows_of(wanted), channel="api"))
    assert task.state == TaskState.FAILED
    place.sandbox.call("PUT", "/state", {"magicSuffixes": False})
    again = passes.finish(services.retry_failed(task, by=SYSTEM, channel="web"))
    assert (again.state, again.succeeded) == (TaskState.SUCCEEDED, 5), again.message
    usages = dict(PhoneNumber.objects.values_list("e164", "usage"))
    assert usages == {e164: (users, apps)[place % 2].usage for place, e164 in enumerate(MAGIC)}
    assert set(PhoneNumber.objects.values_list("source", flat=True)) == {Source.WEB_API}
    assert place.device_prefixes() == set(MAGIC)


def test_an_unknown_tenant_is_refused_before_an_sbc_is_touched(place: World) -> None:
    Customer.objects.filter(pk=place.customer.pk).update(tenant_id=uuid.uuid4(), usage_plans=PLANS)
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "tenant_unknown")}
    assert place.device_prefixes() == set()
    assert not DialPlanRule.objects.exists()
    assert not place.posts("/uploads")


def test_a_number_of_another_tenant_fails_alone_and_keeps_its_routing(place: World) -> None:
    """upstreams.md §9.7 F13: never overwritten."""
    other = place.new_customer(SAUERLAND, "Sauerland")
    theirs = PhoneNumberFactory.build(e164=NUMBERS[1], customer=other, calling_profile=place.profile)
    place.at_microsoft([theirs])
    place.sandbox.call(
        "POST", f"/sbc/{EMEA_SLUG}", {"rules": [{"name": "Other", "prefix": NUMBERS[1], "tag": "their.trunk"}]}
    )
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert outcomes(task) == {
        NUMBERS[0]: (ItemState.SUCCEEDED, ""),
        NUMBERS[1]: (ItemState.FAILED, "NumberOwnedByAnotherTenant"),
    }
    running = place.sandbox.call("GET", f"/sbc/{EMEA_SLUG}")["running"]
    assert {rule["prefix"]: rule["tag"] for rule in running}[NUMBERS[1]] == "their.trunk"


def test_a_number_that_the_tenant_has_already_is_left_alone(place: World) -> None:
    ours = PhoneNumberFactory.build(e164=NUMBERS[1], customer=place.customer, calling_profile=place.profile)
    place.at_microsoft([ours])
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert outcomes(task)[NUMBERS[1]] == (ItemState.FAILED, "already_at_microsoft")
    assert place.device_prefixes() == {NUMBERS[0]}


def test_a_consent_that_was_withdrawn_leaves_nothing_behind(place: World) -> None:
    place.sandbox.call("POST", "/customer", {"tenantId": str(place.customer.tenant_id), "action": "suspendConsent"})
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "ConsentNotActive")}
    assert place.device_prefixes() == set()
    assert not PhoneNumber.objects.exists()


def test_what_changed_since_the_plan_is_caught_number_by_number(place: World) -> None:
    numbers = [*NUMBERS, "+442079460702"]
    task = submit(rows(place, numbers))
    PhoneNumberFactory(e164=numbers[0])
    PhoneNumberFactory(e164=numbers[1], customer=place.customer)
    passes.finish(task)
    assert outcomes(task) == {
        numbers[0]: (ItemState.FAILED, "foreign"),
        numbers[1]: (ItemState.UNCHANGED, "already"),
        numbers[2]: (ItemState.SUCCEEDED, ""),
    }
    assert place.device_prefixes() == {numbers[2]}


def test_two_tasks_never_take_the_same_number(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one comes between the judgement and the rows: the rule of the database decides."""
    from ocadmin.numbers.operations.upload import planning

    judge = planning.judge

    def late(*args: Any, **more: Any) -> Any:
        found = judge(*args, **more)
        TaskItemFactory(task=TaskFactory(), key=NUMBERS[0])
        return found

    monkeypatch.setattr(planning, "judge", late)
    task = submit(rows(place, NUMBERS))
    assert outcomes(task) == {NUMBERS[0]: (ItemState.REFUSED, "busy"), NUMBERS[1]: (ItemState.PENDING, "")}
    assert (task.total, task.refused) == (2, 1)


def test_an_sbc_that_is_offline_parks_the_task_until_it_is_back(place: World) -> None:
    offline(place)
    task = passes.advance(submit(rows(place, NUMBERS)))
    assert task.state == TaskState.WAITING
    assert "EMEA SP1 SBC" in task.message
    assert not place.posts("/uploads")
    online(place)
    Task.objects.filter(pk=task.pk).update(cursor=task.cursor | {"waiting_for": {}})
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED
    assert place.device_prefixes() == set(NUMBERS)


def test_numbers_of_another_sbc_do_not_wait(place: World) -> None:
    other = CustomerFactory(tenant_id=SAUERLAND, full_name="Sauerland")
    sbc = second_sbc(place)
    SipConnectionFactory(customer=other, calling_profile=place.profile, sbc=sbc)
    place.customer.sip_connections.filter(sbc=sbc).delete()
    offline(place)
    held, free = settings_for(place), settings_for(place, customer=other.pk)
    task = passes.advance(submit(upload.rows_of([(NUMBERS[0], held), (NUMBERS[1], free)])))
    for _slice in range(3):
        passes.advance(task)
    assert task.state == TaskState.WAITING
    assert outcomes(task)[NUMBERS[1]] == (ItemState.SUCCEEDED, "")
    assert PhoneNumber.objects.get().customer == other


def test_an_sbc_that_refuses_us_fails_its_numbers_and_is_not_asked_again(place: World) -> None:
    second_sbc(place, username="nobody")
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "sbc_bad_credentials")}
    assert not place.posts("/uploads")
    assert place.device_prefixes() == set()  # what was written to the other SBC goes again
    assert not DialPlanRule.objects.filter(wanted=True).exists()


def test_a_full_sbc_is_not_written_by_halves(place: World) -> None:
    SBC.objects.update(max_rules=1)
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "sbc_table_full")}
    assert place.device_prefixes() == set()


def test_a_spare_rule_that_cannot_be_removed_is_told(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from ocadmin.numbers.operations.upload import routes

    monkeypatch.setattr(routes, "MOST_ATTEMPTS", 1)
    task = submit(rows(place, [NUMBERS[0], "+442079460790"]))
    place.sandbox.call("PUT", "/state", {"hold": {"uploads": True}})
    passes.advance(task)
    assert place.device_prefixes() == {NUMBERS[0], "+442079460790"}
    place.sandbox.call("PUT", "/state", {"hold": {"uploads": False}})
    offline(place)
    UpstreamJob.objects.update(poll_at=task.created_at)
    passes.finish(task)
    assert (task.state, task.succeeded) == (TaskState.PARTIAL, 1)
    assert "The spare SBC rules of 1 could not be removed." in task.message
    assert task.items.get(key="+442079460790").message.endswith("A spare rule stays on EMEA SP1 SBC.")
    assert not DialPlanRule.objects.get(prefix="+442079460790").wanted


def test_the_rule_of_a_number_in_doubt_stays(place: World) -> None:
    place.sandbox.call("PUT", "/state", {"hold": {"uploads": True}})
    task = passes.advance(submit(rows(place, NUMBERS)))
    UpstreamJob.objects.update(poll_at=task.created_at, ms_job_id=uuid.uuid4())  # Microsoft has forgotten the job
    passes.finish(task)
    assert set(outcomes(task).values()) == {(ItemState.FAILED, "unknown_outcome")}
    assert place.device_prefixes() == set(NUMBERS)


def test_a_number_that_came_in_meanwhile_is_not_made_twice(place: World) -> None:
    place.sandbox.call("PUT", "/state", {"hold": {"uploads": True}})
    task = passes.advance(submit(rows(place, NUMBERS)))
    seen = PhoneNumberFactory(e164=NUMBERS[0], customer=place.customer, source=Source.EXTERNAL)
    conflict = PhoneNumberFactory(e164=NUMBERS[1])
    place.sandbox.call("PUT", "/state", {"hold": {"uploads": False}})
    UpstreamJob.objects.update(poll_at=task.created_at)
    passes.finish(task)
    assert outcomes(task) == {
        NUMBERS[0]: (ItemState.SUCCEEDED, ""),
        NUMBERS[1]: (ItemState.FAILED, "foreign"),
    }
    seen.refresh_from_db()
    assert (seen.source, seen.status) == (Source.WEB_UI, Status.ACTIVE)
    assert PhoneNumber.objects.get(e164=NUMBERS[1]).customer == conflict.customer
    assert place.device_prefixes() == set(NUMBERS)
    assert list(AuditEntry.objects.filter(action="upload.accepted").values_list("object_id", flat=True)) == [NUMBERS[0]]


def test_an_answer_that_was_lost_does_not_upload_twice(place: World) -> None:
    """upstreams.md §9.7 F04."""
    place.sandbox.fault({"mount": "oc", "method": "POST", "path": "/uploads"}, {"drop": "after_commit"}, times=1)
    task = passes.finish(submit(rows(place, NUMBERS)))
    assert task.succeeded == 2, task.message
    assert set(place.asked_about("uploads").values()) == {1}


def test_cancelling_while_an_sbc_is_awaited_takes_everything_back(place: World) -> None:
    second_sbc(place)
    offline(place, US_SLUG)
    task = passes.advance(submit(rows(place, NUMBERS)))
    assert place.device_prefixes() == set(NUMBERS)
    services.cancel(Task.objects.all(), by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.CANCELLED
    assert "2 numbers had not been sent" in task.message
    assert place.device_prefixes() == set()
    assert not place.posts("/uploads")


def test_a_task_that_cannot_go_on_takes_its_rules_back(place: World) -> None:
    """A token without our role ends the task (upstreams.md §9.7 F09); nothing was sent."""
    task = submit(rows(place, NUMBERS))
    body = {"error": {"code": "Forbidden", "message": "The role NumberManagement.Write is missing."}}
    place.sandbox.fault({"mount": "oc", "method": "POST", "path": "/uploads"}, {"status": 401, "body": body}, times=5)
    passes.finish(task)
    assert task.state == TaskState.FAILED
    assert {state for state, _code in outcomes(task).values()} == {ItemState.FAILED}
    assert place.device_prefixes() == set()
