"""Released numbers rest; ending that early takes its own permission, a reason, and leaves a trace."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers import quarantine
from ocadmin.numbers.models import Customer, ReleasedNumber
from tests.budgets import budget
from tests.factories import CustomerFactory, ReleasedNumberFactory, UserFactory, grant

pytestmark = pytest.mark.django_db

LIST = "/numbers/?tab=released"


@pytest.fixture
def resting(contoso: Customer) -> list[ReleasedNumber]:
    """Two of Contoso's and one of somebody else's in quarantine, and one of Contoso's that is free again."""
    rows = [ReleasedNumberFactory(customer=contoso) for _ in range(2)]
    rows.append(ReleasedNumberFactory(customer=CustomerFactory(full_name="Fabrikam")))
    long_ago = timezone.now() - timedelta(days=90)
    rows.append(ReleasedNumberFactory(customer=contoso, released_at=long_ago))
    return rows


def ask(client: Client, **form: Any) -> tuple[str, HttpResponse]:
    """Choose, and look at the page that asks."""
    answer = client.post("/numbers/released/actions/", {"action": "end-quarantine", "back": LIST, **form})
    return answer["Location"], client.get(answer["Location"])


def confirm(client: Client, address: str, page: HttpResponse, **form: Any) -> HttpResponse:
    return client.post(address, {"shown": page.context["shown"], "comment": "the customer asked", **form})


def is_resting(row: ReleasedNumber) -> bool:
    return ReleasedNumber.objects.get(pk=row.pk).quarantine_until > timezone.now()


def test_the_list_tells_until_when_by_whom_and_offers_the_action(
    alice_client: Client, resting: list[ReleasedNumber]
) -> None:
    page = alice_client.get(LIST).content.decode()
    for label in ("Released by", "Quarantine until", "MS Job ID"):
        assert label in page
    assert page.count(">over<") == 1
    assert f'href="/numbers/{resting[0].e164}/"' in page
    assert 'value="end-quarantine"' in page
    assert f'name="row" value="{resting[0].pk}"' in page


def test_the_action_is_greyed_for_those_who_may_not(bob_client: Client, resting: list[ReleasedNumber]) -> None:
    assert 'value="end-quarantine" disabled' in bob_client.get(LIST).content.decode()


def test_one_is_ended_with_a_reason_and_the_history_tells(
    alice_client: Client, alice: User, resting: list[ReleasedNumber]
) -> None:
    row = resting[0]
    address, page = ask(alice_client, row=str(row.pk))
    assert (page.context["plan"].will, page.context["plan"].sample) == (1, [row.e164])
    assert "1 released number selected" in page.content.decode()
    assert is_resting(row)
    done = confirm(alice_client, address, page, ticket="CHG-4")
    assert done["Location"] == LIST
    assert "The quarantine of 1 number has ended." in alice_client.get(LIST).content.decode()
    assert [is_resting(one) for one in resting] == [False, True, True, False]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_type, entry.object_id) == ("quarantine.ended", "number", row.e164)
    assert (entry.actor, entry.channel, entry.ticket, entry.message) == (alice, "web", "CHG-4", "the customer asked")
    assert entry.customer_ref == row.customer_id
    # Databases write a fraction of a second each in their own way.
    assert list(entry.before) == ["quarantine_until"]
    assert datetime.fromisoformat(entry.before["quarantine_until"]) == row.quarantine_until
    assert list(entry.after) == ["quarantine_until"]
    assert (
        datetime.fromisoformat(entry.after["quarantine_until"])
        == ReleasedNumber.objects.get(pk=row.pk).quarantine_until
    )
    assert entry.title == "Quarantine ended early"


def test_all_that_match_is_the_filter(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    address, page = ask(alice_client, all="1", query="tab=released&q=contoso")
    plan = page.context["plan"]
    assert (plan.will, plan.total) == (2, 3)
    assert [(group.code, group.count) for group in plan.left_alone] == [("over", 1)]
    confirm(alice_client, address, page)
    assert [is_resting(one) for one in resting] == [False, False, True, False]


def test_a_reason_has_to_be_given(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    address, page = ask(alice_client, row=str(resting[0].pk))
    answer = confirm(alice_client, address, page, comment=" ")
    assert "Say why" in answer.content.decode()
    assert is_resting(resting[0])


def test_a_second_click_changes_nothing(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    address, page = ask(alice_client, row=str(resting[0].pk))
    confirm(alice_client, address, page)
    ended = ReleasedNumber.objects.get(pk=resting[0].pk).quarantine_until
    again = confirm(alice_client, address, page)
    assert again["Location"] == LIST
    assert "Nothing was done" in alice_client.get(LIST).content.decode()
    assert ReleasedNumber.objects.get(pk=resting[0].pk).quarantine_until == ended
    assert AuditEntry.objects.count() == 1
    rows = ReleasedNumber.objects.filter(pk=resting[0].pk)
    assert quarantine.end(rows, by=SYSTEM, channel="web", comment="again") == 0


def test_a_set_that_has_changed_stops_and_says_so(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    address, page = ask(alice_client, all="1", query="tab=released")
    ReleasedNumberFactory()
    answer = confirm(alice_client, address, page)
    assert answer.status_code == 409
    assert "then 3 of 4 would have changed" in " ".join(answer.content.decode().split())
    assert is_resting(resting[0])


def test_numbers_that_swap_their_quarantine_stop_it_too(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    address, page = ask(alice_client, row=[str(resting[0].pk), str(resting[3].pk)])
    old, new = ({name: getattr(resting[n], name) for name in ("released_at", "quarantine_until")} for n in (3, 0))
    ReleasedNumber.objects.filter(pk=resting[0].pk).update(**old)
    ReleasedNumber.objects.filter(pk=resting[3].pk).update(**new)
    answer = confirm(alice_client, address, page)
    assert answer.status_code == 409
    assert "still 1 of 2 would change, but other ones" in " ".join(answer.content.decode().split())
    assert is_resting(resting[3])


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.LITE_OPERATOR, Role.MONITOR])
def test_only_admins_may(client: Client, resting: list[ReleasedNumber], role: str) -> None:
    client.force_login(grant(UserFactory(), role))
    address, page = ask(client, row=str(resting[0].pk))
    assert page.status_code == 403
    assert client.post(address, {"comment": "please", "shown": "x"}).status_code == 403
    assert is_resting(resting[0])


def test_a_stranger_s_is_not_there(client: Client, contoso: Customer, resting: list[ReleasedNumber]) -> None:
    client.force_login(grant(UserFactory(), Role.ADMIN, customer=contoso))
    assert ask(client, row=str(resting[2].pk))[1].status_code == 404
    _address, page = ask(client, row=[str(row.pk) for row in resting])
    assert page.context["plan"].total == 3


def test_seeing_a_number_is_not_enough(client: Client, contoso: Customer, resting: list[ReleasedNumber]) -> None:
    person = grant(UserFactory(), Role.MONITOR)
    client.force_login(grant(person, Role.ADMIN, customer=contoso))
    address, page = ask(client, row=[str(resting[0].pk), str(resting[2].pk)])
    groups = page.context["plan"].left_alone
    assert [(group.code, group.sample) for group in groups] == [("not_permitted", [resting[2].e164])]
    confirm(client, address, page)
    assert (is_resting(resting[0]), is_resting(resting[2])) == (False, True)


@pytest.mark.parametrize("row", ["nonsense", "999999", "-1", "9" * 40])
def test_a_row_that_is_none_is_not_there(alice_client: Client, resting: list[ReleasedNumber], row: str) -> None:
    assert ask(alice_client, row=row)[1].status_code == 404


def test_nothing_selected_and_lost_selections_lead_back(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    answer = alice_client.post("/numbers/released/actions/", {"back": LIST}, follow=True)
    assert "Nothing is selected" in answer.content.decode()
    answer = alice_client.get("/numbers/released/actions/end-quarantine/?selection=x", follow=True)
    assert "Select the numbers again" in answer.content.decode()
    assert alice_client.get("/numbers/released/actions/").status_code == 405


def test_ten_thousand_end_in_a_handful_of_queries(contoso: Customer, django_assert_max_num_queries: Any) -> None:
    now = timezone.now()
    ReleasedNumber.objects.bulk_create(
        ReleasedNumber(
            e164=f"+4411{n:08d}", customer=contoso, released_at=now, quarantine_until=now + timedelta(days=45)
        )
        for n in range(10_000)
    )
    with django_assert_max_num_queries(5):
        assert quarantine.end(ReleasedNumber.objects.all(), by=SYSTEM, channel="web", comment="merger") == 10_000
    assert AuditEntry.objects.filter(action="quarantine.ended").count() == 10_000


def test_the_screen_keeps_its_budget(alice_client: Client, resting: list[ReleasedNumber]) -> None:
    address, _page = ask(alice_client, all="1", query="tab=released")
    with budget("numbers:end-quarantine"):
        alice_client.get(address)
