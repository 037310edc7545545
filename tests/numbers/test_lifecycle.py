"""The table of statuses, and the conditional move."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocadmin.numbers import lifecycle
from ocadmin.numbers.lifecycle import Cause, ForbiddenTransition, Status
from ocadmin.numbers.models import PhoneNumber
from tests.factories import PhoneNumberFactory

# Status and who may move it, as the reference says it (get-numbers-v3.txt, live-platform.md §4.2).
EXPECTED = {
    (4, 0): {"sync"},
    (0, 1): {"release"},
    (1, 0): {"release_failed", "withdraw"},
    (0, 2): {"sync"},
    (2, 3): {"approve"},
    (2, 0): {"clear", "sync"},
}


@pytest.mark.parametrize(("source", "target"), itertools.product(Status, Status))
def test_nothing_moves_but_by_the_table(source: Status, target: Status) -> None:
    movers = {cause.value for cause in Cause if lifecycle.allowed(source, target, cause)}
    assert movers == EXPECTED.get((source.value, target.value), set())


def test_the_values_are_those_of_the_interface() -> None:
    assert {status.name: status.value for status in Status} == {
        "ACTIVE": 0,
        "RELEASE_REQUESTED": 1,
        "MARKED_FOR_REMOVAL": 2,
        "READY_FOR_REMOVAL": 3,
        "PENDING_FIRST_SYNC": 4,
    }


@pytest.mark.django_db
def test_a_move_takes_only_the_numbers_that_are_still_there() -> None:
    here = PhoneNumberFactory(status=Status.ACTIVE)
    elsewhere = PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL)
    moved = lifecycle.move(
        PhoneNumber.objects.all(), Status.ACTIVE, Status.RELEASE_REQUESTED, Cause.RELEASE, reason="CHG-1"
    )
    assert moved == 1
    before = here.status_changed_at
    here.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (here.status, here.status_reason) == (Status.RELEASE_REQUESTED, "CHG-1")
    assert here.status_changed_at > before
    assert elsewhere.status == Status.MARKED_FOR_REMOVAL


@pytest.mark.django_db
def test_a_move_that_the_table_does_not_know_is_an_error_and_moves_nothing() -> None:
    number = PhoneNumberFactory(status=Status.ACTIVE)
    with pytest.raises(ForbiddenTransition):
        lifecycle.move(PhoneNumber.objects.all(), Status.ACTIVE, Status.READY_FOR_REMOVAL, Cause.APPROVE)
    number.refresh_from_db()
    assert number.status == Status.ACTIVE


@given(st.lists(st.tuples(st.sampled_from(Status), st.sampled_from(Cause)), max_size=40))
def test_a_number_never_gets_to_removal_without_being_marked_first(steps: list[tuple[Status, Cause]]) -> None:
    """Whatever is tried in whatever order: 3 is only reached from 2, and 1 only from 0."""
    status, was = Status.PENDING_FIRST_SYNC, None
    for target, cause in steps:
        if lifecycle.allowed(status, target, cause):
            status, was = target, status
            assert status != Status.READY_FOR_REMOVAL or was == Status.MARKED_FOR_REMOVAL
            assert status != Status.RELEASE_REQUESTED or was == Status.ACTIVE
            assert status != Status.PENDING_FIRST_SYNC
