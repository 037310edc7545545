"""What spreadsheets do to numbers, and files beyond the limits: the sentence says what, where and what to do."""

import tracemalloc

import pytest
from django.conf import settings
from django.test import Client

from ocadmin.access.models import User
from ocadmin.numbers.models import ImportState, Mode, NumberImport
from ocadmin.numbers.operations.imports import check, children
from ocadmin.tasks.models import Task, TaskState
from tests.factories import CivicAddressFactory, CustomerFactory, LocationFactory, PhoneNumberFactory
from tests.numbers import passes
from tests.numbers.imports import checked, codes, confirmed, sheet, upload
from tests.numbers.world import World

from .uploads import place

__all__ = ["place"]
pytestmark = pytest.mark.django_db

NUMBER = "+442079460500"


def row_of(text: str, user: User) -> tuple[list[str], str, str]:
    """Codes, the first sentence and the remarks on a file with this one number."""
    batch = checked(sheet(["telephoneNumber", "rangeEnd"], [text, ""]), user, mode=Mode.UPDATE)
    row = batch.rows.get()
    sentence = row.problems[0][3] if row.problems else ""
    return codes(row), sentence, " ".join(words for words, _count in batch.notes.values())


@pytest.mark.parametrize(
    ("text", "code", "what", "remedy"),
    [
        ("4.42079E+11", "scientific", "scientific notation", "Format the column as text there and copy"),
        ("4,42079E+11", "scientific", "scientific notation", "Format the column as text there and copy"),
        ("+44207946O500", "letters", "letters", "Write digits only"),
        ("+44 20 7946 o5oo", "letters", "a letter O is often meant to be the digit 0", "Write digits only"),
        ("+442079460500+442079460501", "glued", "More than one number", "Write one number in a row"),
        ("+442079460500 +442079460501", "glued", "More than one number", "Write one number in a row"),
        ("+442079460500 - +442079460509", "range_in_cell", "A range stands here", "in the column rangeEnd"),
        ("+442079460500 to +442079460509", "range_in_cell", "A range stands here", "in the column rangeEnd"),
        ("+442079460500–+442079460509", "range_in_cell", "A range stands here", "in the column rangeEnd"),
        ("442079460500.0", "decimal", "decimal number", "Remove the .0"),
        ("02079460500", "leading_zero", "begins with 0", "Write + and the country code"),
        ("20 7946 0500", "no_country_code", "no plus", "Write + and the country code in front"),
        ("-442079460500", "signs", "A sign that does not belong", "Write +, digits and spaces only"),
        ("+442079460500", "unknown", "no such number", "only updates numbers"),
        ("2026-11-27", "date", "into a date", "Format the column as text there"),
        ("27.11.2026", "date", "into a date", "Format the column as text there"),
        ("11/27/26", "date", "into a date", "Format the column as text there"),
        ("#REF!", "no_number", "no number here", "Write it with + and its country code"),
        ("=A1", "letters", "letters", "Write digits only"),
        ("", "no_number", "no number here", "remove the row"),
    ],
)
def test_damaged_numbers(alice: User, text: str, code: str, what: str, remedy: str) -> None:
    content = sheet(["telephoneNumber", "note"], [text, "x"])
    batch = checked(content, alice, mode=Mode.UPDATE)
    row = batch.rows.get()
    assert (row.line, codes(row)) == (2, [f"telephoneNumber:{code}"])
    sentence = row.problems[0][3]
    assert what in sentence
    assert remedy in sentence
    assert row.problems[0][1] == text


@pytest.mark.parametrize(
    "text", ["442079460500", "00442079460500", " +442079460500 ", "+44 (0)20 7946-0500", "'+442079460500"]
)
def test_what_can_be_put_right_without_a_doubt(alice: User, text: str) -> None:
    PhoneNumberFactory(e164=NUMBER)
    found, _sentence, remarks = row_of(text, alice)
    assert found == []
    assert ("The plus was missing and has been added" in remarks) == (text == "442079460500")
    assert ("blanks before or behind" in remarks) == text.startswith(" ")


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("+442079460509", "+442079460500", "range_reversed"),
        ("+442079460500", "+44207946050", "range_mixed_length"),
        ("+442079460500", "+492079460509", "range_other_country"),
        ("+442079400000", "+442079499999", "range_too_large"),
        ("+442079460500", "9", "too_short"),
        ("+442079460500", "4,42079E+11", "scientific"),
    ],
)
def test_damaged_ranges(alice: User, first: str, last: str, code: str) -> None:
    row = checked(sheet(["telephoneNumber", "rangeEnd"], [first, last]), alice, mode=Mode.UPDATE).rows.get()
    assert f"rangeEnd:{code}" in codes(row)
    assert row.problems[0][3].endswith(".")


def test_numbers_that_stand_there_twice(alice: User) -> None:
    here, there = CustomerFactory(full_name="Here"), CustomerFactory(full_name="There")
    rows = [[NUMBER, "Here", "a"], [NUMBER, "Here", "a"], ["+442079460501", "Here", ""], ["+442079460501", "There", ""]]
    rows += [["+442079460502", "", "a"], ["+442079460502", "", "b"]]
    PhoneNumberFactory(e164=NUMBER, customer=here)
    PhoneNumberFactory(e164="+442079460501", customer=there)
    PhoneNumberFactory(e164="+442079460502", customer=there)
    batch = checked(sheet(["telephoneNumber", "customer", "note"], *rows), alice, mode=Mode.UPDATE)
    said = {row.line: [sentence for _c, _v, _code, sentence in row.problems] for row in batch.rows.order_by("pk")}
    assert said[2] == []
    assert said[3] == ["Line 2 names the same number already. Remove one of the two lines."]
    assert "Lines 4, 5 give this number to different customers. Keep one of them." in said[4]
    assert "Lines 4, 5 give this number to different customers. Keep one of them." in said[5]
    assert said[6] == said[7] == ["Lines 6, 7 name this number and say different things about it. Keep one of them."]


def test_a_repeated_number_is_told_as_its_own_line_has_it(alice: User) -> None:
    PhoneNumberFactory(e164=NUMBER)
    batch = checked(sheet(["telephoneNumber"], [NUMBER], [NUMBER[1:]]), alice, mode=Mode.UPDATE)
    assert batch.rows.get(line=3).problems[0][:3] == ["telephoneNumber", NUMBER[1:], "duplicate_row"]


def test_a_range_and_a_number_within_it(alice: User) -> None:
    PhoneNumberFactory(e164="+442079460502")
    rows = [[NUMBER, "+442079460504"], ["+442079460502", ""]]
    batch = checked(sheet(["telephoneNumber", "rangeEnd"], *rows), alice, mode=Mode.UPDATE)
    assert batch.rows.count() == 6
    assert batch.rows.get(e164="+442079460502", line=3).problems[0][2] == "duplicate_row"


def test_a_number_that_a_whole_file_repeats_is_told_in_few_words(alice: User) -> None:
    PhoneNumberFactory(e164=NUMBER)
    rows = [[NUMBER, f"note {n}"] for n in range(300)]
    batch = checked(sheet(["telephoneNumber", "note"], *rows), alice, mode=Mode.UPDATE)
    assert batch.counts == {"refused": 300}
    assert len(batch.rows.first().problems[0][3]) < 300


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in {"max_mb": 1, "max_rows": 3, "max_columns": 4, "max_field": 20}.items():
        monkeypatch.setattr(settings.ENV, f"import_{name}", limit)


def said(client: Client, content: bytes) -> str:
    """What the page says to a file: at once, or after the check."""
    answer = upload(client, content, mode=Mode.UPDATE)
    if answer.status_code == 302:
        batch = NumberImport.objects.get()
        passes.finish(Task.objects.get(pk=batch.check_ref))
        batch.refresh_from_db()
        assert batch.state == ImportState.UNUSABLE
        answer = client.get(answer["Location"])
    else:
        assert not NumberImport.objects.exists()
    return answer.content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            sheet(["telephoneNumber"], *([NUMBER] for _ in range(4))),
            "more than 3 rows: line 5 is one too many. Split it.",
        ),
        (
            sheet(["telephoneNumber", "rangeEnd"], [NUMBER, "+442079460501"], ["+442079460502", "+442079460503"]),
            "With its ranges written out the file names more than 3 numbers. Split it.",
        ),
        (sheet(["telephoneNumber", "note", "tags", "country", "usage"], [NUMBER]), "more than 4 columns in line 1"),
        (sheet(["telephoneNumber", "note"], [NUMBER, "x" * 21]), "line 2, column “note”, has more than 20 characters."),
        (sheet(["telephoneNumber", "note"], [NUMBER, "x" * 1_000_000]), "at most 1 MB are read. Split it."),
    ],
    ids=["rows", "ranges", "columns", "field", "size"],
)
def test_each_limit_has_its_sentence_on_the_page(small: None, alice_client: Client, content: bytes, words: str) -> None:
    assert words in said(alice_client, content)


def test_a_file_full_of_ranges_takes_little_memory(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its 3,000 lines name 30 million numbers."""
    monkeypatch.setattr(settings.ENV, "import_max_rows", 11_000)
    rows = [[f"+4420{10_000_000 + 10_000 * n}", f"+4420{10_009_999 + 10_000 * n}"] for n in range(3000)]
    content = sheet(["telephoneNumber", "rangeEnd"], *rows)
    tracemalloc.start()
    batch = checked(content, alice)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert batch.state == ImportState.UNUSABLE
    assert peak < 60_000_000


def test_too_many_tickets_are_told_before_anything_begins(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_TICKETS", 2)
    rows = [[f"+44207946050{n}", f"CHG-{n}"] for n in range(3)]
    batch = checked(sheet(["telephoneNumber", "ticketId"], *rows), alice, mode=Mode.UPDATE)
    assert batch.state == ImportState.UNUSABLE
    assert batch.problem == (
        "The file names more than 2 different tickets, and each becomes a task of its own. Divide it."
    )


def test_many_tickets_and_settings_become_tasks_of_their_own(
    place: World, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "GROUPS", 4)
    address = CivicAddressFactory(customer=place.customer, country="GB", validation_status="validated")
    places = [LocationFactory(civic_address=address) for _ in range(10)]
    headers = ["telephoneNumber", "msTenantId", "usage", "locationId", "ticketId"]
    tenant = str(place.customer.tenant_id)
    rows = [
        [f"+4420794607{n:02d}", tenant, "CallingUserAssignment", str(places[n % 10].pk), f"CHG-{n // 10}"]
        for n in range(20)
    ]
    batch = checked(sheet(headers, *rows), alice)
    assert batch.counts == {"new": 20}, batch.reasons
    assert batch.groups.count() == 10
    task = confirmed(batch, alice)
    uploads = Task.objects.filter(kind="upload")
    assert sorted(uploads.values_list("ticket", "total")) == sorted(
        (f"CHG-{n}", total) for n in range(2) for total in (4, 4, 2)
    )
    assert all(len(one.params["groups"]) <= 4 for one in uploads)
    asked = {
        item.key: one.params["groups"][item.data["group"]]["location"] for one in uploads for item in one.items.all()
    }
    assert asked == {row[0]: row[3] for row in rows}
    assert task.done == task.total == 20
    assert task.state in (TaskState.SUCCEEDED, TaskState.FAILED)  # the sandbox knows none of these places
