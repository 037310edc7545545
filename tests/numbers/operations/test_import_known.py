"""Numbers of a file that are here: what changes, what cannot, and which verbs do it."""

from typing import Any

import pytest
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, ImportRow, Mode, NumberImport, PhoneNumber
from ocadmin.numbers.operations.imports import rechecking, start_check, start_import
from ocadmin.tasks.models import ItemState, Task, TaskState
from tests.factories import (
    CivicAddressFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    TaskFactory,
    TaskItemFactory,
    UserFactory,
    grant,
)
from tests.numbers import passes
from tests.numbers.imports import checked, codes, confirmed, keep, outcomes, run, sheet
from tests.numbers.world import World

from .test_capabilities import at_both
from .test_relocate import at_microsoft as place_at_microsoft
from .test_relocate import place_of

pytestmark = pytest.mark.django_db

NUMBER = "+442079460500"


def only(batch: NumberImport) -> ImportRow:
    (row,) = batch.rows.all()
    return row


def file(number: str = NUMBER, **cells: Any) -> bytes:
    return sheet(["telephoneNumber", *cells], [number, *(str(cell) for cell in cells.values())])


def test_location_capabilities_note_and_tags_of_one_number(world: World, alice: User) -> None:
    (number,) = at_both(world, 1)
    place = place_of(world.customer)
    content = file(
        locationId=place.pk,
        allowTenantAddressUpdate="false",
        capabilities="InboundCalling;Mobile",
        note="Front desk",
        tags="desk;vip",
        ticketId="CHG-9",
    )
    batch = checked(content, alice)
    assert batch.counts == {"changed": 1}, only(batch).problems
    assert set(only(batch).changes) == {"locationId", "allowTenantAddressUpdate", "capabilities", "note", "tags"}
    task = confirmed(batch, alice, comment="moved in")
    assert (task.state, task.succeeded, task.total) == (TaskState.SUCCEEDED, 3, 3), task.message
    number.refresh_from_db()
    assert (number.location, number.civic_address) == (place, place.civic_address)
    assert place_at_microsoft(world, number) == (str(place.pk), str(place.civic_address_id), False)
    assert set(number.acquired_capabilities) == {
        "Geographic",
        "Office365",
        "UserAssignment",
        "InboundCalling",
        "Mobile",
    }
    assert (number.note, number.tags) == ("Front desk", ["desk", "vip"])
    entry = AuditEntry.objects.get(action="number.annotated")
    assert (entry.before, entry.after) == ({"note": "", "tags": []}, {"note": "Front desk", "tags": ["desk", "vip"]})
    assert (entry.ticket, entry.message, entry.task_ref) == ("CHG-9", "moved in", task.pk)
    actions = set(AuditEntry.objects.filter(object_id=NUMBER).values_list("action", flat=True))
    assert actions == {"number.annotated", "location.changed", "capabilities.changed"}
    assert set(Task.objects.exclude(pk=task.pk).values_list("kind", flat=True)) >= {"relocate", "capabilities"}


def test_numbers_get_places_of_their_own_in_one_task(world: World, alice: User) -> None:
    numbers = world.numbers(3)
    place = place_of(world.customer)
    other = LocationFactory(civic_address=CivicAddressFactory(customer=world.customer, country="GB"))
    passes_for = [place.pk, place.pk, other.pk]
    content = sheet(
        ["telephoneNumber", "locationId"], *([n.e164, where] for n, where in zip(numbers, passes_for, strict=True))
    )
    task = confirmed(checked(content, alice), alice)
    child = Task.objects.get(kind="relocate")
    assert child.items.count() == 3
    assert [n.location_id for n in PhoneNumber.objects.order_by("e164")][:2] == [place.pk, place.pk]
    # Microsoft does not know the third place, which is made up here: that number alone is as before.
    assert (child.succeeded, child.failed, task.state) == (2, 1, TaskState.PARTIAL), child.message


def test_an_empty_cell_changes_nothing_and_a_dash_empties(world: World, alice: User) -> None:
    place = place_of(world.customer)
    (number,) = world.numbers(1, location=place, civic_address=place.civic_address, note="old", tags=["a"])
    assert checked(file(locationId="", note="", tags=""), alice).counts == {"unchanged": 1}
    batch = checked(file(locationId="-", note="-", tags="-"), alice)
    assert only(batch).changes["note"] == ["old", ""]
    task = confirmed(batch, alice)
    number.refresh_from_db()
    assert (number.location_id, number.civic_address_id, number.note, number.tags) == (None, None, "", []), task.message


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"usage": "FirstPartyAppAssignment"}, "usage:fixed"),
        ({"country": "DE"}, "country:fixed"),
        ({"callingProfileId": "11111111-2222-4333-8444-555555555555"}, "callingProfileId:unknown_profile"),
        ({"callingProfile": "no such"}, "callingProfile:unknown_profile"),
        ({"msTenantId": "11111111-2222-4333-8444-555555555555"}, "msTenantId:unknown_customer"),
        ({"customer": "nobody"}, "customer:unknown_customer"),
        ({"locationId": "11111111-2222-4333-8444-555555555555"}, "locationId:unknown_location"),
        ({"locationId": "here"}, "locationId:no_guid"),
        ({"civicAddressId": "11111111-2222-4333-8444-555555555555"}, "civicAddressId:unknown_address"),
        ({"capabilities": "Mobile"}, "capabilities:not_available:Mobile"),
        ({"capabilities": "Geographic;Flying"}, "capabilities:mandatory:Flying"),
        ({"allowTenantAddressUpdate": "perhaps"}, "allowTenantAddressUpdate:no_truth"),
        ({"country": "Germany"}, "country:unknown_country"),
        ({"tags": ";".join(f"t{n}" for n in range(60))}, "tags:too_many_tags"),
        ({"tags": '["a", 1]'}, "tags:no_words"),
        ({"ticketId": "x" * 65}, "ticketId:too_long"),
    ],
)
def test_what_a_file_cannot_say(alice: User, cells: dict[str, str], code: str) -> None:
    PhoneNumberFactory(
        e164=NUMBER,
        iso_country_code="GB",
        usage="CallingUserAssignment",
        acquired_capabilities=["Geographic", "InboundCalling"],
        available_capabilities=["Geographic", "InboundCalling"],
    )
    row = only(checked(file(**cells), alice))
    assert codes(row) == [code]
    assert all(sentence.endswith(".") for _column, _value, _code, sentence in row.problems)


def test_every_problem_of_a_row_is_told(alice: User) -> None:
    PhoneNumberFactory(e164=NUMBER)
    row = only(checked(file(locationId="x", country="1", callingProfileId="y"), alice))
    assert set(codes(row)) == {"locationId:no_guid", "country:unknown_country", "callingProfileId:no_guid"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.RELEASE_REQUESTED, "requested"),
        (Status.MARKED_FOR_REMOVAL, "marked"),
        (Status.READY_FOR_REMOVAL, "leaving"),
        (Status.PENDING_FIRST_SYNC, "pending_first_sync"),
    ],
)
def test_only_active_numbers_move_but_all_may_have_a_note(alice: User, status: Status, code: str) -> None:
    number = PhoneNumberFactory(e164=NUMBER, status=status)
    place = LocationFactory(civic_address=CivicAddressFactory(customer=number.customer, country="GB"))
    assert codes(only(checked(file(locationId=place.pk), alice))) == [f"locationId:{code}"]
    assert checked(file(note="kept"), alice).counts == {"changed": 1}


def test_busy_numbers_are_refused_but_for_notes(alice: User) -> None:
    number = PhoneNumberFactory(e164=NUMBER)
    TaskItemFactory(task=TaskFactory(kind="release"), key=NUMBER, state=ItemState.PENDING)
    place = LocationFactory(civic_address=CivicAddressFactory(customer=number.customer, country="GB"))
    assert codes(only(checked(file(locationId=place.pk), alice))) == [":busy"]
    assert checked(file(note="n"), alice).counts == {"changed": 1}


def test_each_change_takes_its_own_permission_for_that_customer(contoso: Customer, alice: User) -> None:
    PhoneNumberFactory(e164=NUMBER, customer=contoso, acquired_capabilities=["InboundCalling"])
    monitor = grant(UserFactory(), Role.MONITOR, customer=contoso)
    lite = grant(UserFactory(), Role.LITE_OPERATOR, customer=contoso)
    assert codes(only(checked(file(note="n"), monitor))) == ["note:not_permitted"]
    assert checked(file(note="n"), lite).counts == {"changed": 1}
    new = file("+442079460599", msTenantId=contoso.tenant_id, usage="CallingUserAssignment")
    assert "refused" in checked(new, lite).counts


def test_numbers_of_strangers_are_unknown(bob: User) -> None:
    PhoneNumberFactory(e164=NUMBER, customer=CustomerFactory(full_name="Other"))
    row = only(checked(file(note="mine now"), bob, mode=Mode.UPDATE))
    assert codes(row) == ["telephoneNumber:unknown"]
    assert row.customer_ref is None


def test_modes(world: World, alice: User) -> None:
    world.numbers(1)
    new = "+442079460700"
    cells = [str(world.customer.tenant_id), "CallingUserAssignment", "true", "n"]
    headers = ["telephoneNumber", "msTenantId", "usage", "allowTenantAddressUpdate", "note"]
    content = sheet(headers, [NUMBER, *cells], [new, *cells])
    assert outcomes(checked(content, alice, mode=Mode.UPSERT)) == {NUMBER: "changed", new: "new"}
    assert outcomes(checked(content, alice, mode=Mode.UPDATE)) == {NUMBER: "changed", new: "refused"}
    assert outcomes(checked(content, alice, mode=Mode.CREATE)) == {NUMBER: "refused", new: "new"}


def test_a_number_counts_once_and_contradictions_never(world: World, alice: User) -> None:
    world.numbers(3)
    other = CustomerFactory(full_name="Other")
    a, b, c = (f"+44207946050{n}" for n in range(3))
    rows = [[a, "x", ""], [a, "x", ""], [b, "one", ""], [b, "two", ""], [c, "", "Harbourline"], [c, "", "Other"]]
    batch = checked(sheet(["telephoneNumber", "note", "customer"], *rows), alice)
    found = [(row.e164, row.line, codes(row)) for row in batch.rows.order_by("pk")]
    assert found[0] == (a, 2, [])
    assert found[1] == (a, 3, ["telephoneNumber:duplicate_row"])
    assert [one[2] for one in found[2:4]] == [["telephoneNumber:contradictory"]] * 2
    assert "telephoneNumber:two_customers" in found[4][2]
    assert other.pk is not None


def test_what_changes_between_preview_and_import_is_left_out(world: World, alice: User) -> None:
    numbers = world.numbers(2)
    content = sheet(["telephoneNumber", "note"], *([number.e164, "new"] for number in numbers))
    batch = checked(content, alice)
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(note="by hand", modified_at=batch.checked_at.replace(year=2099))
    task = confirmed(batch, alice)
    assert (task.state, task.succeeded, task.refused) == (TaskState.PARTIAL, 1, 1)
    assert [n.note for n in PhoneNumber.objects.order_by("e164")] == ["by hand", "new"]


def test_what_changes_while_a_file_is_checked_is_left_out(
    world: World, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocadmin.tasks.run.SLICE_SECONDS", 0.0)
    (number,) = world.numbers(1)
    batch = keep(file(note="new"), alice)
    task = start_check(batch, by=principal_of(alice), channel="csv")
    passes.advance(task)
    assert batch.rows.count() == 1
    PhoneNumber.objects.filter(pk=number.pk).update(note="by hand", modified_at=timezone.now())
    passes.finish(task)
    batch.refresh_from_db()
    task = confirmed(batch, alice)
    assert (task.state, task.refused, PhoneNumber.objects.get().note) == (TaskState.FAILED, 1, "by hand")


@pytest.mark.parametrize("gone", ["account", "role"])
def test_who_has_lost_the_right_since_confirming_imports_nothing(contoso: Customer, gone: str) -> None:
    PhoneNumberFactory(e164=NUMBER, customer=contoso)
    user = grant(UserFactory(), Role.OPERATOR, customer=contoso)
    task = start_import(
        checked(file(note="new"), user), whole=False, by=principal_of(user), channel="csv", ticket="", comment=""
    )
    if gone == "account":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        user.memberships.all().delete()
    run(task)
    assert (task.state, task.error_code) == (TaskState.FAILED, "not_permitted")
    assert task.message.endswith("Nothing was done.")
    assert PhoneNumber.objects.get().note == ""


def test_the_sums_of_an_import_add_up_whatever_is_left_out(world: World, alice: User) -> None:
    numbers = at_both(world, 2)
    place = place_of(world.customer)
    rows = [[number.e164, place.pk, "InboundCalling;Mobile", "new"] for number in numbers]
    batch = checked(sheet(["telephoneNumber", "locationId", "capabilities", "note"], *rows), alice)
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(modified_at=batch.checked_at.replace(year=2099))
    task = confirmed(batch, alice)
    assert (task.state, task.succeeded, task.refused) == (TaskState.PARTIAL, 3, 1), task.message
    assert task.done == task.total == 4


def test_all_or_nothing_does_nothing_when_one_has_changed(world: World, alice: User) -> None:
    numbers = world.numbers(2)
    content = sheet(["telephoneNumber", "note"], *([number.e164, "new"] for number in numbers))
    batch = checked(content, alice)
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(modified_at=batch.checked_at.replace(year=2099))
    task = confirmed(batch, alice, whole=True)
    assert (task.state, task.error_code) == (TaskState.FAILED, "changed_meanwhile")
    assert not PhoneNumber.objects.exclude(note="").exists()


@pytest.mark.parametrize("cell", [";", " , ", "[]"])
def test_a_list_without_a_word_takes_nothing_away(world: World, alice: User, cell: str) -> None:
    (number,) = at_both(world, 1)
    PhoneNumber.objects.update(tags=["desk"])
    batch = checked(file(capabilities=cell, tags=cell), alice)
    assert batch.counts == {"unchanged": 1}, only(batch).changes
    assert number.acquired_capabilities


def test_capabilities_may_be_written_in_any_case(world: World, alice: User) -> None:
    (number,) = at_both(world, 1)
    chosen = {"InboundCalling", "OutboundCalling", "Mobile", "OCMobile"} & set(number.acquired_capabilities)
    same = ";".join(word.lower() for word in sorted(chosen))
    assert checked(file(capabilities=same), alice).counts == {"unchanged": 1}
    batch = checked(file(capabilities=f"{same};mobile"), alice)
    assert only(batch).wish == {"capabilities": {"add": ["Mobile"]}}


def test_an_address_without_a_location_is_not_lost_with_who_may_change_it(world: World, alice: User) -> None:
    at_both(world, 1)
    place = place_of(world.customer)
    PhoneNumber.objects.update(location=None, civic_address=place.civic_address, allow_tenant_address_update=False)
    batch = checked(file(allowTenantAddressUpdate="true"), alice)
    assert codes(only(batch)) == ["allowTenantAddressUpdate:address_without_location"]
    batch = checked(file(allowTenantAddressUpdate="true", locationId=place.pk), alice)
    assert batch.counts == {"changed": 1}, only(batch).problems


def test_the_preview_says_where_a_value_for_the_whole_file_changes_numbers_that_are_here(
    world: World, alice: User
) -> None:
    at_both(world, 2)
    content = sheet(["telephoneNumber", "capabilities"], [NUMBER, ""], ["+442079460501", "InboundCalling;Mobile"])
    batch = checked(content, alice, mode=Mode.UPDATE, defaults={"capabilities": "InboundCalling;Mobile"})
    assert batch.counts == {"changed": 2}, outcomes(batch)
    ((sentence, count),) = batch.notes.values()
    assert (sentence[:13], count) == ("capabilities:", 1)


def test_who_is_moved_is_told_before(world: World, alice: User) -> None:
    place = place_of(world.customer)
    there = {"location": place, "civic_address": place.civic_address, "assignment_status": "UserAssigned"}
    world.numbers(1, assignment_status="UserAssigned")
    world.numbers(1, first=442079460510, **there)
    rows = [[NUMBER, place.pk], ["+442079460510", "-"]]
    batch = checked(sheet(["telephoneNumber", "locationId"], *rows), alice)
    assert batch.counts == {"changed": 2}
    told = {code: count for code, (_sentence, count) in batch.notes.items()}
    assert told == {"users_move": 1, "users_lose_location": 1}


def test_all_or_nothing_begins_nothing_when_a_number_is_taken_in_that_moment(
    world: World, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.numbers(2)
    place = place_of(world.customer)
    content = sheet(["telephoneNumber", "locationId"], [NUMBER, place.pk], ["+442079460501", place.pk])
    batch = checked(content, alice)
    TaskItemFactory(task=TaskFactory(kind="release", state=TaskState.ASKING), key=NUMBER, state=ItemState.PENDING)
    monkeypatch.setattr(rechecking, "stale", lambda batch: batch.rows.none())  # it was not yet taken then
    task = confirmed(batch, alice, whole=True)
    assert (task.state, task.error_code) == (TaskState.FAILED, "changed_meanwhile")
    assert not Task.objects.filter(kind="relocate").exists()


@pytest.mark.parametrize("mode", [Mode.UPSERT, Mode.UPDATE])
def test_values_for_the_whole_file_change_known_numbers_only_where_it_may_do_nothing_else(
    world: World, alice: User, mode: Mode
) -> None:
    at_both(world, 1)
    place = place_of(world.customer)
    defaults = {
        "customer": "Harbourline",
        "usage": "FirstPartyAppAssignment",
        "locationId": str(place.pk),
        "capabilities": "InboundCalling",
    }
    batch = checked(sheet(["Numbers"], [NUMBER], ["+442079460599"]), alice, mode=mode, defaults=defaults)
    known, other = batch.rows.order_by("pk")
    if mode == Mode.UPSERT:
        assert (known.get_outcome_display(), known.changes, codes(known)) == ("Unchanged", {}, [])
        assert other.get_outcome_display() == "New", other.problems
    else:
        assert known.get_outcome_display() == "Changed", known.problems
        assert set(known.changes) == {"locationId"}
        assert "filled:locationId" in batch.notes


def test_the_customer_of_the_whole_file_counts_for_known_numbers(world: World, alice: User) -> None:
    PhoneNumberFactory(e164=NUMBER, customer=CustomerFactory(full_name="Other"))
    defaults = {"customer": "Harbourline", "usage": "FirstPartyAppAssignment"}
    batch = checked(sheet(["Numbers", "note"], [NUMBER, "n"]), alice, defaults=defaults)
    assert codes(only(batch)) == ["customer:other_customer"]
