"""How many approvals wait, beside their link on every page: within the person's scope, and only for who may decide."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer, PhoneNumber
from tests.factories import (
    CallingProfileFactory,
    ChannelFactory,
    CustomerFactory,
    PhoneNumberFactory,
    UserFactory,
    grant,
)

pytestmark = pytest.mark.django_db


def beside_approvals(client: Client, path: str = "/customers/") -> str:
    """The text of the sidebar's link to the approvals, as it is read out."""
    page = client.get(path).content.decode()
    found = re.search(r'<li><a href="/approvals/"[^>]*>(.*?)</a></li>', page, re.S)
    assert found
    read_out = re.sub(r'<span aria-hidden="true">[^<]*</span>|<svg.*?</svg>', "", found[1], flags=re.S)
    return " ".join(re.sub(r"<[^>]*>", "", read_out).split())


def _counts_approvals(sql: str) -> bool:
    """Whether a query is the one that counts them."""
    return "LIMIT 100" in sql and PhoneNumber._meta.db_table in sql


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def marked(contoso: Customer) -> None:
    """Two of Contoso's, one of somebody else's, and one that is decided."""
    for _ in range(2):
        PhoneNumberFactory(customer=contoso, status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory(status=Status.MARKED_FOR_REMOVAL)
    PhoneNumberFactory(customer=contoso, status=Status.READY_FOR_REMOVAL)


def test_it_counts_what_waits_on_every_page(alice_client: Client, marked: None) -> None:
    for path in ("/", "/customers/", "/approvals/", "/me/"):
        assert beside_approvals(alice_client, path) == "Approvals 3 waiting"


def test_nothing_is_shown_where_nothing_waits(alice_client: Client) -> None:
    assert beside_approvals(alice_client) == "Approvals"


def test_it_counts_only_what_the_person_may_decide(marked: None, contoso: Customer) -> None:
    channel = ChannelFactory()
    PhoneNumberFactory(customer=CustomerFactory(channel=channel), status=Status.MARKED_FOR_REMOVAL)
    assert beside_approvals(signed_in(grant(UserFactory(), Role.ADMIN, customer=contoso))) == "Approvals 2 waiting"
    assert beside_approvals(signed_in(grant(UserFactory(), Role.ADMIN, channel=channel))) == "Approvals 1 waiting"


def test_who_sees_all_and_decides_for_one_is_told_about_that_one(marked: None, contoso: Customer) -> None:
    both = grant(grant(UserFactory(), Role.MONITOR), Role.ADMIN, customer=contoso)
    assert beside_approvals(signed_in(both)) == "Approvals 2 waiting"


def test_who_may_not_decide_is_told_nothing_and_costs_nothing(marked: None) -> None:
    client = signed_in(grant(UserFactory(), Role.MONITOR))
    with CaptureQueriesContext(connection) as queries:
        assert beside_approvals(client) == "Approvals"
    assert not [one for one in queries if _counts_approvals(one["sql"])]


@pytest.mark.parametrize(("count", "words"), [(99, "99 waiting"), (100, "99+ waiting"), (150, "99+ waiting")])
def test_beyond_ninety_nine_it_stops_counting(alice_client: Client, contoso: Customer, count: int, words: str) -> None:
    profile = CallingProfileFactory()
    PhoneNumber.objects.bulk_create(
        PhoneNumber(e164=f"+4411{n:08d}", customer=contoso, calling_profile=profile, status=Status.MARKED_FOR_REMOVAL)
        for n in range(count)
    )
    with CaptureQueriesContext(connection) as queries:
        assert beside_approvals(alice_client) == f"Approvals {words}"
    assert len([one for one in queries if _counts_approvals(one["sql"])]) == 1


def test_the_dashboard_counts_within_the_scope(bob_client: Client, alice_client: Client, marked: None) -> None:
    assert alice_client.get("/").context["waiting"] == 3
    assert bob_client.get("/").context["waiting"] == 2
