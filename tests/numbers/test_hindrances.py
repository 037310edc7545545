"""SBCs that stand in the way are told where people would press the button: on plans, and on the page of a number."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.models import PhoneNumber, SipConnection
from ocadmin.numbers.operations import ON_NUMBERS, hindrances
from ocadmin.numbers.operations.hindrances import Doing
from ocadmin.tasks.plans import Group
from sbc.models import SBC, DialPlanRule, PlanReading, State
from tests.factories import SBCFactory, SipConnectionFactory, TrunkFactory

from .failures.scenes import NEW, number_page, plan_of, upload_page
from .world import World


def cautions(kind: str) -> dict[str, int]:
    """Code of each caution about an SBC to how many numbers it concerns."""
    plan = ON_NUMBERS[kind].plan(PhoneNumber.objects.all(), {}, SYSTEM)
    return {group.code: group.count for group in plan.cautions if group.code.startswith("sbc_")}


def set_state(state: State, sbc: SBC | None = None) -> None:
    rows = SBC.objects.filter(pk=sbc.pk) if sbc else SBC.objects.all()
    rows.update(state=state, state_since=timezone.now() - timedelta(days=40))


@pytest.mark.parametrize("kind", ["release", "unassign-release", "approve-removal"])
@pytest.mark.parametrize("state", hindrances.STATES)
def test_plans_that_take_rules_off_say_it(world: World, kind: str, state: State) -> None:
    world.numbers(3)
    if kind == "approve-removal":
        PhoneNumber.objects.update(status=Status.MARKED_FOR_REMOVAL)
    assert cautions(kind) == {}
    set_state(state)
    assert cautions(kind) == {f"sbc_{state}_{world.sbc.pk}": 3}
    set_state(State.DEGRADED)
    assert cautions(kind) == {}


def test_only_numbers_that_touch_the_sbc_count(world: World) -> None:
    numbers = world.numbers(4, routed=False)
    PhoneNumber.objects.filter(pk=numbers[0].pk).update(source=Source.EXTERNAL)
    stranger = SBCFactory(name="Stranger")
    SipConnectionFactory(sbc=stranger)
    set_state(State.OFFLINE)
    assert cautions("release") == {f"sbc_offline_{world.sbc.pk}": 3}
    DialPlanRule.objects.create(sbc=stranger, prefix=numbers[1].e164, tag="t", present=True)
    assert cautions("release") == {f"sbc_offline_{world.sbc.pk}": 3, f"sbc_offline_{stranger.pk}": 1}


def test_a_connection_of_the_customer_comes_before_the_trunks_of_the_profile(world: World) -> None:
    """As in routing.ways."""
    numbers = world.numbers(1, routed=False)
    behind = SBCFactory(name="Behind the trunk")
    TrunkFactory(sbc=behind, profile=numbers[0].calling_profile)
    set_state(State.OFFLINE, behind)
    assert cautions("release") == {}
    SipConnection.objects.all().delete()
    assert cautions("release") == {f"sbc_offline_{behind.pk}": 1}


def test_the_sentence_says_which_since_when_and_what_follows(world: World, alice_client: Client) -> None:
    numbers = world.numbers(2)
    SBC.objects.update(state=State.OFFLINE, state_since=timezone.now())
    _address, page = plan_of(alice_client, "release", numbers)
    text = page.content.decode()
    clock = timezone.localtime().strftime("%H:")
    assert f"EMEA SP1 SBC is offline since {clock}" in text
    assert "are taken off when it is back; until then the task waits." in text
    assert "EMEA SP1 SBC is offline since" in number_page(alice_client, numbers[0].e164, "routing")
    set_state(State.ONLINE)
    assert "offline" not in number_page(alice_client, numbers[0].e164, "routing")


def of_upload(client: Client, world: World) -> list[Group]:
    plan = upload_page(client, world, NEW).context["plan"]
    return [group for group in plan.cautions if group.code.startswith("sbc_")]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.OFFLINE, "are written when it is back; until then the task waits."),
        (State.HA_SYNC, "the task waits until that is done."),
        (State.BAD_LOGIN, "numbers that need it fail until its login is corrected."),
    ],
)
def test_the_plan_of_an_upload_says_it(world: World, alice_client: Client, state: State, words: str) -> None:
    assert of_upload(alice_client, world) == []
    set_state(state)
    (found,) = of_upload(alice_client, world)
    assert (found.count, words in found.sentence) == (len(NEW), True)


def test_the_plan_of_an_upload_counts_the_room(world: World, alice_client: Client) -> None:
    world.sbc.max_rules = 10
    world.sbc.save()
    reading = PlanReading.objects.create(
        sbc=world.sbc,
        dial_plan=world.sbc.dial_plan,
        complete=True,
        read_at=timezone.now(),
        table_size=10 - len(NEW),
    )
    assert of_upload(alice_client, world) == []
    PlanReading.objects.filter(pk=reading.pk).update(table_size=9)
    (found,) = of_upload(alice_client, world)
    assert found.sentence == "EMEA SP1 SBC has room for 1 more rules only: what does not fit is not uploaded."
    PlanReading.objects.all().delete()
    for number in range(10):
        DialPlanRule.objects.create(sbc=world.sbc, prefix=f"+99{number}", tag="t", present=True)
    assert "room for 0 more rules" in of_upload(alice_client, world)[0].sentence


def test_nothing_is_asked_where_no_sbc_is_concerned(db: None) -> None:
    SBCFactory(state=State.OFFLINE)
    assert hindrances.find(Doing.WRITING, []) == []
