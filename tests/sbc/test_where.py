"""Where would this call go? What people type, what each SBC would do, who may ask."""

import pytest
from django.test import Client

from ocadmin.access.permissions import Role
from ocadmin.numbers.lifecycle import Source
from ocadmin.numbers.models import PhoneNumber
from sbc import mirror, where
from sbc.dialplan import Rule
from sbc.models import SBC, State
from tests.budgets import budget
from tests.factories import ChannelFactory, PhoneNumberFactory, SBCFactory, SipConnectionFactory, UserFactory, grant

URL = "/sbcs/where/"
NUMBER = "+442079460958"


@pytest.fixture
def london(db: None) -> SBC:
    return SBCFactory(name="London", state=State.ONLINE)


def read(sbc: SBC, *rules: tuple[str, str]) -> None:
    """The SBC's plan was read and held these prefixes with their tags."""
    mirror.note(sbc, ((place, Rule(prefix, "r", tag)) for place, (prefix, tag) in enumerate(rules)), len(rules))


def ask(client: Client, number: str) -> dict[str, where.Answer]:
    response = client.get(URL, {"number": number})
    assert response.status_code == 200
    return {answer.sbc.name: answer for answer in response.context["answers"]}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 20 7946-0958", NUMBER),
        ("tel:+44-20-7946-0958", NUMBER),
        ("sip:+442079460958@sbc.example;user=phone", NUMBER),
        ("TEL:+442079460958;ext=5", NUMBER),
        (" (020) 7946.0958 ", "02079460958"),
        ("+44\u00a020\u20117946\u20110958", NUMBER),
        ("*21#", "*21#"),
        ("alice", "alice"),
        ("", None),
        ("+44 20 7946 0958, +44 20 7946 0959", None),
        ("5" * 51, None),
        ("<b>", None),
    ],
)
def test_what_people_write(text: str, number: str | None) -> None:
    assert where.dialled(text) == number


def test_the_best_rule_of_each_sbc_and_what_is_less_specific(alice_client: Client, london: SBC) -> None:
    paris, leeds = SBCFactory(name="Paris", state=State.OFFLINE), SBCFactory(name="Leeds")
    read(
        london, ("+44", "abroad"), ("+4420[1-9]xxx", "area"), (f"{NUMBER}#", "trunk1"), ("+4421", "no"), ("+44(8", "x")
    )
    read(paris, ("49", "germany"))
    told = ask(alice_client, "+44 20 7946 0958")
    assert [rule.written for rule in told["London"].rules] == [f"{NUMBER}#", "+4420[1-9]xxx", "+44"]
    assert (told["London"].best.tag, told["London"].best.place, told["London"].malformed) == ("trunk1", 2, 1)
    assert (told["Paris"].best, told["Paris"].reading is None) == (None, False)
    assert told["Leeds"].reading is None
    page = alice_client.get(URL, {"number": NUMBER}).content.decode()
    for text in (
        "no rule matches",
        "never read",
        "Online",
        "Offline",
        "1 rule is no pattern",
        "not one of our numbers",
    ):
        assert text in page
    assert leeds.name in page
    assert [rule.written for rule in ask(alice_client, f"{NUMBER}1")["London"].rules] == ["+4420[1-9]xxx", "+44"]


def test_only_the_latest_complete_reading_of_the_plan_in_use_counts(alice_client: Client, london: SBC) -> None:
    read(london, ("+44", "old"))
    read(london, ("+44", "new"))
    assert [rule.tag for rule in ask(alice_client, NUMBER)["London"].rules] == ["new"]
    SBC.objects.filter(pk=london.pk).update(dial_plan="Another")
    assert ask(alice_client, NUMBER)["London"].reading is None


def our_number(sbc: SBC, **fields: object) -> PhoneNumber:
    number: PhoneNumber = PhoneNumberFactory(e164=NUMBER, source=Source.WEB_UI, **fields)
    SipConnectionFactory(customer=number.customer, calling_profile=number.calling_profile, sbc=sbc)
    return number


def test_what_we_know_of_the_number_and_whether_it_is_routed_as_it_should_be(alice_client: Client, london: SBC) -> None:
    number = our_number(london)
    read(london, (f"{NUMBER}#", london.fqdn.upper()))
    page = alice_client.get(URL, {"number": "44 20 7946 0958"})
    known = page.context["known"]
    assert number.customer.full_name in known.words
    assert "Active" in known.words
    assert f'href="/numbers/{NUMBER}/"' in page.content.decode()
    answer = ask(alice_client, NUMBER)["London"]
    assert (answer.tag, answer.right) == (london.fqdn, True)
    read(london, ("+44", "other"))
    answer = ask(alice_client, NUMBER)["London"]
    assert (answer.tag, answer.right) == (london.fqdn, False)


def test_a_number_from_elsewhere_should_be_nowhere(alice_client: Client, london: SBC) -> None:
    number = our_number(london)
    PhoneNumber.objects.filter(pk=number.pk).update(source="")
    page = alice_client.get(URL, {"number": NUMBER})
    assert "was added outside this console" in page.content.decode()
    assert ask(alice_client, NUMBER)["London"].tag is None


@pytest.mark.parametrize("text", ["<script>", "a b c !", "%00", "x" * 200])
def test_what_is_no_number_is_told_and_not_looked_for(alice_client: Client, london: SBC, text: str) -> None:
    response = alice_client.get(URL, {"number": text})
    assert response.status_code == 200
    assert "This is no number" in response.content.decode()
    assert "answers" not in response.context


def test_who_may_ask(alice_client: Client, bob_client: Client, charlie_client: Client, london: SBC) -> None:
    monitor, channel_person = Client(), Client()
    monitor.force_login(grant(UserFactory(), Role.MONITOR))
    channel_person.force_login(grant(UserFactory(), Role.ADMIN, channel=ChannelFactory()))
    for client in (bob_client, channel_person, charlie_client):
        assert client.get(URL, {"number": NUMBER}).status_code == 403
    assert monitor.get(URL, {"number": NUMBER}).status_code == 200
    assert Client().get(URL).status_code == 302
    assert alice_client.post(URL, {"number": NUMBER}).status_code == 405


def test_it_is_found_from_the_list_and_from_the_number(
    alice: object, alice_client: Client, bob_client: Client, london: SBC, contoso: object
) -> None:
    our_number(london, customer=contoso)
    assert f'href="{URL}"' in alice_client.get("/sbcs/").content.decode()
    tab = f"/numbers/{NUMBER}/?tab=routing"
    assert f'href="{URL}?number=%2B442079460958"' in alice_client.get(tab).content.decode()
    assert URL not in bob_client.get(tab).content.decode()


def test_costs_the_same_with_many(alice_client: Client, london: SBC) -> None:
    our_number(london)
    for _place in range(12):
        read(
            SBCFactory(), *[(f"+4420794609{last:02}", "t") for last in range(60)], ("+44x", "t"), ("+4420794[0-9]", "t")
        )
    with budget("sbc:where"):
        alice_client.get(URL, {"number": NUMBER})
