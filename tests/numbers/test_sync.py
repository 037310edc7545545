"""Synchronisation against the sandbox over HTTP: what Microsoft has becomes what we have, and nothing is lost."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers import lifecycle
from ocadmin.numbers.lifecycle import Cause, Source, Status
from ocadmin.numbers.models import (
    CallingProfile,
    CivicAddress,
    Customer,
    Location,
    PhoneNumber,
    ReleasedNumber,
    StagedNumber,
)
from ocadmin.tasks import services
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import CallingProfileFactory, CustomerFactory, PhoneNumberFactory, SBCFactory
from tests.sandbox_process import Sandbox

from . import passes

pytestmark = pytest.mark.django_db

EXAMPLE = "+448718943000"
TENANT = "3bc57cac-5794-457f-ad36-2c88cade9dbb"


@pytest.fixture
def synced(sandbox: Sandbox) -> Sandbox:
    """The sandbox, synchronised once."""
    assert passes.synchronise().state == TaskState.SUCCEEDED
    return sandbox


def states(sandbox: Sandbox) -> dict[str, int]:
    return sandbox.state()["numbers"]["byStatus"]


def remove(sandbox: Sandbox, *numbers: str) -> None:
    sandbox.numbers(delete=list(numbers))


def test_the_first_pass_brings_everything(sandbox: Sandbox) -> None:
    SBCFactory(name="US SP1 SBC", fqdn="sbc1.us.operator.example")
    task = passes.synchronise()
    assert task.state == TaskState.SUCCEEDED, task.message
    assert PhoneNumber.objects.count() == sandbox.state()["numbers"]["total"] == task.result["new"]
    assert task.done == task.total == task.succeeded
    entry = AuditEntry.objects.filter(action="sync.new", object_type="number")[0]
    assert entry.after["customer_id"] == entry.customer_ref
    assert Customer.objects.count() == 6
    assert CivicAddress.objects.exists()
    assert Location.objects.exists()
    profile = CallingProfile.objects.get(pk="ab86ef82-ce9e-4ead-befb-4aa954b64872")
    assert {trunk.sbc.name for trunk in profile.trunks.all() if trunk.sbc} == {"US SP1 SBC"}
    assert profile.trunks.count() == 2
    assert not StagedNumber.objects.exists()


def test_numbers_that_were_added_elsewhere_have_an_empty_source_and_every_field(synced: Sandbox) -> None:
    number = PhoneNumber.objects.select_related("customer").get(e164=EXAMPLE)
    assert (number.status, number.source, number.iso_country_code) == (Status.ACTIVE, Source.EXTERNAL, "GB")
    assert str(number.customer.tenant_id) == TENANT
    assert str(number.tn_upload_job_id) == "1d3d24fd-3d2d-4b26-b964-ebb8558c1091"
    assert number.acquired_on is not None
    assert number.acquired_on.isoformat() == "2026-02-16T16:17:41.051856+00:00"
    assert number.acquired_capabilities[0] == "Geographic"
    assert number.assignment_status == "Unassigned"


def test_verification_fields_are_stamped_on_acquired_numbers_only(synced: Sandbox) -> None:
    task = Task.objects.get()
    active = PhoneNumber.objects.get(e164=EXAMPLE)
    assert active.aslv_code == 200
    assert active.aslcht is not None
    assert task.started_at is not None
    since = task.started_at - datetime(1, 1, 1, tzinfo=UTC)
    assert active.asticks == since // timedelta(microseconds=1) * 10
    pending = PhoneNumber.objects.filter(status=Status.PENDING_FIRST_SYNC)
    assert pending.count() == states(synced)["PendingFirstSync"]
    assert not pending.exclude(aslcht=None, aslv_code=None, asticks=None, acquired_on=None).exists()


def test_a_second_pass_changes_nothing_but_the_stamps(synced: Sandbox) -> None:
    stamps = {"aslcht", "asticks"}
    columns = [field.attname for field in PhoneNumber._meta.concrete_fields if field.attname not in stamps]
    before = list(PhoneNumber.objects.order_by("pk").values(*columns))
    entries = AuditEntry.objects.exclude(object_type="task").count()
    task = passes.synchronise()
    assert (task.state, task.unchanged, task.succeeded) == (TaskState.SUCCEEDED, len(before), 0)
    assert list(PhoneNumber.objects.order_by("pk").values(*columns)) == before
    assert AuditEntry.objects.exclude(object_type="task").count() == entries
    assert not task.items.exists()


def test_a_pending_number_becomes_active_when_microsoft_has_it(synced: Sandbox) -> None:
    e164 = PhoneNumber.objects.filter(status=Status.ACTIVE).exclude(customer__tenant_id=TENANT).first().e164
    PhoneNumber.objects.filter(e164=e164).update(
        status=Status.PENDING_FIRST_SYNC,
        source=Source.WEB_UI,
        acquired_on=None,
        assignment_status=None,
        aslcht=None,
        available_capabilities=None,
    )
    task = passes.synchronise()
    number = PhoneNumber.objects.get(e164=e164)
    assert (number.status, number.source, task.result["activated"]) == (Status.ACTIVE, Source.WEB_UI, 1)
    assert number.acquired_on is not None
    assert number.assignment_status is not None
    assert number.available_capabilities is not None
    entry = AuditEntry.objects.get(action="sync.activated")
    assert (entry.object_id, entry.before["status"], entry.after["status"]) == (e164, "PENDING_FIRST_SYNC", "ACTIVE")
    assert entry.task_ref == task.pk


def test_a_change_at_microsoft_is_copied_with_before_and_after(synced: Sandbox) -> None:
    synced.call("POST", "/customer", {"tenantId": TENANT, "action": "assign", "telephoneNumber": EXAMPLE})
    task = passes.synchronise()
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    assert number.assignment_status == "UserAssigned"
    assert number.aslsct is not None
    item = task.items.get()
    assert (item.key, item.code, item.state) == (EXAMPLE, "changed", ItemState.SUCCEEDED)
    assert item.data["before"]["assignment_status"] == "Unassigned"
    assert item.data["after"]["assignment_status"] == "UserAssigned"


def test_what_is_ours_is_not_touched(synced: Sandbox) -> None:
    PhoneNumber.objects.filter(e164=EXAMPLE).update(
        note="keep me", tags=["vip"], source=Source.WEB_API, upload_entry_id=7, assignment_status="UserAssigned"
    )
    passes.synchronise()
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    assert (number.note, number.tags, number.source, number.upload_entry_id) == ("keep me", ["vip"], "webapi", 7)
    assert number.assignment_status == "Unassigned"


def test_the_same_capabilities_in_another_order_are_no_change(synced: Sandbox) -> None:
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    order = list(reversed(number.acquired_capabilities))
    PhoneNumber.objects.filter(e164=EXAMPLE).update(acquired_capabilities=order)
    task = passes.synchronise()
    assert task.succeeded == 0
    assert PhoneNumber.objects.get(e164=EXAMPLE).acquired_capabilities == order


def test_an_unknown_assignment_is_kept_and_counts_as_assigned(synced: Sandbox) -> None:
    number = PhoneNumber.objects.get(assignment_status="FutureThing")
    assert number.assigned


def test_a_missing_number_is_marked_for_removal_after_it_was_asked_for_by_itself(synced: Sandbox) -> None:
    remove(synced, EXAMPLE)
    task = passes.synchronise()
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    assert (number.status, number.aslv_code, task.result["gone"]) == (Status.MARKED_FOR_REMOVAL, 404, 1)
    assert "Missing from Microsoft's list" in number.status_reason
    asked = [
        entry
        for entry in synced.requests()["value"]
        if entry["path"].endswith("%2B448718943000") or entry["path"].endswith(EXAMPLE)
    ]
    assert asked


def test_a_marked_number_that_comes_back_is_active_again(synced: Sandbox) -> None:
    PhoneNumber.objects.filter(e164=EXAMPLE).update(status=Status.MARKED_FOR_REMOVAL)
    task = passes.synchronise()
    assert (PhoneNumber.objects.get(e164=EXAMPLE).status, task.result["restored"]) == (Status.ACTIVE, 1)


def test_a_release_request_by_the_customer_waits_for_approval(synced: Sandbox) -> None:
    synced.call("POST", "/customer", {"tenantId": TENANT, "action": "release", "telephoneNumber": EXAMPLE})
    passes.synchronise()
    assert PhoneNumber.objects.get(e164=EXAMPLE).status == Status.MARKED_FOR_REMOVAL


def test_a_pending_number_that_microsoft_does_not_have_stays_pending(synced: Sandbox) -> None:
    pending = PhoneNumber.objects.filter(status=Status.PENDING_FIRST_SYNC).first()
    remove(synced, pending.e164)
    passes.synchronise()
    pending.refresh_from_db()
    assert pending.status == Status.PENDING_FIRST_SYNC


def test_a_release_that_microsoft_has_completed_goes_to_the_released_numbers(synced: Sandbox) -> None:
    lifecycle.move(PhoneNumber.objects.filter(e164=EXAMPLE), Status.ACTIVE, Status.RELEASE_REQUESTED, Cause.RELEASE)
    remove(synced, EXAMPLE)
    task = passes.synchronise()
    assert not PhoneNumber.objects.filter(e164=EXAMPLE).exists()
    released = ReleasedNumber.objects.get(e164=EXAMPLE)
    assert (released.quarantine_until - released.released_at).days == settings.ENV.quarantine_days
    assert released.record["e164"] == EXAMPLE
    assert task.result["released"] == 1


def test_another_owner_at_microsoft_is_reported_and_never_overwritten(synced: Sandbox) -> None:
    other = CustomerFactory(full_name="Somebody else")
    PhoneNumber.objects.filter(e164=EXAMPLE).update(customer=other, aslv_code=None)
    for _again in range(2):
        task = passes.synchronise()
        assert (task.state, task.result["conflicts"]) == (TaskState.PARTIAL, 1)
        item = task.items.get(code="ownership_conflict")
        assert "Somebody else" in item.message
        number = PhoneNumber.objects.get(e164=EXAMPLE)
        assert (number.customer, number.aslv_code) == (other, None)


@pytest.mark.parametrize(("share", "stops"), [(100, False), (1, True)])
def test_too_many_missing_at_once_put_the_brake_on(
    synced: Sandbox, monkeypatch: pytest.MonkeyPatch, share: float, stops: bool
) -> None:
    monkeypatch.setattr(settings.ENV, "sync_brake_percent", share)
    monkeypatch.setattr(settings.ENV, "sync_brake_minimum", 5)
    active = PhoneNumber.objects.filter(status=Status.ACTIVE)
    gone = list(active.order_by("e164").values_list("e164", flat=True))[::10]  # some of each customer
    remove(synced, *gone)
    task = passes.synchronise()
    marked = PhoneNumber.objects.filter(e164__in=gone, status=Status.MARKED_FOR_REMOVAL).count()
    assert (task.state == TaskState.ASKING, marked) == (stops, 0 if stops else len(gone))
    if stops:
        assert f"{len(gone)} of" in task.message


def brake(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> tuple[Task, list[str]]:
    monkeypatch.setattr(settings.ENV, "sync_brake_percent", 1)
    gone = list(PhoneNumber.objects.filter(status=Status.ACTIVE).order_by("e164").values_list("e164", flat=True)[:20])
    remove(sandbox, *gone)
    task = passes.synchronise()
    assert task.state == TaskState.ASKING
    return task, gone


def test_the_brake_lets_go_when_a_person_says_so(synced: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    task, gone = brake(synced, monkeypatch)
    services.answer(task, "mark", by=SYSTEM, channel="web")
    passes.finish(task)
    assert (task.state, task.result["gone"]) == (TaskState.SUCCEEDED, 20)
    assert PhoneNumber.objects.filter(e164__in=gone, status=Status.MARKED_FOR_REMOVAL).count() == 20


def test_the_brake_keeps_when_a_person_says_so(synced: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    task, gone = brake(synced, monkeypatch)
    services.answer(task, "keep", by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED
    assert "left as they are" in task.message
    assert PhoneNumber.objects.filter(e164__in=gone, status=Status.ACTIVE).count() == 20


def test_an_answer_counts_for_no_more_numbers_than_were_shown(synced: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    task, gone = brake(synced, monkeypatch)
    more = PhoneNumber.objects.filter(status=Status.ACTIVE).exclude(e164__in=gone).first().e164
    remove(synced, more)
    services.answer(task, "mark", by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.ASKING
    assert "21 of" in task.message
    assert not PhoneNumber.objects.filter(status=Status.MARKED_FOR_REMOVAL, e164__in=gone).exists()


def test_numbers_that_came_back_before_the_answer_are_not_marked(
    synced: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, gone = brake(synced, monkeypatch)
    synced.reset("demo")
    services.answer(task, "mark", by=SYSTEM, channel="web")
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED
    assert PhoneNumber.objects.filter(e164__in=gone, status=Status.ACTIVE).count() == 20


def snapshot() -> list[dict[str, Any]]:
    return list(PhoneNumber.objects.order_by("pk").values())


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ({"status": 502, "body": "<html>Bad gateway</html>", "contentType": "text/html"}, "Microsoft"),
        ({"status": 200, "body": "<html>Sign in</html>", "contentType": "text/html"}, "web page, not JSON"),
        ({"truncate": True}, "breaks off"),
        ({"drop": "before"}, "Microsoft"),
        ({"status": 500}, "Microsoft"),
        ({"status": 429, "headers": {"Retry-After": "7"}}, "Microsoft"),
    ],
    ids=["html-502", "html-200", "half", "dropped", "500", "429"],
)
def test_an_upstream_that_fails_changes_nothing_and_the_pass_goes_on_later(
    synced: Sandbox, monkeypatch: pytest.MonkeyPatch, action: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setattr(settings.ENV, "page_size", 200)
    remove(synced, EXAMPLE)
    before = snapshot()
    synced.fault({"mount": "oc", "path": "skip=200"}, action, times=10)
    task = passes.start()
    passes.advance(task)
    assert task.state == TaskState.WAITING
    assert sentence in task.message
    assert "Traceback" not in task.message
    assert snapshot() == before
    synced.call("DELETE", "/faults")
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED
    assert PhoneNumber.objects.get(e164=EXAMPLE).status == Status.MARKED_FOR_REMOVAL


def test_retry_after_is_waited_for_exactly(synced: Sandbox) -> None:
    synced.fault({"mount": "oc", "path": "telephone-numbers"}, {"status": 429, "headers": {"Retry-After": "7"}})
    task = passes.start()
    passes.advance(task)
    wait = (task.next_run_at - timezone.now()).total_seconds()
    assert 5 < wait <= 7


def test_an_upstream_that_stays_away_fails_the_pass_and_the_next_one_succeeds(synced: Sandbox) -> None:
    before = snapshot()
    synced.fault({"mount": "oc", "path": "telephone-numbers"}, {"status": 503}, times=1000)
    task = passes.synchronise()
    assert task.state == TaskState.FAILED
    assert snapshot() == before
    synced.call("DELETE", "/faults")
    assert passes.synchronise().state == TaskState.SUCCEEDED


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("client_secret", "guess-4711", "secret"),
        ("client_id", "noroles", "role"),
        ("operator_id", str(uuid.UUID(int=5)), ""),
    ],
)
def test_wrong_settings_are_named_and_not_tried_again(
    synced: Sandbox, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, words: str
) -> None:
    before = snapshot()
    monkeypatch.setattr(settings.ENV, setting, value)
    task = passes.start()
    passes.advance(task)
    assert task.state == TaskState.FAILED
    assert words in task.message.lower()
    assert settings.ENV.client_secret not in task.message
    assert snapshot() == before


@pytest.mark.parametrize("hook", [{"delete": ["+448718943001"]}, {"insert": 3}])
def test_a_page_that_shifts_while_it_is_read_loses_nothing(
    synced: Sandbox, monkeypatch: pytest.MonkeyPatch, hook: dict[str, Any]
) -> None:
    """Deleting or inserting before the page that is read next moves the rows behind it (F27)."""
    monkeypatch.setattr(settings.ENV, "page_size", 50)
    synced.fault({"mount": "oc", "path": "skip=350"}, {"onRequest": hook})
    task = passes.synchronise()
    assert task.state == TaskState.SUCCEEDED, task.message
    gone = set(
        PhoneNumber.objects.filter(status=Status.MARKED_FOR_REMOVAL, aslv_code=404).values_list("e164", flat=True)
    )
    assert gone == set(hook.get("delete", []))
    assert PhoneNumber.objects.count() == 418 + hook.get("insert", 0)


def test_a_list_that_never_holds_still_concludes_nothing(synced: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "page_size", 50)
    remove(synced, EXAMPLE)
    synced.fault({"mount": "oc", "path": "skip=100"}, {"onRequest": {"insert": 1}}, times=100)
    task = passes.synchronise()
    assert "kept changing" in task.message
    assert PhoneNumber.objects.get(e164=EXAMPLE).status == Status.ACTIVE


def test_one_unreadable_record_does_not_stop_the_others(synced: Sandbox) -> None:
    synced.numbers(upsert=[{"telephoneNumber": EXAMPLE, "tenantId": TENANT, "acquiredCapabilities": "oops"}])
    before = PhoneNumber.objects.get(e164=EXAMPLE)
    task = passes.synchronise()
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    assert (number.aslv_code, number.aslcht, number.status) == (500, before.aslcht, before.status)
    assert (task.state, task.failed, task.unchanged) == (TaskState.PARTIAL, 1, 417)
    item = task.items.get()
    assert (item.state, item.code) == (ItemState.FAILED, "unreadable")
    assert "acquiredCapabilities" in item.message


def test_retry_failed_asks_for_just_the_failed_numbers(synced: Sandbox) -> None:
    synced.numbers(upsert=[{"telephoneNumber": EXAMPLE, "tenantId": TENANT, "acquiredCapabilities": "oops"}])
    task = passes.synchronise()
    synced.reset("demo")
    retry = passes.finish(services.retry_failed(task, by=SYSTEM, channel="web"))
    assert (retry.state, retry.done, retry.total) == (TaskState.SUCCEEDED, 1, 1)
    assert PhoneNumber.objects.get(e164=EXAMPLE).aslv_code == 200


def test_a_single_number_that_microsoft_does_not_know_keeps_its_status(synced: Sandbox) -> None:
    remove(synced, EXAMPLE)
    task = passes.synchronise(numbers=[EXAMPLE])
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    assert (number.status, number.aslv_code) == (Status.ACTIVE, 404)
    assert task.items.get().code == "not_found"


def test_one_customer_is_synchronised_without_touching_the_others(synced: Sandbox) -> None:
    customer = Customer.objects.get(tenant_id=TENANT)
    other = PhoneNumber.objects.exclude(customer=customer).filter(status=Status.ACTIVE).first()
    remove(synced, EXAMPLE, other.e164)
    task = passes.synchronise(customers=[customer])
    assert task.result["gone"] == 1
    assert task.customer_ref == customer.pk
    other.refresh_from_db()
    assert other.status == Status.ACTIVE


def test_a_customer_whose_tenant_is_unknown_to_microsoft(synced: Sandbox) -> None:
    customer = CustomerFactory()
    number = PhoneNumberFactory(e164="+441134960000", customer=customer, calling_profile=CallingProfileFactory())
    task = passes.synchronise(customers=[customer])
    assert task.state == TaskState.FAILED
    assert str(customer.tenant_id) in task.message
    number.refresh_from_db()
    assert number.status == Status.ACTIVE


def test_two_passes_over_lists_never_run_at_once(sandbox: Sandbox) -> None:
    first = passes.start()
    with pytest.raises(services.AlreadyRunning) as raised:
        passes.start()
    assert raised.value.task == first


def test_connections_to_tenants_are_known_afterwards(synced: Sandbox) -> None:
    states = dict(Customer.objects.values_list("full_name", "connection"))
    connected = {tenant["name"]: tenant["graphConnected"] for tenant in synced.state()["tenants"]}
    assert sorted(states.values()).count("not_connected") == list(connected.values()).count(False)
    assert Customer.objects.get(connection="not_connected").connection_message


def test_a_cancelled_pass_says_that_nothing_was_changed(synced: Sandbox) -> None:
    remove(synced, EXAMPLE)
    task = passes.start()
    services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")
    passes.finish(task)
    assert (task.state, "No number was changed" in task.message) == (TaskState.CANCELLED, True)
    assert PhoneNumber.objects.get(e164=EXAMPLE).status == Status.ACTIVE
    assert not StagedNumber.objects.exists()


def test_a_consent_that_changes_is_recorded(synced: Sandbox) -> None:
    synced.call("POST", "/customer", {"tenantId": TENANT, "action": "suspendConsent"})
    passes.synchronise()
    customer = Customer.objects.get(tenant_id=TENANT)
    assert customer.consent_status.lower() == "suspended"
    entry = AuditEntry.objects.filter(object_type="customer").first()
    assert (entry.action, entry.customer_ref) == ("sync.changed", customer.pk)
    assert entry.before["consent_status"] != entry.after["consent_status"]


def test_the_brake_is_not_diluted_by_numbers_that_the_same_pass_brings(
    synced: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another operator's list, a wrong world: everything of ours is missing, thousands of others are there."""
    before = dict(PhoneNumber.objects.values_list("e164", "status"))
    synced.reset("large", numbers=5000)
    task = passes.synchronise()
    assert task.state == TaskState.ASKING
    assert dict(PhoneNumber.objects.filter(e164__in=before).values_list("e164", "status")) == before
    assert not ReleasedNumber.objects.exists()


def test_a_customer_who_would_lose_most_numbers_is_asked_for(synced: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.ENV, "sync_brake_percent", 90)
    monkeypatch.setattr(settings.ENV, "sync_brake_minimum", 1)
    remove(synced, EXAMPLE, "+448718943001")
    task = passes.synchronise()
    assert task.state == TaskState.ASKING
    assert "more than half of those of MSFT" in task.message


def test_records_that_cannot_be_read_are_no_whole_list(synced: Sandbox) -> None:
    body = '{"value": [{"telephoneNumber": "abc"}], "nextLink": null, "totalCount": 1}'
    fault = {"status": 200, "body": body, "contentType": "application/json"}
    synced.fault({"mount": "oc", "path": "telephone-numbers"}, fault, times=5)
    before = snapshot()
    task = passes.synchronise()
    assert (task.state, task.result["complete"]) == (TaskState.PARTIAL, False)
    assert "Not every record could be read" in task.message
    assert "kept changing" not in task.message
    assert snapshot() == before


def test_a_number_that_the_customer_asked_to_remove_says_so(synced: Sandbox) -> None:
    synced.call("POST", "/customer", {"tenantId": TENANT, "action": "release", "telephoneNumber": EXAMPLE})
    task = passes.synchronise()
    number = PhoneNumber.objects.get(e164=EXAMPLE)
    assert (task.result["removal_requested"], number.status_reason) == (1, "The customer asked to remove it.")
    assert task.items.get(key=EXAMPLE).code == "removal_requested"
