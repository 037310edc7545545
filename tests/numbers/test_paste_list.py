"""Pasting a list of numbers: reading it in any layout, and what is shown of it."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.numbers.models import Customer, PastedList
from ocadmin.numbers.pasting import LIMIT, TooMany, read
from tests.factories import CustomerFactory, PhoneNumberFactory

URL = "/numbers/paste/"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("+442079460958", ["+442079460958"]),
        ("+44 20 7946 0958\r\n+44 (0)20-7946.0959\n", ["+442079460958", "+442079460959"]),
        ("+442079460958,+442079460959;+442079460960\t+442079460961", [f"+4420794609{n}" for n in (58, 59, 60, 61)]),
        ("+44 20 7946 0958 +44 20 7946 0959", ["+442079460958", "+442079460959"]),
        ("442079460958 442079460959", ["+442079460958", "+442079460959"]),
        ("00442079460958", ["+442079460958"]),
        ("+442079460958\n+44 20 79460958", ["+442079460958"]),
    ],
)
def test_reads_any_layout(text: str, numbers: list[str]) -> None:
    assert read(text).numbers == numbers


def test_keeps_what_it_cannot_read() -> None:
    reading = read("number\n+442079460958\n4.42E+11\n12\n\x00")
    assert reading.numbers == ["+442079460958"]
    assert reading.unreadable == ["number", "4.42E+11", "12"]


def test_says_how_often_the_plus_was_missing() -> None:
    assert read("442079460958\n+442079460959").assumed_plus == 1


def test_refuses_more_than_the_limit() -> None:
    read("\n".join(f"+44{n:08d}" for n in range(LIMIT)))
    with pytest.raises(TooMany):
        read("\n".join(f"+44{n:08d}" for n in range(LIMIT + 1)))


def test_shows_found_and_missing_and_keeps_the_filter(alice_client: Client) -> None:
    here = PhoneNumberFactory(e164="+442079460958")
    PhoneNumberFactory(e164="+442079460777")
    data = {"numbers": "+44 20 7946 0958\n442079460000\nhello", "back": "status=0&page=4"}
    response = alice_client.post(URL, data)
    key = PastedList.objects.get().pk
    assert response["Location"] == f"/numbers/?status=0&list={key}"
    response = alice_client.get(response["Location"])
    page = response.content.decode()
    assert [row.record.e164 for row in response.context["table"].page_rows] == [here.e164]
    assert "2 numbers in the list, 1 found here, 1 not found" in page
    assert "1 not readable as numbers" in page
    assert "+442079460000" in page
    assert "1 number came without a plus: it was added." in page
    assert "Pasted list: 2 numbers" in page


def test_a_foreign_number_is_simply_not_found(bob_client: Client, contoso: Customer) -> None:
    PhoneNumberFactory(e164="+442079460958", customer=CustomerFactory())
    response = bob_client.post(URL, {"numbers": "+442079460958"}, follow=True)
    assert "1 number in the list, 0 found here, 1 not found" in response.content.decode()


def test_somebody_elses_list_is_refused_with_a_sentence(alice_client: Client, bob: User) -> None:
    PhoneNumberFactory(e164="+442079460958")
    foreign = PastedList.objects.create(user=bob, numbers=["+442079460958"])
    response = alice_client.get(f"/numbers/?list={foreign.pk}")
    assert response.context["page"].rows == []
    assert "This pasted list is not yours" in response.content.decode()


def test_an_old_list_is_refused_and_cleared_away(alice: User, alice_client: Client) -> None:
    old = PastedList.objects.create(user=alice, numbers=[], created_at=timezone.now() - timedelta(days=8))
    assert "older than a week" in alice_client.get(f"/numbers/?list={old.pk}").content.decode()
    alice_client.post(URL, {"numbers": "+442079460958"})
    assert not PastedList.objects.filter(pk=old.pk).exists()


def test_an_unknown_list_is_a_sentence(alice_client: Client) -> None:
    assert alice_client.get(f"/numbers/?list={uuid.uuid4()}").status_code == 200


def test_too_many_is_a_sentence_and_nothing_is_kept(alice_client: Client) -> None:
    text = "\n".join(f"+44{n:08d}" for n in range(LIMIT + 1))
    response = alice_client.post(URL, {"numbers": text, "back": "status=0"}, follow=True)
    assert "more than 10,000 numbers" in response.content.decode()
    assert response.redirect_chain[0][0] == "/numbers/?status=0"
    assert not PastedList.objects.exists()


def test_nothing_pasted_is_a_sentence(alice_client: Client) -> None:
    assert "Paste at least one number" in alice_client.post(URL, {"numbers": " "}, follow=True).content.decode()


def test_refuses_people_without_a_role(charlie_client: Client) -> None:
    assert charlie_client.post(URL, {"numbers": "+442079460958"}).status_code == 403
