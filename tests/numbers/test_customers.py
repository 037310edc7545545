"""Customers: the list, the page of one, and starting a synchronisation of one."""

import uuid
from datetime import UTC, datetime

import pytest
from django.test import Client

from ocadmin.access.audit import record
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import ConnectionState, Customer
from ocadmin.tasks.models import Task, TaskState
from tests.budgets import budget
from tests.factories import (
    CallingProfileFactory,
    ChannelFactory,
    CivicAddressFactory,
    CustomerFactory,
    PhoneNumberFactory,
    ReleasedNumberFactory,
    SipConnectionFactory,
    TaskFactory,
    UserFactory,
    grant,
)

URL = "/customers/"


def listed(client: Client, query: str = "") -> list[str]:
    """Names of the customers on the page, in order."""
    response = client.get(URL + query)
    assert response.status_code == 200
    return [row.record.full_name for row in response.context["table"].page_rows]


def page_of(client: Client, customer: Customer) -> str:
    response = client.get(customer.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def fabrikam(db: None) -> Customer:
    return CustomerFactory(
        full_name="Fabrikam",
        ms_company_name="Fabrikam Inc",
        tenant_id=uuid.UUID("c0ffee00-1234-4567-89ab-0123456789ab"),
        channel=ChannelFactory(name="Northern Resellers"),
        consent_status="suspended",
        relationship_status="AgreementSigned",
        consented_countries=["US", "DE"],
        connection=ConnectionState.NOT_CONNECTED,
        consented_on=datetime(2026, 1, 31, tzinfo=UTC),
    )


def test_shows_what_is_known_of_each(alice_client: Client, fabrikam: Customer) -> None:
    PhoneNumberFactory.create_batch(3, customer=fabrikam)
    PhoneNumberFactory(customer=fabrikam, status=Status.MARKED_FOR_REMOVAL)
    page = alice_client.get(URL).content.decode()
    for text in (
        "Fabrikam",
        str(fabrikam.tenant_id),
        "Northern Resellers",
        "Suspended",
        "AgreementSigned",
        "31 Jan 2026",
    ):
        assert text in page
    for text in ('<span class="tag">US</span>', "Not connected"):
        assert text in page
    assert f'<a href="/numbers/?customer={fabrikam.pk}">4</a>' in page
    assert f'<a href="/numbers/?customer={fabrikam.pk}&amp;status=2">1</a>' in page


@pytest.mark.parametrize(
    "query",
    [
        "?q=fabri",
        "?q=fabrikam+inc",
        "?q=c0ffee",
        "?q=C0FFEE00-1234-4567",
        "?consent=suspended",
        "?consent=not_active",
        "?connection=not_connected",
        "?country=us",
        "?country=DE",
    ],
)
def test_filters(alice_client: Client, fabrikam: Customer, contoso: Customer, query: str) -> None:
    assert listed(alice_client, query) == ["Fabrikam"]


def test_filters_by_channel(alice_client: Client, fabrikam: Customer, contoso: Customer) -> None:
    assert listed(alice_client, f"?channel={fabrikam.channel_id}") == ["Fabrikam"]


def test_lists_and_offers_only_what_is_theirs(bob_client: Client, fabrikam: Customer, contoso: Customer) -> None:
    assert listed(bob_client) == ["Contoso"]
    assert "Northern Resellers" not in bob_client.get(URL).content.decode()


def test_the_list_is_refused_without_a_role(charlie_client: Client) -> None:
    assert charlie_client.get(URL).status_code == 403


def test_the_list_costs_the_same_with_many_customers(alice_client: Client) -> None:
    for _ in range(30):
        PhoneNumberFactory(customer=CustomerFactory(channel=ChannelFactory()))
    with budget("numbers:customers"):
        alice_client.get(URL + "?per_page=25")


def test_the_page_shows_facts_and_counts(alice_client: Client, fabrikam: Customer) -> None:
    profile = CallingProfileFactory(name="UK Standard")
    PhoneNumberFactory.create_batch(2, customer=fabrikam, calling_profile=profile)
    PhoneNumberFactory(
        customer=fabrikam, calling_profile=profile, assignment_status="VoiceApp", status=Status.READY_FOR_REMOVAL
    )
    ReleasedNumberFactory(customer=fabrikam)
    address = CivicAddressFactory(customer=fabrikam, street_name="High Street")
    SipConnectionFactory(customer=fabrikam, calling_profile=profile, name="IP group 7")
    response = alice_client.get(fabrikam.get_absolute_url())
    page = response.content.decode()
    for text in (str(fabrikam.tenant_id), "Northern Resellers", "AgreementSigned", "UK Standard", "IP group 7"):
        assert text in page
    assert address.get_absolute_url() in page
    assert {bar.label: bar.count for bar in response.context["status"].bars} == {"Active": 2, "Ready for removal": 1}
    for chart in ("status", "assignment"):
        for bar in response.context[chart].bars:
            assert len(alice_client.get(bar.url).context["table"].page_rows) == bar.count
    assert f"/numbers/?tab=released&amp;customer={fabrikam.pk}" in page


def test_the_page_shows_tasks_and_history_of_this_customer_only(
    alice_client: Client, fabrikam: Customer, contoso: Customer
) -> None:
    for customer in (fabrikam, contoso):
        TaskFactory(title=f"Task of {customer}", customer_ref=customer.pk)
        record(
            "number.changed",
            by=SYSTEM,
            channel="web",
            object_type="customer",
            object_id=str(customer.pk),
            customer_ref=customer.pk,
            message=f"Entry of {customer}",
        )
    page = page_of(alice_client, fabrikam)
    assert "Task of Fabrikam" in page
    assert "Entry of Fabrikam" in page
    assert "of Contoso" not in page


def test_tasks_that_the_person_may_not_see_are_named_without_a_link(
    alice_client: Client, bob_client: Client, contoso: Customer
) -> None:
    task = TaskFactory()
    about = {"object_type": "customer", "object_id": str(contoso.pk), "customer_ref": contoso.pk}
    record("task.start", by=SYSTEM, channel="web", task_ref=task.pk, **about)
    assert f'href="/tasks/{task.pk}/"' in page_of(alice_client, contoso)
    page = page_of(bob_client, contoso)
    assert f"task {task.pk}" in page
    assert f'href="/tasks/{task.pk}/"' not in page


def test_a_missing_connection_is_explained(alice_client: Client, fabrikam: Customer, contoso: Customer) -> None:
    page = page_of(alice_client, fabrikam)
    assert "cannot be un-assigned from here" in page
    assert "To connect:" in page
    assert "cannot be un-assigned from here" not in page_of(alice_client, contoso)


def test_sbcs_are_linked_for_people_of_the_whole_system_only(
    alice_client: Client, bob_client: Client, contoso: Customer
) -> None:
    link = SipConnectionFactory(customer=contoso)
    assert f"/sbcs/{link.sbc_id}/" in page_of(alice_client, contoso)
    assert f"/sbcs/{link.sbc_id}/" not in page_of(bob_client, contoso)


def test_strangers_customers_do_not_exist(
    bob_client: Client, charlie_client: Client, fabrikam: Customer, contoso: Customer
) -> None:
    assert bob_client.get(fabrikam.get_absolute_url()).status_code == 404
    assert charlie_client.get(contoso.get_absolute_url()).status_code == 404
    for client in (bob_client, charlie_client):
        assert client.post(f"{fabrikam.get_absolute_url()}sync/").status_code == 404
    assert not Task.objects.exists()


def test_the_page_costs_the_same_with_much_on_it(alice_client: Client, fabrikam: Customer) -> None:
    for _ in range(12):
        profile = CallingProfileFactory()
        PhoneNumberFactory(customer=fabrikam, calling_profile=profile)
        SipConnectionFactory(customer=fabrikam, calling_profile=profile)
        CivicAddressFactory(customer=fabrikam)
        task = TaskFactory(customer_ref=fabrikam.pk)
        about = {"object_type": "customer", "object_id": "1", "customer_ref": fabrikam.pk, "task_ref": task.pk}
        record("customer.changed", by=SYSTEM, channel="web", **about)
    with budget("numbers:customer"):
        alice_client.get(fabrikam.get_absolute_url())


def test_a_synchronisation_of_one_customer_starts_and_is_shown(bob_client: Client, contoso: Customer) -> None:
    assert "Sync this customer" in page_of(bob_client, contoso)
    response = bob_client.post(f"{contoso.get_absolute_url()}sync/")
    task = Task.objects.get()
    assert response["Location"] == f"/tasks/{task.pk}/"
    assert (task.kind, task.channel, task.customer_ref, task.actor_name) == ("sync", "web", contoso.pk, "bob")


def test_a_synchronisation_that_runs_already_is_shown_instead(alice_client: Client, contoso: Customer) -> None:
    running = TaskFactory(unique_key="sync", state=TaskState.RUNNING)
    response = alice_client.post(f"{contoso.get_absolute_url()}sync/", follow=True)
    assert response.redirect_chain[-1][0] == f"/tasks/{running.pk}/"
    assert "running already" in response.content.decode()


def test_a_running_synchronisation_of_others_is_not_shown(bob_client: Client, contoso: Customer) -> None:
    TaskFactory(unique_key="sync", state=TaskState.RUNNING)
    response = bob_client.post(f"{contoso.get_absolute_url()}sync/", follow=True)
    assert response.redirect_chain[-1][0] == contoso.get_absolute_url()
    assert "Another synchronisation is running" in response.content.decode()


def test_who_may_only_look_is_told_so(contoso: Customer) -> None:
    client = Client()
    client.force_login(grant(UserFactory(), Role.MONITOR, customer=contoso))
    assert "does not include synchronising" in page_of(client, contoso)
    response = client.post(f"{contoso.get_absolute_url()}sync/")
    assert response.status_code == 403
    assert "Synchronise" in response.content.decode()
    assert not Task.objects.exists()


def test_wrong_methods(alice_client: Client, contoso: Customer) -> None:
    assert alice_client.post(URL).status_code == 405
    assert alice_client.post(contoso.get_absolute_url()).status_code == 405
    assert alice_client.get(f"{contoso.get_absolute_url()}sync/").status_code == 405
