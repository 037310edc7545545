"""SBCs: the list, the page of one with its rules, and who uses it."""

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.permissions import Role
from sbc import mirror
from sbc.dialplan import Rule
from sbc.models import SBC, DialPlanRule, State
from tests.budgets import budget
from tests.factories import (
    CallingProfileFactory,
    ChannelFactory,
    SBCFactory,
    SipConnectionFactory,
    TrunkFactory,
    UserFactory,
    grant,
)

URL = "/sbcs/"


def rule(sbc: SBC, prefix: str, **fields: object) -> DialPlanRule:
    return DialPlanRule.objects.create(sbc=sbc, prefix=prefix, tag="oc", **fields)


@pytest.fixture
def london(db: None) -> SBC:
    return SBCFactory(name="London 1", fqdn="lon1.example.net", ip_address="192.0.2.7", max_rules=2000)


def prefixes(client: Client, sbc: SBC, query: str = "") -> list[str]:
    """Prefixes of the rules on the page."""
    response = client.get(f"{URL}{sbc.pk}/{query}")
    assert response.status_code == 200
    return [row.prefix for row in response.context["rules"]]


def test_the_list_shows_name_address_and_rules(alice_client: Client, london: SBC) -> None:
    rule(london, "+4420", present=True)
    rule(london, "+4421", present=False)
    rule(london, "+4422", wanted=False, present=True)
    response = alice_client.get(URL)
    page = response.content.decode()
    for text in ("London 1", "lon1.example.net", "192.0.2.7", "OCDialPlan", "2,000"):
        assert text in page
    row = response.context["table"].page_rows[0].record
    assert (row.wanted_count, row.present_count) == (2, 2)


def test_list_and_page_count_what_was_read_on_the_device(alice_client: Client, london: SBC) -> None:
    mirror.note(london, [(0, Rule("+4420#", "hand", "t")), (1, Rule("+4421", "hand", "t"))], 1900)
    row = alice_client.get(URL).context["table"].page_rows[0].record
    assert (row.wanted_count, row.present_count, row.share) == (0, 2, 95)
    page = alice_client.get(f"{URL}{london.pk}/").content.decode()
    assert "2 rules in the dial plan, whoever made them" in page
    assert "has not written a rule to this SBC yet" in page


@pytest.mark.parametrize("words", ["london", "LON1", "192.0.2"])
def test_the_list_finds(alice_client: Client, london: SBC, words: str) -> None:
    SBCFactory(name="Frankfurt")
    rows = alice_client.get(f"{URL}?q={words}").context["table"].page_rows
    assert [row.record.name for row in rows] == ["London 1"]


def test_the_page_shows_facts_rules_and_what_was_never_tried(alice_client: Client, london: SBC) -> None:
    rule(london, "+4420", name="r1", present=True)
    rule(london, "+4421", present=False)
    rule(london, "+4422", wanted=False, present=True)
    rule(london, "+4423")
    page = alice_client.get(f"{URL}{london.pk}/").content.decode()
    for text in ("lon1.example.net", "192.0.2.7", "3 wanted, 2 seen on the SBC", "missing", "surplus", "not checked"):
        assert text in page
    for text in ("neither was ever tried on a real device", "Never asked", "not set", "CLI script with the rules"):
        assert text in page
    assert f'hx-get="/sbcs/{london.pk}/usage/"' in page


def test_the_page_shows_how_the_device_was_last_seen(alice_client: Client, london: SBC) -> None:
    london.username, london.save_pending, london.state = "oc", True, State.OFFLINE
    london.online_checked_at, london.problem = timezone.now(), "London 1: it could not be reached."
    london.set_password("a device's password")
    london.save()
    page = alice_client.get(f"{URL}{london.pk}/").content.decode()
    for text in ("Offline", "it could not be reached", "not saved to flash yet", "oc, password is set"):
        assert text in page
    assert london.sealed_password not in page


def test_rules_are_found_by_the_start_of_their_prefix(alice_client: Client, london: SBC) -> None:
    for prefix in ("+4420", "+4421", "+4930"):
        rule(london, prefix)
    assert prefixes(alice_client, london, "?q=%2B44") == ["+4420", "+4421"]
    assert prefixes(alice_client, london, "?q=%2B4420%23") == ["+4420"]
    assert "2 rules begin with" in alice_client.get(f"{URL}{london.pk}/?q=%2B44").content.decode()
    assert "No rule begins with this" in alice_client.get(f"{URL}{london.pk}/?q=9").content.decode()


def test_rules_come_in_pages_and_none_is_left_out(alice_client: Client, london: SBC) -> None:
    plans = ("OCDialPlan", "Other")
    for number in range(60):
        for plan in plans:
            rule(london, f"+44{number:03}", dial_plan=plan)
    rule(SBCFactory(), "+44000")
    seen: list[str] = []
    after = ""
    for _ in range(4):
        response = alice_client.get(f"{URL}{london.pk}/?after={after}")
        seen += [row.prefix for row in response.context["rules"]]
        after = response.context["following"]
        if after is None:
            break
    assert seen == sorted(f"+44{number:03}" for number in range(60) for _plan in plans)


@pytest.mark.parametrize("query", ["?after=x", "?after=99999999999999999999", "?q=%00"])
def test_a_broken_address_does_no_harm(alice_client: Client, london: SBC, query: str) -> None:
    rule(london, "+4420")
    assert prefixes(alice_client, london, query) == ["+4420"]


def test_who_uses_it_is_told_by_a_part_of_its_own(alice_client: Client, london: SBC) -> None:
    link = SipConnectionFactory(sbc=london, name="IP group 7")
    TrunkFactory(sbc=london, fqdn="trunk1.example.net", profile=CallingProfileFactory(name="UK Standard"))
    SipConnectionFactory()
    part = alice_client.get(f"{URL}{london.pk}/usage/", headers={"HX-Request": "true"}).content.decode()
    for text in (link.customer.full_name, "IP group 7", "trunk1.example.net", "UK Standard", "1 customer"):
        assert text in part
    assert "<html" not in part
    whole = alice_client.get(f"{URL}{london.pk}/usage/").content.decode()
    assert "<html" in whole
    assert "IP group 7" in whole


def test_nobody_uses_it(alice_client: Client, london: SBC) -> None:
    part = alice_client.get(f"{URL}{london.pk}/usage/").content.decode()
    assert "No customer is linked to this SBC." in part


def test_sbcs_are_for_people_of_the_whole_system(bob_client: Client, charlie_client: Client, london: SBC) -> None:
    channel_person = Client()
    channel_person.force_login(grant(UserFactory(), Role.ADMIN, channel=ChannelFactory()))
    for client in (bob_client, channel_person, charlie_client):
        assert client.get(URL).status_code == 403
        assert client.get(f"{URL}{london.pk}/").status_code == 404
        assert client.get(f"{URL}{london.pk}/usage/").status_code == 404
    assert "SBCs are shared by customers" in bob_client.get(URL).content.decode()


def test_only_reads(alice_client: Client, london: SBC) -> None:
    for page in ("", f"{london.pk}/", f"{london.pk}/usage/"):
        assert alice_client.post(URL + page).status_code == 405


def test_costs_the_same_with_many(alice_client: Client, london: SBC) -> None:
    for number in range(60):
        rule(london, f"+44{number:03}")
        rule(SBCFactory(), "+44")
        TrunkFactory(sbc=london)
        SipConnectionFactory(sbc=london)
    first = DialPlanRule.objects.filter(sbc=london).order_by("prefix")[0].pk
    with budget("sbc:list"):
        alice_client.get(URL + "?per_page=25")
    with budget("sbc:detail"):
        alice_client.get(f"{URL}{london.pk}/?q=%2B44&after={first}")
    with budget("numbers:sbc-usage"):
        alice_client.get(f"{URL}{london.pk}/usage/", headers={"HX-Request": "true"})
