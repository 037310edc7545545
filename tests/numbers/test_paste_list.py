"""The screen of a pasted list: what is kept and shown of it. How a text is read: test_pasting.py."""

import uuid
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.numbers.models import Customer, PastedList, PhoneNumber
from ocadmin.numbers.pasted import find, keep
from ocadmin.numbers.pasting import read
from tests.factories import CustomerFactory, PhoneNumberFactory

URL = "/numbers/paste/"


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


def test_shows_each_unread_piece_under_its_sentence(alice_client: Client) -> None:
    text = "+44 2O7 946 0958\n+442079460099-00\n+442079460001-00\n<b>\n+442079460958"
    page = alice_client.post(URL, {"numbers": text}, follow=True).content.decode()
    assert "4 not readable as numbers" in page
    assert "The range ends before it begins." in page
    assert "+442079460099-00\n+442079460001-00\n" in page
    assert "+44 2O7 946 0958" in page
    assert "&lt;b&gt;" in page


def test_shows_ranges_and_what_was_named_twice(alice_client: Client) -> None:
    here = PhoneNumberFactory(e164="+442079460002")
    text = "+442079460000 - +442079460003\n+442079460002"
    response = alice_client.post(URL, {"numbers": text}, follow=True)
    page = response.content.decode()
    assert [row.record.e164 for row in response.context["table"].page_rows] == [here.e164]
    assert "4 numbers in the list, 1 found here, 3 not found, 1 named twice, counted once" in page
    assert "+442079460000 - +442079460003\n" in page


def test_keeps_what_was_read(alice: User) -> None:
    reading = read("+442079460000-01\n+442079460001\nhello")
    kept = find(str(keep(reading, alice)), alice, PhoneNumber.objects.all())
    assert kept is not None
    assert (kept.count, kept.missing, kept.ranges) == (2, reading.numbers, reading.ranges)
    assert (kept.duplicates, kept.problems) == (reading.duplicates, reading.problems)


def test_the_form_explains_ranges(alice_client: Client) -> None:
    assert "A range: +442079460000 - +442079460099" in alice_client.get("/numbers/").content.decode()


def test_too_many_is_a_sentence_and_nothing_is_kept(alice_client: Client) -> None:
    text = "+442079400000 - +442079409999\n+442079410000"
    response = alice_client.post(URL, {"numbers": text, "back": "status=0"}, follow=True)
    assert "The list has 10,001 entries, ranges written out; 10,000 are the most." in response.content.decode()
    assert response.redirect_chain[0][0] == "/numbers/?status=0"
    assert not PastedList.objects.exists()


def test_nothing_pasted_is_a_sentence(alice_client: Client) -> None:
    assert "Paste at least one number" in alice_client.post(URL, {"numbers": " "}, follow=True).content.decode()


def test_refuses_people_without_a_role(charlie_client: Client) -> None:
    assert charlie_client.post(URL, {"numbers": "+442079460958"}).status_code == 403
