"""Two people release overlapping selections at once: each number goes once, in one task, and the other task says why.

"At once" three times over: one confirms while the other still looks at the plan; one confirms while the other is just
being let through; and, where the database lets two write at a time, both in the same moment.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft.errors import Asked
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import Customer, PhoneNumber, ReleasedNumber
from ocadmin.numbers.operations.release import Release
from ocadmin.tasks import run, services
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskItem, TaskState
from tests.factories import PhoneNumberFactory, UserFactory, grant
from tests.numbers import passes
from tests.numbers.world import SAUERLAND, World

pytestmark = pytest.mark.django_db(transaction=True)

THEIRS = ["+442079460500", "+442079460501", "+442079460502", "+442079460503"]  # Harbourline's
ELSEWHERE = "+442079460600"  # Sauerland's
ANNS = THEIRS[:3]
ALICES = [*THEIRS[1:], ELSEWHERE]
BOTH = THEIRS[1:3]
SENTENCES = {
    "requested": "Its release has been requested already.",
    "busy": "Another operation is running on this number. Wait for it, then try again.",
}


@pytest.fixture
def sauerland(world: World) -> Customer:
    """Four numbers of Harbourline's, one of Sauerland's."""
    customer = world.new_customer(SAUERLAND, "Sauerland")
    world.numbers(len(THEIRS))
    world.numbers(1, first=int(ELSEWHERE), customer=customer, routed=False)
    return customer


@pytest.fixture
def ann(world: World) -> Client:
    """Operator for Harbourline only."""
    return signed_in(grant(UserFactory(username="ann"), Role.OPERATOR, customer=world.customer))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class Look:
    """A plan that somebody looks at."""

    def __init__(self, client: Client, numbers: list[str]) -> None:
        self.client = client
        form = {"action": "release", "back": "/numbers/", "row": numbers}
        self.address = client.post("/numbers/actions/", form)["Location"]
        self.page = client.get(self.address)

    @property
    def plan(self) -> Any:
        """The same for programs."""
        return self.client.get(f"{self.address}&format=json").json()

    def confirm(self) -> HttpResponse:
        """Do what was shown."""
        shown = re.search(r'name="shown" value="([^"]*)"', self.page.content.decode())
        assert shown
        return self.client.post(self.address, {"shown": shown[1], "comment": "contract ended"})


def of(client: Client) -> Task:
    """The one task of a person."""
    return Task.objects.get(actor_id=client.session["_auth_user_id"])


def outcome(task: Task) -> dict[str, tuple[str, str]]:
    return {item.key: (item.state, item.code) for item in task.items.order_by("key")}


def in_one_of(task: Task, other: Task) -> None:
    """Each number stands as pending in one of the tasks; in the other with the reason and its sentence."""
    alive = TaskItem.objects.filter(state__in=sorted(ITEM_ALIVE)).order_by("key")
    assert list(alive.values_list("key", flat=True)) == [*THEIRS, ELSEWHERE]
    assert set(PhoneNumber.objects.values_list("status", flat=True)) == {Status.RELEASE_REQUESTED}
    for item in TaskItem.objects.filter(task__in=(task, other)).exclude(state__in=sorted(ITEM_ALIVE)):
        assert item.key in BOTH
        assert item.message == SENTENCES[item.code]
        assert item.state == (ItemState.UNCHANGED if item.code == "requested" else ItemState.REFUSED)
    assert [one.items.count() for one in (task, other)] == [one.total for one in (task, other)]


def released_once(world: World, sauerland: Customer) -> None:
    """At Microsoft, on the SBC, with us and in the history."""
    assert asked_about(world.customer, sauerland) == Counter([*THEIRS, ELSEWHERE])
    assert not PhoneNumber.objects.exists()
    assert sorted(ReleasedNumber.objects.values_list("e164", flat=True)) == [*THEIRS, ELSEWHERE]
    assert world.device_prefixes() == set()
    assert not TaskItem.objects.filter(state__in=[*sorted(ITEM_ALIVE), ItemState.FAILED]).exists()
    told = AuditEntry.objects.filter(object_type="number").values_list("object_id", "action")
    steps = ("release.requested", "release.completed")
    assert Counter(told) == Counter((key, step) for key in [*THEIRS, ELSEWHERE] for step in steps)


def asked_about(*customers: Customer) -> Counter[str]:
    """How often each of the numbers stands in a release at Microsoft, whatever became of it."""
    client, found = OperatorConnect(), Counter[str]()
    for customer in customers:
        for job in client.walk("/releases", "jobs", {"tenantId": str(customer.tenant_id)}):
            asked = Asked("Microsoft", "a job")
            entries = client.request("GET", f"/releases/{job['jobId']}", "a job").json(asked)["entries"]
            found.update(entry["telephoneNumber"] for entry in entries)
    return Counter({key: found[key] for key in (*THEIRS, ELSEWHERE)})


def sees_only_theirs(client: Client, *pages: HttpResponse) -> None:
    """Nothing that Ann was shown, or can ask for, tells of the other customer or of Alice's task."""
    alices = Task.objects.exclude(actor_id=client.session["_auth_user_id"]).get()
    assert client.get(f"/tasks/{alices.pk}/").status_code == 404
    for page in (*pages, client.get("/numbers/"), client.get("/tasks/"), client.get(f"/tasks/{of(client).pk}/")):
        text = page.content.decode()
        assert not [word for word in (ELSEWHERE, ELSEWHERE[3:], "Sauerland", "alice") if word in text]


# What each of them does next: the tasks by turns, one after the other, one of them first.
ORDERS: dict[str, Callable[[Task, Task], Iterator[Task]]] = {
    "by turns": lambda one, other: iter([one, other] * 40),
    "the first one first": lambda one, other: iter([one] * 40 + [other] * 40),
    "the second one first": lambda one, other: iter([other] * 40 + [one] * 40),
}


def work(tasks: Iterator[Task]) -> None:
    """A slice of each in this order, as long as they are alive."""
    for task in tasks:
        task.refresh_from_db()
        if task.alive:
            passes.advance(task)


@pytest.mark.parametrize("order", ORDERS)
def test_whoever_confirms_second_is_told_and_gets_the_rest(
    world: World, sauerland: Customer, ann: Client, alice_client: Client, order: str
) -> None:
    anns, alices = Look(ann, ANNS), Look(alice_client, ALICES)
    assert (anns.plan["will"]["count"], alices.plan["will"]["count"]) == (3, 4)
    assert alices.confirm().status_code == 302
    refused = anns.confirm()
    assert refused.status_code == 409
    words = "then 3 of 3 would have changed, now it is 1 of 3. Look again, then confirm."
    assert words in refused.content.decode()
    assert Task.objects.count() == 1
    again = Look(ann, ANNS)
    assert again.plan["leftAlone"] == [
        {
            "code": "requested",
            "message": SENTENCES["requested"],
            "outcome": "unchanged",
            "count": 2,
            "sample": BOTH,
        }
    ]
    again.confirm()
    in_one_of(of(ann), of(alice_client))
    assert outcome(of(ann)) == {
        ANNS[0]: ("pending", ""),
        **dict.fromkeys(BOTH, ("unchanged", "requested")),
    }
    work(ORDERS[order](of(alice_client), of(ann)))
    released_once(world, sauerland)
    assert (of(ann).state, of(ann).succeeded, of(ann).unchanged) == (TaskState.SUCCEEDED, 1, 2)
    assert of(alice_client).succeeded == 4
    sees_only_theirs(ann, anns.page, refused, again.page)


@pytest.mark.parametrize("order", ORDERS)
def test_a_plan_that_grows_old_while_it_is_confirmed_takes_only_what_is_left(
    world: World, sauerland: Customer, ann: Client, alice_client: Client, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    anns, alices = Look(ann, ANNS), Look(alice_client, ALICES)
    in_between(monkeypatch, anns, alices)
    in_one_of(of(ann), of(alice_client))
    assert outcome(of(ann))[ANNS[0]] == ("pending", "")
    assert {outcome(of(ann))[key] for key in BOTH} == {("unchanged", "requested")}
    work(ORDERS[order](of(ann), of(alice_client)))
    released_once(world, sauerland)
    sees_only_theirs(ann, anns.page)


def test_two_who_confirm_in_the_same_moment_share_the_numbers(
    world: World, sauerland: Customer, ann: Client, alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both tasks are begun before either has taken a number; then both work at the same time.

    SQLite lets one write at a time: there the second one comes as late as it can, and the slices take turns.
    """
    anns, alices = Look(ann, ANNS), Look(alice_client, ALICES)
    if connection.vendor == "postgresql":
        monkeypatch.setattr(services, "start", met(services.start))
        at_once(anns.confirm, alices.confirm)
    else:
        in_between(monkeypatch, anns, alices)
    tasks = of(ann), of(alice_client)
    in_one_of(*tasks)
    if connection.vendor == "postgresql":
        at_once(*(partial(passes.finish, task) for task in tasks))
    else:
        monkeypatch.setattr(run, "SLICE_SECONDS", 0.0)
        work(ORDERS["by turns"](*tasks))
    released_once(world, sauerland)
    sees_only_theirs(ann, anns.page)


def test_numbers_are_taken_in_the_order_of_their_digits(world: World) -> None:
    """Two who take the same numbers wait for each other's rows: in different orders they would wait for ever."""
    keys = [f"+{442079460900 - n}" for n in range(50)]
    for key in keys:
        PhoneNumberFactory(e164=key, customer=world.customer, source="")
    task = Release().submit(PhoneNumber.objects.order_by("-e164"), {}, title="", by=SYSTEM, channel="command")
    assert list(task.items.order_by("pk").values_list("key", flat=True)) == sorted(keys)


def in_between(monkeypatch: pytest.MonkeyPatch, one: Look, other: Look) -> None:
    """The one's plan has been found to be the one that was shown; before the task is made, the other's is."""
    submit = Release.submit

    def late(self: Release, *args: Any, **more: Any) -> Task:
        monkeypatch.setattr(Release, "submit", submit)
        assert other.confirm().status_code == 302
        return submit(self, *args, **more)

    monkeypatch.setattr(Release, "submit", late)
    assert one.confirm().status_code == 302


def met(start: Callable[..., Task]) -> Callable[..., Task]:
    """As `start`, but two who come wait for each other afterwards."""
    meeting = Barrier(2, timeout=20)

    def start_and_meet(*args: Any, **more: Any) -> Task:
        task = start(*args, **more)
        meeting.wait()
        return task

    return start_and_meet


def at_once(*jobs: Callable[[], Any]) -> None:
    """Each in a thread and with a connection of its own. Raises what one of them raises."""

    def alone(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as threads:
        for done in [threads.submit(alone, job) for job in jobs]:
            done.result()
