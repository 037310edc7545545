"""The timeline of a number, what can be undone from there, and the page of a number that has left."""

import html
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, PhoneNumber, UpstreamJob
from ocadmin.tasks.models import ItemState, Task
from tests.budgets import budget
from tests.factories import (
    CallingProfileFactory,
    CustomerFactory,
    LocationFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    TaskFactory,
    TaskItemFactory,
    UserFactory,
    grant,
)

pytestmark = pytest.mark.django_db

E164 = "+442079460958"
URL = f"/numbers/{E164}/"
NOW = timezone.now()


@pytest.fixture
def number(contoso: Customer) -> PhoneNumber:
    """A number of Bob's that is here for a month."""
    return PhoneNumberFactory(e164=E164, customer=contoso, when_created=NOW - timedelta(days=30))


def tell(action: str, customer: Customer, *, minutes_ago: float = 5, **fields: Any) -> AuditEntry:
    """One entry of the number's trail."""
    at = NOW - timedelta(minutes=minutes_ago)
    who = {"actor_name": "Dana", "channel": "web", "object_type": "number", "object_id": E164}
    return AuditEntry.objects.create(action=action, at=at, customer_ref=customer.pk, **(who | fields))


def fail(task: Task, customer: Customer, *, minutes_ago: float = 5, **fields: Any) -> None:
    values = {
        "state": ItemState.FAILED,
        "customer_ref": customer.pk,
        "updated_at": NOW - timedelta(minutes=minutes_ago),
    }
    TaskItemFactory(task=task, key=E164, **(values | fields))


def history(client: Client, **query: Any) -> str:
    page = client.get(URL, {"tab": "history", **query})
    assert page.status_code == 200
    return " ".join(html.unescape(page.content.decode()).split())


def titles(text: str) -> list[str]:
    return re.findall(r"<li><p><strong>(.*?)</strong>", text)


def undo_links(text: str) -> list[str]:
    return re.findall(r'<a class="button small" href="(/numbers/actions/[^"]*)"', text)


def test_entries_and_failures_stand_in_one_line_of_time(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    task = TaskFactory(kind="release", title="Release", actor_name="Erin", channel="api", ticket="CHG-8")
    tell("sync.new", contoso, minutes_ago=50)
    fail(task, contoso, minutes_ago=30, code="NumberAssigned", message="It is assigned to a user.")
    fail(
        TaskFactory(kind="capabilities"), contoso, minutes_ago=20, state=ItemState.REFUSED, code="busy", message="Busy."
    )
    fail(TaskFactory(), contoso, minutes_ago=15, state=ItemState.SUCCEEDED, message="Done.")
    tell("release.requested", contoso, minutes_ago=10, ticket="CHG-9", message="contract ended")
    text = history(alice_client)
    assert titles(text) == [
        "Release requested",
        "Update capabilities: refused",
        "Release: failed",
        "Found at Microsoft",
    ]
    failed = text.split("<li>")[text.split("<li>").index(next(p for p in text.split("<li>") if "Release: failed" in p))]
    for part in (
        "NumberAssigned",
        "It is assigned to a user.",
        "Erin",
        "API",
        "ticket CHG-8",
        f'href="/tasks/{task.pk}/"',
    ):
        assert part in failed
    assert "Done." not in text


def test_a_failure_that_an_entry_has_told_is_not_told_twice(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    task = TaskFactory(kind="release")
    why = "Microsoft says: it is assigned."
    fail(task, contoso, code="NumberAssigned", message=why)
    tell("release.requested", contoso, minutes_ago=9, task_ref=task.pk, message="contract ended")
    tell("release.failed", contoso, task_ref=task.pk, message=why)
    assert titles(history(alice_client)) == ["Not released, active again", "Release requested"]


def test_microsoft_s_job_is_named(alice_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    ended, sent = uuid.uuid4(), uuid.uuid4()
    task = TaskFactory(kind="release")
    job = UpstreamJob.objects.create(kind="releases", customer=contoso, ms_job_id=sent)
    fail(task, contoso, state=ItemState.CANCELLED, upstream_ids={"ms_job_id": str(ended)})
    tell("release.failed", contoso, task_ref=task.pk)
    fail(TaskFactory(kind="release"), contoso, job_ref=job.pk, message="No answer.")
    text = history(alice_client)
    assert f'title="{ended}"' in text
    assert f'title="{sent}"' in text


def test_before_and_after_are_words(alice_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    place = LocationFactory(civic_address__customer=contoso, description="Floor 9")
    profile, gone = CallingProfileFactory(name="EMEA"), uuid.uuid4()
    tell(
        "sync.changed",
        contoso,
        before={"location_id": str(gone), "status": "MARKED_FOR_REMOVAL", "calling_profile_id": None},
        after={"location_id": str(place.pk), "status": "ACTIVE", "calling_profile_id": str(profile.pk)},
    )
    tell("x", contoso, before={"assignment_status": "UserAssigned", "acquired_capabilities": ["InboundCalling", "New"]})
    tell("y", contoso, before={"status": "RELEASE_REQUESTED"}, after={"status": "RELEASED", "customer_id": contoso.pk})
    text = history(alice_client)
    for words in (
        f"<del>{gone}</del>",
        f"<ins>Floor 9 · {place.civic_address.one_line}</ins>",
        "<del>Marked for removal</del>",
        "<ins>Active</ins>",
        "<ins>EMEA</ins>",
        "<del>Inbound calling, New</del>",
        "<ins>Released</ins>",
        "<ins>Contoso</ins>",
    ):
        assert words in text
    assert 'title="' + (NOW - timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S") in text


def test_names_of_other_people_s_places_stay_hidden(bob_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    foreign = LocationFactory(description="Secret bunker")
    tell("location.changed", contoso, before={"location_id": str(foreign.pk)}, after={"location_id": None})
    text = history(bob_client)
    assert "Secret bunker" not in text
    assert f"<del>{foreign.pk}</del>" in text


@pytest.mark.parametrize("value", ["nonsense", 7, "", {"a": 1}])
def test_values_that_are_no_ids_do_no_harm(
    alice_client: Client, number: PhoneNumber, contoso: Customer, value: Any
) -> None:
    tell("x", contoso, before={"location_id": value, "customer_id": value, "quarantine_until": value, "status": value})
    assert titles(history(alice_client)) == ["x"]


def test_pages_go_through_both_kinds_without_losing_or_repeating_one(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    for n in range(30):
        tell(f"a{n}", contoso, minutes_ago=2 * n)
        fail(TaskFactory(kind="release"), contoso, minutes_ago=2 * n + 1, code=f"b{n}", message=f"message {n}")
    pages = [history(alice_client, page=n) for n in (1, 2, 3)]
    assert [len(titles(page)) for page in pages] == [25, 25, 10]
    whole = "".join(pages)
    assert [f"<strong>a{n}</strong>" in whole for n in range(30)] == [True] * 30
    assert re.findall(r"· message (\d+)<", whole) == [str(n) for n in range(30)]
    assert "page=3" not in pages[2]


def test_the_timeline_spans_lives_but_not_strangers(
    alice_client: Client, bob_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    tell("release.completed", CustomerFactory(), minutes_ago=90_000)
    tell("upload.accepted", contoso)
    assert titles(history(bob_client)) == ["Uploaded, waiting for the first synchronisation"]
    assert len(titles(history(alice_client))) == 2


# Undo


def moved(contoso: Customer, *, minutes_ago: float) -> tuple[AuditEntry, str]:
    """A change of location, and the location before."""
    before = LocationFactory(civic_address__customer=contoso)
    after = LocationFactory(civic_address__customer=contoso)
    ids = [{"location_id": str(one.pk), "civic_address_id": str(one.civic_address_id)} for one in (before, after)]
    entry = tell("location.changed", contoso, minutes_ago=minutes_ago, before=ids[0], after=ids[1])
    PhoneNumber.objects.filter(e164=E164).update(location=after, civic_address=after.civic_address)
    return entry, str(before.pk)


def test_the_newest_change_leads_to_the_plan_that_takes_it_back(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    moved(contoso, minutes_ago=60)
    _entry, before = moved(contoso, minutes_ago=5)
    text = history(alice_client)
    (link,) = undo_links(text)
    assert link.startswith("/numbers/actions/relocate/?")
    assert "only the newest change" in text.lower()
    page = alice_client.get(link)
    assert page.context["plan"].will == 1
    assert page.context["proposal"].params["location_id"] == before
    assert page.context["back"] == f"{URL}?tab=history"


def test_what_a_synchronisation_has_changed_since_is_not_undone(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    entry, _before = moved(contoso, minutes_ago=5)
    elsewhere = LocationFactory(civic_address__customer=contoso)
    PhoneNumber.objects.update(location=elsewhere, civic_address=elsewhere.civic_address)
    tell("sync.changed", contoso, minutes_ago=2, before=entry.after, after={"location_id": str(elsewhere.pk)})
    text = history(alice_client)
    assert not undo_links(text)
    assert "It has changed again since." in text


def test_the_order_of_capabilities_is_no_change(alice_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    told = {"before": {"acquired_capabilities": []}, "after": {"acquired_capabilities": ["InboundCalling", "Mobile"]}}
    tell("capabilities.changed", contoso, **told)
    PhoneNumber.objects.update(acquired_capabilities=["Mobile", "InboundCalling"])
    assert len(undo_links(history(alice_client))) == 1
    PhoneNumber.objects.update(acquired_capabilities=["Mobile"])
    assert "It has changed again since." in history(alice_client)


def test_capabilities_are_given_back_and_taken_away(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    PhoneNumber.objects.update(acquired_capabilities=["InboundCalling", "Mobile"])
    before = {"acquired_capabilities": ["InboundCalling", "OutboundCalling"]}
    tell("capabilities.changed", contoso, before=before, after={"acquired_capabilities": ["InboundCalling", "Mobile"]})
    (link,) = undo_links(history(alice_client))
    assert link.startswith("/numbers/actions/capabilities/?")
    params = alice_client.get(link).context["proposal"].params
    assert (params["add"], params["remove"]) == (["OutboundCalling"], ["Mobile"])


def test_a_requested_release_is_undone_while_it_is_ours(
    alice_client: Client, number: PhoneNumber, contoso: Customer
) -> None:
    PhoneNumber.objects.update(status=Status.RELEASE_REQUESTED)
    task = TaskFactory(kind="release")
    item = TaskItemFactory(task=task, key=E164, customer_ref=contoso.pk)
    tell("release.requested", contoso, task_ref=task.pk)
    (link,) = undo_links(history(alice_client))
    assert link.startswith("/numbers/actions/withdraw/?")
    assert alice_client.get(link).context["plan"].will == 1
    item.job_ref, item.state = 7, ItemState.RUNNING
    item.save()
    text = history(alice_client)
    assert not undo_links(text)
    assert "cannot be called back" in text


def test_what_somebody_may_not_do_they_may_not_undo(client: Client, number: PhoneNumber, contoso: Customer) -> None:
    client.force_login(grant(UserFactory(), Role.MONITOR))
    moved(contoso, minutes_ago=5)
    text = history(client)
    assert not undo_links(text)
    assert "Your role does not include “Change emergency locations”" in text


def test_a_former_life_s_change_is_not_undone(alice_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    moved(contoso, minutes_ago=60 * 24 * 40)
    assert not undo_links(history(alice_client))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("unassign.completed", "this console does not assign numbers"),
        ("release.completed", "may be uploaded again"),
        ("upload.accepted", "release it"),
        ("removal.approve", "cannot be taken back"),
        ("removal.clear", "marked again only when Microsoft has listed it as active once more"),
        ("quarantine.ended", "cannot be set again"),
        ("sync.changed", "only read here"),
        ("something.new", "There is no action that takes this back."),
    ],
)
def test_where_there_is_no_undo_it_says_so(
    alice_client: Client, number: PhoneNumber, contoso: Customer, action: str, words: str
) -> None:
    tell(action, contoso)
    text = history(alice_client)
    assert not undo_links(text)
    assert "No undo:" in text
    assert words in text


# A number that has left


@pytest.fixture
def left(contoso: Customer) -> Any:
    """A number of Bob's that was released ten days ago."""
    profile = CallingProfileFactory(name="EMEA")
    PhoneNumberFactory(customer=contoso, calling_profile=profile)
    at = NOW - timedelta(days=10)
    record = {
        "id": 5,
        "e164": E164,
        "customer_id": contoso.pk,
        "calling_profile_id": str(profile.pk),
        "note": "the reception",
        "acquired_on": datetime(2024, 3, 1, 12).astimezone().isoformat(),
        "acquired_capabilities": ["InboundCalling"],
        "location_id": None,
    }
    tell("release.completed", contoso, minutes_ago=60 * 24 * 10)
    return ReleasedNumberFactory(
        e164=E164, customer=contoso, released_at=at, released_by="Dana", record=record, ms_job_id=uuid.uuid4()
    )


def flat(page: HttpResponse) -> str:
    return " ".join(html.unescape(page.content.decode()).split())


def test_a_number_that_has_left_tells_what_it_was(bob_client: Client, left: Any) -> None:
    page = bob_client.get(URL)
    text = flat(page)
    assert page.status_code == 200
    for words in (
        "+44 20 7946 0958",
        "until then only Contoso may have it again.",
        "EMEA",
        "the reception",
        "1 Mar 2024",
    ):
        assert words in text
    assert "Inbound calling" in text
    assert f'title="{left.ms_job_id}"' in text
    assert "by Dana" in text


def test_its_history_and_tasks_are_kept(bob_client: Client, left: Any, contoso: Customer) -> None:
    TaskItemFactory(task=TaskFactory(title="Release of 3", customer_ref=contoso.pk), key=E164, customer_ref=contoso.pk)
    assert titles(history(bob_client)) == ["Released at Microsoft"]
    assert "Release of 3" in flat(bob_client.get(f"{URL}?tab=tasks"))
    swap = bob_client.get(f"{URL}?tab=history", headers={"HX-Request": "true", "HX-Target": "number-tabs"})
    assert swap.content.decode().lstrip().startswith('<section id="number-tabs"')


def test_nothing_of_a_former_life_is_undone(alice_client: Client, left: Any, contoso: Customer) -> None:
    moved(contoso, minutes_ago=60 * 24 * 12)
    text = history(alice_client)
    assert not undo_links(text)
    assert "The number has left" in text


def test_quarantine_is_ended_from_there(alice_client: Client, bob_client: Client, left: Any) -> None:
    assert "Your role does not include “End quarantine early”" in flat(bob_client.get(URL))
    text = flat(alice_client.get(URL))
    assert 'value="end-quarantine">End quarantine early…' in text
    form = {"action": "end-quarantine", "row": str(left.pk), "back": URL}
    address = alice_client.post("/numbers/released/actions/", form)["Location"]
    shown = alice_client.get(address).context["shown"]
    answer = alice_client.post(address, {"shown": shown, "comment": "merger"}, follow=True)
    assert answer.redirect_chain[-1][0] == URL
    assert "every customer may have it." in flat(answer)
    assert titles(history(alice_client)) == ["Quarantine ended early", "Released at Microsoft"]


def test_a_stranger_s_former_number_is_not_there(client: Client, charlie_client: Client, left: Any) -> None:
    client.force_login(grant(UserFactory(), Role.ADMIN, customer=CustomerFactory()))
    for tab in ("details", "history", "tasks"):
        page = client.get(f"{URL}?tab={tab}")
        assert page.status_code == 404
        assert "There is no number" in flat(page)
    assert charlie_client.get(URL).status_code == 403


def test_a_number_of_which_only_the_history_is_left(alice_client: Client, contoso: Customer) -> None:
    tell("removal.completed", contoso)
    text = flat(alice_client.get(URL))
    assert "only its history is kept" in text
    assert "Nothing is kept of what it was" in text
    assert len(titles(history(alice_client))) == 1


def test_a_number_that_has_left_twice_names_the_first_time(bob_client: Client, left: Any, contoso: Customer) -> None:
    ReleasedNumberFactory(e164=E164, customer=contoso, released_at=NOW - timedelta(days=400), released_by="Yuri")
    text = flat(bob_client.get(URL))
    assert "Released before" in text
    assert "Yuri" in text


def test_the_newcomer_s_page_comes_before_the_old_one_s(bob_client: Client, left: Any, contoso: Customer) -> None:
    PhoneNumberFactory(e164=E164, customer=contoso)
    assert "quarantine" not in flat(bob_client.get(URL))


def test_the_screens_keep_their_budgets(bob: User, bob_client: Client, number: PhoneNumber, contoso: Customer) -> None:
    task = TaskFactory(kind="release", customer_ref=contoso.pk)
    for n in range(3):
        moved(contoso, minutes_ago=n)
        tell("release.requested", contoso, task_ref=task.pk, after={"calling_profile_id": str(uuid.uuid4())})
        fail(TaskFactory(kind="release"), contoso, code=f"b{n}", message="No.")
    with budget("numbers:number?tab=history"):
        history(bob_client)
    number.delete()
    ids = {name: str(uuid.uuid4()) for name in ("location_id", "civic_address_id", "calling_profile_id")}
    ReleasedNumberFactory(e164=E164, customer=contoso, record=ids)
    with budget("numbers:number?departed"):
        bob_client.get(URL)
    with budget("numbers:number?departed&tab=history"):
        history(bob_client)
