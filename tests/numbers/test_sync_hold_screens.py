"""Putting a customer's synchronisation on hold and resuming it on the screens, and where the screens tell of it."""

import pytest
from django.test import Client

from ocadmin.access.models import AuditEntry
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.numbers.operations import sync
from ocadmin.tasks.models import Task
from tests.factories import CustomerFactory, PhoneNumberFactory, UserFactory, grant

from .failures.scenes import NEW, upload_page
from .world import World

pytestmark = pytest.mark.django_db

REASON = "The former platform still runs it"


@pytest.fixture
def held(contoso: Customer) -> Customer:
    """Contoso, on hold."""
    sync.hold(contoso, reason=REASON, by=SYSTEM, channel="command")
    return contoso


def page_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def post(client: Client, customer: Customer, verb: str, **data: str) -> str:
    """Press a button on the customer's page; the page that follows."""
    response = client.post(f"{customer.get_absolute_url()}{verb}-sync/", data, follow=True)
    assert response.redirect_chain == [(customer.get_absolute_url(), 302)]
    return str(response.content.decode())


def test_a_person_puts_it_on_hold_and_resumes(bob_client: Client, contoso: Customer) -> None:
    assert "Put on hold" in page_of(bob_client, contoso.get_absolute_url())
    page = post(bob_client, contoso, "hold", reason=f" {REASON} ")
    assert Customer.objects.on_hold().get().sync_hold_reason == REASON
    for text in ("Synchronisation on hold since", REASON, "Resume synchronisation", "Synchronisation put on hold"):
        assert text in page
    assert "Put on hold" not in page
    assert "nothing was changed" in post(bob_client, contoso, "hold", reason="Another")
    page = post(bob_client, contoso, "resume")
    assert not Customer.objects.on_hold().exists()
    assert "Synchronisation on hold since" not in page
    assert "nothing was changed" in post(bob_client, contoso, "resume")
    entries = AuditEntry.objects.filter(action__startswith="customer.").order_by("pk")
    assert [(one.action, one.actor_name, one.channel) for one in entries] == [
        ("customer.sync_held", "bob", "web"),
        ("customer.sync_resumed", "bob", "web"),
    ]


@pytest.mark.parametrize(
    ("reason", "words"), [("  ", "Say why"), ("", "Say why"), ("x" * 501, "at most 500 characters")]
)
def test_a_reason_has_to_be_given(bob_client: Client, contoso: Customer, reason: str, words: str) -> None:
    assert words in post(bob_client, contoso, "hold", reason=reason)
    assert not Customer.objects.on_hold().exists()


def test_who_may_only_look_sees_it_and_changes_nothing(held: Customer) -> None:
    client = Client()
    client.force_login(grant(UserFactory(), Role.MONITOR, customer=held))
    page = page_of(client, held.get_absolute_url())
    assert REASON in page
    assert "Resume synchronisation" not in page
    for verb in ("hold", "resume"):
        response = client.post(f"{held.get_absolute_url()}{verb}-sync/", {"reason": "x"})
        assert response.status_code == 403
        assert "Synchronise" in response.content.decode()
    assert Customer.objects.on_hold().get().sync_hold_reason == REASON


def test_a_strangers_customer_does_not_exist(bob_client: Client, charlie_client: Client) -> None:
    address = CustomerFactory().get_absolute_url()
    for client in (bob_client, charlie_client):
        for verb in ("hold", "resume"):
            assert client.post(f"{address}{verb}-sync/", {"reason": "x"}).status_code == 404
    assert not Customer.objects.on_hold().exists()


def test_wrong_methods(bob_client: Client, held: Customer) -> None:
    for verb in ("hold", "resume"):
        assert bob_client.get(f"{held.get_absolute_url()}{verb}-sync/").status_code == 405


def test_the_page_of_a_number_says_it(bob_client: Client, held: Customer) -> None:
    number = PhoneNumberFactory(customer=held)
    other = PhoneNumberFactory()
    page = page_of(bob_client, number.get_absolute_url())
    for text in ("Synchronisation on hold since", REASON, "The synchronisation of its customer is on hold."):
        assert text in page
    client = Client()
    client.force_login(grant(UserFactory(), Role.ADMIN))
    assert "on hold" not in page_of(client, other.get_absolute_url())


def test_asking_for_a_synchronisation_all_the_same(bob_client: Client, held: Customer) -> None:
    number = PhoneNumberFactory(customer=held)
    asked = {held.get_absolute_url(): held.get_absolute_url(), number.get_absolute_url(): number.get_absolute_url()}
    asked["/numbers/"] = "/numbers/"  # bob's customers: this one
    for address, back in asked.items():
        response = bob_client.post(f"{address}sync/", follow=True)
        assert response.redirect_chain[-1][0] == back
        assert "The synchronisation of Contoso is on hold since" in response.content.decode()
    assert not Task.objects.exists()


def test_lists_show_who_is_on_hold(bob_client: Client, alice_client: Client, held: Customer) -> None:
    CustomerFactory(full_name="Fabrikam")
    pill = "Sync on hold"
    assert page_of(alice_client, "/customers/").count(pill) == 1
    rows = {word: alice_client.get(f"/customers/?sync={word}").context["table"].page_rows for word in ("held", "open")}
    assert {word: [row.record.full_name for row in found] for word, found in rows.items()} == {
        "held": ["Contoso"],
        "open": ["Fabrikam"],
    }
    PhoneNumberFactory(customer=held)
    response = bob_client.get("/")
    assert response.context["problems"].on_hold == 1
    assert "/customers/?sync=held" in response.content.decode()
    assert pill in response.content.decode()


def test_the_plan_of_an_upload_says_what_follows(world: World, alice_client: Client) -> None:
    def told() -> list[tuple[int, str]]:
        plan = upload_page(alice_client, world, NEW).context["plan"]
        return [(group.count, group.sentence) for group in plan.cautions if group.code == "sync_on_hold"]

    assert told() == []
    sync.hold(world.customer, reason=REASON, by=SYSTEM, channel="command")
    ((count, sentence),) = told()
    assert (count, "stay “Pending first sync”" in sentence) == (len(NEW), True)
    assert not PhoneNumber.objects.exists()
