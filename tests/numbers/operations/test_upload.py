"""Upload: checks, then the SBC's rule, then Microsoft; a number waits until a synchronisation has seen it."""

from typing import Any

import pytest
from django.conf import settings as project

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import PhoneNumber, UpstreamJob
from ocadmin.numbers.operations import upload
from ocadmin.tasks.models import ItemState, TaskState
from tests.factories import TaskFactory
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

from .uploads import NUMBERS, place, rows, settings_for, submit

__all__ = ["place"]
pytestmark = pytest.mark.django_db


def test_numbers_are_routed_then_uploaded_and_wait_for_a_synchronisation(place: World) -> None:
    task = submit(rows(place, NUMBERS), ticket="CHG-7", comment="new office")
    assert not PhoneNumber.objects.exists()
    passes.finish(task)
    assert (task.state, task.succeeded, task.failed) == (TaskState.SUCCEEDED, 2, 0), task.message
    assert task.message == "2 numbers uploaded; they are active as soon as a synchronisation sees them."
    job = UpstreamJob.objects.get()
    number = PhoneNumber.objects.get(e164=NUMBERS[0])
    assert (number.status, number.source, number.customer) == (Status.PENDING_FIRST_SYNC, Source.WEB_UI, place.customer)
    assert (number.tn_upload_job_id, number.upload_job_id) == (job.ms_job_id, task.pk)
    assert (number.assignment_status, number.available_capabilities, number.acquired_on) == (None, None, None)
    assert number.acquired_capabilities == ["InboundCalling", "Office365", "OutboundCalling", "UserAssignment"]
    assert (number.usage, number.calling_profile_id) == ("CallingUserAssignment", place.profile.pk)
    assert number.iso_country_code == "GB"
    assert place.device_prefixes() == set(NUMBERS)
    assert task.items.get(key=NUMBERS[0]).upstream_ids == {"ms_job_id": str(job.ms_job_id)}
    entry = AuditEntry.objects.get(object_id=NUMBERS[0])
    assert (entry.action, entry.ticket, entry.message) == ("upload.accepted", "CHG-7", "new office")
    assert (entry.after["tn_upload_job_id"], entry.after["routed"]) == (str(job.ms_job_id), "EMEA SP1 SBC")
    assert entry.after["calling_profile_id"] == str(place.profile.pk)
    assert entry.after["acquired_capabilities"] == number.acquired_capabilities
    assert entry.after.get("location_id") == (str(number.location_id) if number.location_id else None)
    assert "displayed_country_code" not in entry.after


@pytest.mark.parametrize(
    ("succeeded", "failed", "message"),
    [
        (0, 0, "No number was uploaded."),
        (0, 1, "No number was uploaded. 1 failed; it says why."),
        (1, 2, "1 number uploaded; it is active as soon as a synchronisation sees it. 2 were not; each says why."),
    ],
)
def test_the_last_sentence_counts_what_was_uploaded(succeeded: int, failed: int, message: str) -> None:
    task = TaskFactory(kind="upload", succeeded=succeeded, failed=failed)
    assert upload.Upload().finished(task) == message


def test_the_first_synchronisation_makes_them_active(place: World) -> None:
    passes.finish(submit(rows(place, NUMBERS)))
    before = PhoneNumber.objects.get(e164=NUMBERS[0])
    passes.synchronise(customers=[place.customer])
    number = PhoneNumber.objects.get(e164=NUMBERS[0])
    assert (number.status, number.source, number.assignment_status) == (Status.ACTIVE, Source.WEB_UI, "Unassigned")
    assert number.tn_upload_job_id == before.tn_upload_job_id
    assert "Geographic" in number.acquired_capabilities


def test_the_sbc_is_written_before_microsoft_is_asked(place: World) -> None:
    place.sandbox.fault({"mount": "oc", "method": "POST", "path": "/uploads"}, {"status": 503}, times=1)
    task = submit(rows(place, NUMBERS))
    passes.advance(task)
    assert task.state == TaskState.WAITING
    assert place.device_prefixes() == set(NUMBERS)
    assert not PhoneNumber.objects.exists()
    passes.finish(task)
    assert task.state == TaskState.SUCCEEDED


@pytest.mark.parametrize(
    ("channel", "source"), [("web", Source.WEB_UI), ("api", Source.WEB_API), ("csv", Source.WEB_UI)]
)
def test_the_source_says_where_a_number_came_in(place: World, channel: str, source: str) -> None:
    passes.finish(submit(rows(place, NUMBERS[:1]), channel=channel))
    assert PhoneNumber.objects.get().source == source


def test_one_job_for_each_group_of_settings_and_thousand(place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project.ENV, "job_size", 2)
    other = place.new_customer(SAUERLAND, "Sauerland")
    users, apps = settings_for(place), settings_for(place, usage="FirstPartyAppAssignment")
    theirs = settings_for(place, customer=other.pk)
    numbers = [f"+44207946070{i}" for i in range(6)]
    wanted = zip(numbers, [users, apps, users, theirs, users, apps], strict=True)
    task = passes.finish(submit(upload.rows_of(wanted)))
    assert task.succeeded == 6, task.message
    assert sorted(UpstreamJob.objects.values_list("customer_id", "total")) == sorted(
        [(place.customer.pk, 2), (place.customer.pk, 1), (place.customer.pk, 2), (other.pk, 1)]
    )
    usages = dict(PhoneNumber.objects.values_list("e164", "usage"))
    assert usages[numbers[1]] == usages[numbers[5]] == "FirstPartyAppAssignment"
    assert PhoneNumber.objects.get(e164=numbers[3]).customer == other
    assert place.device_prefixes() == set(numbers)


def test_the_address_follows_from_the_location_and_the_other_way_round(place: World) -> None:
    passes.synchronise(customers=[place.customer])
    address = place.customer.civic_addresses.get(description="Head office")
    floor = address.locations.get(description="Floor 7")
    plain = settings_for(place, allow_tenant_address_update=False)
    by_location = settings_for(place, location=floor.pk, allow_tenant_address_update=False)
    by_address = settings_for(place, civic_address=address.pk, allow_tenant_address_update=False)
    assert upload.plan([(NUMBERS[0], plain)], SYSTEM).left_alone[0].code == "address_required"
    task = passes.finish(submit(upload.rows_of([(NUMBERS[0], by_location), (NUMBERS[1], by_address)])))
    assert task.succeeded == 2, task.message
    for e164, location in ((NUMBERS[0], floor.pk), (NUMBERS[1], address.default_location_id)):
        number = PhoneNumber.objects.get(e164=e164)
        assert (number.location_id, number.civic_address_id) == (location, address.pk)
    passes.synchronise(customers=[place.customer])
    assert PhoneNumber.objects.get(e164=NUMBERS[0]).location_id == floor.pk
    assert PhoneNumber.objects.get(e164=NUMBERS[1]).location_id == address.default_location_id


def test_toll_free_numbers_go_with_their_displayed_country(place: World) -> None:
    type(place.customer).objects.update(consented_countries=["GB", "US"])
    what = rows(place, ["+18005550123"], usage="FirstPartyAppAssignment", displayed_country="US")
    task = passes.finish(submit(what))
    assert task.succeeded == 1, task.items.get().message
    number = PhoneNumber.objects.get()
    assert (number.displayed_country_code, number.iso_country_code) == ("US", "US")


def test_what_is_refused_stands_beside_what_goes(place: World) -> None:
    place.numbers(1)
    task = passes.finish(submit(rows(place, ["+442079460500", "+33123456789", NUMBERS[0]])))
    outcomes = {item.key: (item.state, item.code) for item in task.items.all()}
    assert outcomes == {
        "+442079460500": (ItemState.UNCHANGED, "already"),
        "+33123456789": (ItemState.REFUSED, "country_not_consented"),
        NUMBERS[0]: (ItemState.SUCCEEDED, ""),
    }
    assert (task.total, task.done, task.succeeded, task.refused, task.unchanged) == (3, 3, 1, 1, 1)


def test_a_plan_of_ten_thousand_numbers_costs_a_few_queries(place: World, django_assert_max_num_queries: Any) -> None:
    what = rows(place, [f"+44207{i:07d}" for i in range(10_000)])
    with django_assert_max_num_queries(16):
        assert upload.propose(what, SYSTEM).plan.will == 10_000
