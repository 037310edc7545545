"""The screens of webhooks: making, looking, every button; and who is refused."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.api.webhooks import services
from ocadmin.api.webhooks.models import Attempt, Delivery, Webhook
from ocadmin.numbers.models import Customer
from tests.api.changing import write
from tests.budgets import budget
from tests.factories import ChannelFactory, UserFactory, grant

from .conftest import Hooks
from .receiver import Receiver

pytestmark = pytest.mark.django_db

URL = "/webhooks/"
ACTIONS = ("enable", "disable", "secret", "test", "delete")
FIELDS = {"name": "portal", "url": "https://portal.example.net/hooks", "everything": "on"}


def form(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in (FIELDS | fields).items() if value != ""}


def secret_on(page: str) -> str:
    found = re.search(r"<code>(whsec_[A-Za-z0-9+/=]+)</code>", page)
    return found[1] if found else ""


def failed_to(webhook: Webhook) -> Delivery:
    delivery = Delivery.objects.create(webhook=webhook, uid="msg_1", body='{"data":{"changes":[]}}', changes=3)
    Attempt.objects.create(
        delivery=delivery,
        at=delivery.created_at,
        status=500,
        milliseconds=1234,
        error="It answered 500.",
        answer="<b>no",
    )
    return delivery


def test_making_one_shows_its_secret_once(alice_client: Client, alice: User) -> None:
    answer = alice_client.post(f"{URL}new/", form(events=["release.", "sync."]), follow=True)
    webhook = Webhook.objects.get()
    assert answer.redirect_chain == [(f"{URL}{webhook.pk}/", 302)]
    secret = secret_on(answer.text)
    assert len(secret) > 40
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in alice_client.get(f"{URL}{webhook.pk}/").text
    assert (webhook.events, webhook.everything, webhook.created_by) == (["release.", "sync."], True, alice)
    entry = AuditEntry.objects.get(action="webhook.add")
    assert (entry.actor, entry.after["url"]) == (alice, FIELDS["url"])
    assert secret not in str(entry.after)


def test_making_one_for_some(alice_client: Client, contoso: Customer) -> None:
    reseller = ChannelFactory()
    fields = form(everything="", channels=[reseller.pk], customers=f"{contoso.tenant_id}\n")
    assert alice_client.post(f"{URL}new/", fields).status_code == 302
    scope = Webhook.objects.get().scope()
    assert (scope.everything, scope.channels, scope.customers) == (False, {reseller.pk}, {contoso.pk})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://portal.example.net/"}, "Write https"),
        ({"url": "https://a:b@portal.example.net/"}, "Leave user name and password out"),
        ({"url": "javascript:alert(1)"}, "Enter a valid URL"),
        ({"name": ""}, "This field is required"),
        ({"everything": ""}, "at least one channel or customer"),
        ({"everything": "", "customers": "nonsense"}, "“nonsense” is not a tenant ID"),
        ({"everything": "", "customers": "6f1c2d3e-0000-4000-8000-000000000000"}, "There is no customer with"),
        ({"events": ["other."]}, "is not one of the available choices"),
        ({"url": "https://portal.example.net/\0"}, "Null characters"),
    ],
)
def test_what_cannot_be_entered(alice_client: Client, fields: dict[str, Any], words: str) -> None:
    answer = alice_client.post(f"{URL}new/", form(**fields))
    assert answer.status_code == 200
    assert words in answer.text
    assert not Webhook.objects.exists()


def test_not_the_whole_and_a_part(alice_client: Client, contoso: Customer) -> None:
    assert "not both" in alice_client.post(f"{URL}new/", form(customers=str(contoso.tenant_id))).text


def test_changing_one(alice_client: Client, hook: Hooks, contoso: Customer) -> None:
    webhook = hook(customers=[contoso]).row
    page = alice_client.get(f"{URL}{webhook.pk}/edit/")
    assert str(contoso.tenant_id) in page.text
    alice_client.post(f"{URL}{webhook.pk}/edit/", form(everything="", customers=str(contoso.tenant_id)))
    webhook.refresh_from_db()
    assert (webhook.name, webhook.url) == ("portal", FIELDS["url"])
    entry = AuditEntry.objects.get(action="webhook.change")
    assert entry.after == {"name": "portal", "url": FIELDS["url"]}
    alice_client.post(f"{URL}{webhook.pk}/edit/", form(everything="", customers=str(contoso.tenant_id)))
    assert AuditEntry.objects.filter(action="webhook.change").count() == 1


def test_the_list(alice_client: Client, hook: Hooks) -> None:
    hook()
    off = hook()
    services.disable(off.pk, SYSTEM)
    Webhook.objects.filter(pk=hook().pk).update(failures=1)
    with budget("webhooks:list"):
        page = alice_client.get(URL)
    for words in ("portal 0", "enabled", "portal 1", "disabled", "portal 2", "failing", f'href="{URL}{off.pk}/"'):
        assert words in page.text


def test_the_page_tells_how_it_went(alice_client: Client, hook: Hooks) -> None:
    webhook = hook().row
    delivery = failed_to(webhook)
    services.send_test(webhook.pk, SYSTEM)
    Webhook.objects.update(failures=2)
    with budget("webhooks:detail"):
        page = alice_client.get(f"{URL}{webhook.pk}/").text
    for words in (
        "2 tries of 15 failed",
        "It answered 500.",
        "1,234 ms",
        f"/deliveries/{delivery.pk}/",
        "Of the whole",
    ):
        assert words in page
    Webhook.objects.update(enabled=False, note="The receiver answered 410.")
    page = alice_client.get(f"{URL}{webhook.pk}/").text
    assert "The receiver answered 410." in page
    assert "Enable, and send what was missed" in page


def test_the_log_has_pages(alice_client: Client, hook: Hooks) -> None:
    webhook = hook().row
    Delivery.objects.bulk_create(
        Delivery(webhook=webhook, uid=f"msg_{n}", body="{}", state="delivered") for n in range(30)
    )
    page = alice_client.get(f"{URL}{webhook.pk}/")
    assert len(page.context["log"]) == 25
    assert len(alice_client.get(f"{URL}{webhook.pk}/?page=2").context["log"]) == 5
    for odd in ("99", "x", "0"):
        assert alice_client.get(f"{URL}{webhook.pk}/?page={odd}").status_code == 200


def test_a_delivery_shows_its_text_and_tries(alice_client: Client, hook: Hooks) -> None:
    webhook = hook().row
    delivery = failed_to(webhook)
    with budget("webhooks:delivery"):
        page = alice_client.get(f"{URL}{webhook.pk}/deliveries/{delivery.pk}/").text
    for words in ("msg_1", "&quot;changes&quot;: []", "&lt;b&gt;no", "It answered 500."):
        assert words in page
    other = hook().row
    assert alice_client.get(f"{URL}{other.pk}/deliveries/{delivery.pk}/").status_code == 404
    assert alice_client.post(f"{URL}{other.pk}/deliveries/{delivery.pk}/again/").status_code == 404


def test_every_button(alice_client: Client, hook: Hooks, receiver: Receiver, contoso: Customer) -> None:
    sender = hook()
    page = f"{URL}{sender.pk}/"
    alice_client.post(f"{page}test/")
    sender.send()
    assert sender.log == [("test", "delivered", [200])]
    alice_client.post(f"{page}deliveries/{Delivery.objects.get().pk}/again/")
    sender.send()
    assert sender.log[1:] == [("again", "delivered", [200])]
    new = secret_on(alice_client.post(f"{page}secret/", follow=True).text)
    alice_client.post(f"{page}disable/")
    write(contoso, 1)
    sender.send()
    assert sender.row.note == "Disabled by alice."
    alice_client.post(f"{page}enable/")
    sender.send()
    assert receiver.numbers == [[], [], [1]]
    assert receiver.requests[2].is_signed_by(new)
    alice_client.post(f"{page}delete/")
    assert not Webhook.objects.exists()
    told = list(AuditEntry.objects.filter(object_type="webhook").order_by("pk").values_list("action", "actor_name"))
    verbs = ["test", "again", "secret", "disable", "enable", "delete"]
    assert told[1:] == [(f"webhook.{verb}", "alice") for verb in verbs]


def test_doing_it_twice_changes_nothing(alice_client: Client, hook: Hooks) -> None:
    page = f"{URL}{hook().pk}/"
    for verb, count in (("enable", 0), ("disable", 1), ("disable", 1)):
        assert alice_client.post(f"{page}{verb}/").status_code == 302
        assert AuditEntry.objects.filter(action=f"webhook.{verb}").count() == count


def addresses_of(webhook: Webhook, delivery: Delivery) -> list[tuple[str, str]]:
    page = f"{URL}{webhook.pk}/"
    reads = [URL, f"{URL}new/", page, f"{page}edit/", f"{page}deliveries/{delivery.pk}/"]
    writes = [f"{URL}new/", f"{page}edit/", f"{page}deliveries/{delivery.pk}/again/"]
    writes += [f"{page}{action}/" for action in ACTIONS]
    return [("get", path) for path in reads] + [("post", path) for path in writes]


@pytest.mark.parametrize("role", [*Role.values, "customer admin", "nobody"])
def test_only_who_manages_access_to_the_whole_system(hook: Hooks, contoso: Customer, role: str) -> None:
    webhook = hook().row
    delivery = failed_to(webhook)
    person = UserFactory()
    if role != "nobody":
        grant(person, Role.ADMIN, customer=contoso) if role == "customer admin" else grant(person, role)
    browser = Client()
    browser.force_login(person)
    allowed = role == Role.ADMIN
    for method, path in addresses_of(webhook, delivery):
        answer = getattr(browser, method)(path)
        assert (answer.status_code in (200, 302)) if allowed else answer.status_code == 403, (method, path)
    if not allowed:
        assert browser.get(f"{URL}999/").status_code == 403  # whether there is one is a secret
        assert 'href="/webhooks/"' not in browser.get("/me/").text
        assert Webhook.objects.get().enabled
    else:
        assert 'href="/webhooks/"' in browser.get("/me/").text


def test_visitors_sign_in_first(client: Client, hook: Hooks) -> None:
    webhook = hook().row
    for method, path in addresses_of(webhook, failed_to(webhook)):
        answer = getattr(client, method)(path)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_wrong_methods(alice_client: Client, hook: Hooks) -> None:
    webhook = hook().row
    delivery = failed_to(webhook)
    page = f"{URL}{webhook.pk}/"
    for path in [*(f"{page}{action}/" for action in ACTIONS), f"{page}deliveries/{delivery.pk}/again/"]:
        assert alice_client.get(path).status_code == 405
    for path in (URL, page, f"{page}deliveries/{delivery.pk}/"):
        assert alice_client.post(path).status_code == 405
    assert alice_client.get(f"{URL}999/").status_code == 404


def test_the_admin_shows_them_without_secrets(alice: User, alice_client: Client, hook: Hooks) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    webhook = hook().row
    delivery = failed_to(webhook)
    for name, pk in (("webhook", webhook.pk), ("delivery", delivery.pk), ("attempt", Attempt.objects.get().pk)):
        assert alice_client.get(reverse(f"admin:webhooks_{name}_changelist")).status_code == 200
        page = alice_client.get(reverse(f"admin:webhooks_{name}_change", args=[pk]))
        assert page.status_code == 200
        assert webhook.sealed_secret not in page.text
        assert 'name="_save"' not in page.text
