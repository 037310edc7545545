"""F13: a number belongs to another tenant. Never overwritten, whoever finds out first."""

import pytest
from django.test import Client

from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import PhoneNumber
from ocadmin.tasks.models import ItemState, TaskState
from tests.factories import PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

from .scenes import (
    NEW,
    counters,
    history,
    known_rules,
    message_of,
    number_page,
    once_each,
    outcomes,
    sbc,
    start_upload,
    tags,
    task_page,
)

pytestmark = [pytest.mark.django_db, pytest.mark.failure("F13")]


def test_a_number_of_another_tenant_is_not_uploaded_and_keeps_its_routing(world: World, alice_client: Client) -> None:
    """Only Microsoft knows; it says so before anything is written."""
    theirs = PhoneNumberFactory.build(e164=NEW[1], customer=world.new_customer(SAUERLAND, "Sauerland"))
    world.at_microsoft([theirs])
    sbc(world, rules=[{"name": "Other", "prefix": f"{NEW[1]}#", "tag": "their.trunk"}])
    task = passes.finish(start_upload(world, NEW))
    assert counters(task) == (TaskState.PARTIAL, 1, 1)
    assert outcomes(task)[NEW[1]] == (ItemState.FAILED, "NumberOwnedByAnotherTenant")
    words = "At Microsoft this number belongs to another tenant. Nothing was changed."
    assert message_of(task, NEW[1]) == words
    assert words in task_page(alice_client, task)
    assert tags(world)[f"{NEW[1]}#"] == "their.trunk"
    assert (set(known_rules()), history(NEW[1])) == ({NEW[0]}, [])
    assert not PhoneNumber.objects.filter(e164=NEW[1]).exists()
    assert once_each(world, "uploads", NEW[:1])
    assert world.asked_about("uploads")[NEW[1]] == 0
    assert OperatorConnect().number(NEW[1]).tenant_id == SAUERLAND


def test_a_number_that_is_another_customers_here_is_refused_in_the_plan(world: World, alice_client: Client) -> None:
    other = world.new_customer(SAUERLAND, "Sauerland")
    world.numbers(1, first=int(NEW[1]), customer=other)
    task = passes.finish(start_upload(world, NEW))
    assert (counters(task), task.refused) == ((TaskState.SUCCEEDED, 1, 0), 1)
    item = task.items.get(key=NEW[1])
    assert (item.state, item.message.endswith(".")) == (ItemState.REFUSED, True)
    assert item.message in task_page(alice_client, task)
    assert PhoneNumber.objects.get(e164=NEW[1]).customer == other
    assert world.asked_about("uploads")[NEW[1]] == 0


def test_another_owner_at_microsoft_is_told_by_every_synchronisation(world: World, alice_client: Client) -> None:
    (number,) = world.numbers(1)
    other = world.new_customer(SAUERLAND, "Sauerland")
    world.at_microsoft([number], tenantId=str(SAUERLAND), assignmentStatus="UserAssigned")
    before = PhoneNumber.objects.filter(pk=number.pk).values().get()
    words = "Here it belongs to Harbourline, at Microsoft to another customer. Nothing was changed."
    for _again in range(2):
        task = passes.synchronise(numbers=[number.e164])
        assert (task.state, task.result["conflicts"]) == (TaskState.PARTIAL, 1)
        assert outcomes(task) == {number.e164: (ItemState.REFUSED, "ownership_conflict")}
        seen = task_page(alice_client, task)
        assert words in seen
        assert str(other) not in task.items.get().message  # people of Harbourline read it
        assert "1 with another owner at Microsoft" in seen
        assert words in number_page(alice_client, number.e164, "tasks")
    assert PhoneNumber.objects.filter(pk=number.pk).values().get() == before
    assert tags(world) != {}
