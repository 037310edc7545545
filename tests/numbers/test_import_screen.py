"""The import in the browser: file, columns, preview, confirmation, downloads; and what is refused on the way."""

import csv
import io
import re
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import User
from ocadmin.access.permissions import Role
from ocadmin.numbers import importing
from ocadmin.numbers.models import Customer, ImportState, Mode, NumberImport, PhoneNumber
from ocadmin.numbers.tasks import forget_imports
from ocadmin.tasks.models import Task, TaskState
from tests.console.workbooks import packed, workbook
from tests.factories import CustomerFactory, PhoneNumberFactory, UserFactory, grant
from tests.numbers import passes
from tests.numbers.imports import outcomes, run, sheet, upload
from tests.numbers.world import World

pytestmark = pytest.mark.django_db

NUMBER = "+442079460500"


def text_of(answer: Any) -> str:
    """The page as a person reads it."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode()))


def body_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def finish_check(batch: NumberImport) -> NumberImport:
    batch.refresh_from_db()
    passes.finish(Task.objects.get(pk=batch.check_ref))
    batch.refresh_from_db()
    return batch


def previewed(client: Client, content: bytes, **more: Any) -> NumberImport:
    """Uploaded and checked."""
    answer = upload(client, content, **more)
    assert answer.status_code == 302, text_of(answer)
    batch = NumberImport.objects.latest("created_at")
    assert answer["Location"] == f"/numbers/import/{batch.pk}/", answer["Location"]
    return finish_check(batch)


def confirm(client: Client, batch: NumberImport, **more: str) -> Any:
    page = client.get(f"/numbers/import/{batch.pk}/").content.decode()
    shown = re.search(r'name="shown" value="([^"]*)"', page)
    data = {"shown": shown[1] if shown else "", "rows": "good", "comment": "", "ticket": ""} | more
    return client.post(f"/numbers/import/{batch.pk}/confirm/", data)


def test_a_file_is_uploaded_checked_shown_and_imported(world: World, alice_client: Client) -> None:
    world.numbers(2)
    content = sheet(["telephoneNumber", "note"], [NUMBER, "Desk"], ["+442079460501", ""], ["+4420794605OO", "x"])
    batch = previewed(alice_client, content, mode=Mode.UPDATE)
    assert outcomes(batch) == {NUMBER: "changed", "+442079460501": "unchanged", "+4420794605OO": "refused"}
    page = text_of(alice_client.get(f"/numbers/import/{batch.pk}/"))
    assert "Changed 1" in page
    assert "There are letters here." in page
    assert "Import the good rows: 1 number" in page
    assert PhoneNumber.objects.get(e164=NUMBER).note == ""
    answer = confirm(alice_client, batch, ticket="CHG-1", comment="as agreed")
    batch.refresh_from_db()
    assert answer["Location"] == f"/tasks/{batch.task_ref}/"
    task = run(Task.objects.get(pk=batch.task_ref))
    assert (task.state, task.ticket, task.channel) == (TaskState.SUCCEEDED, "CHG-1", "csv")
    assert PhoneNumber.objects.get(e164=NUMBER).note == "Desk"
    assert "This file was confirmed" in text_of(alice_client.get(f"/numbers/import/{batch.pk}/"))


def test_nothing_is_imported_twice(world: World, alice_client: Client) -> None:
    world.numbers(1)
    batch = previewed(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"]), mode=Mode.UPDATE)
    confirm(alice_client, batch)
    answer = confirm(alice_client, batch)
    assert answer["Location"] == f"/numbers/import/{batch.pk}/"
    assert Task.objects.filter(kind="import").count() == 1


def test_unknown_and_repeated_headers_are_asked_about_and_remembered(
    world: World, alice: User, alice_client: Client
) -> None:
    world.numbers(1)
    content = sheet(["Phone number", "Remark", "Remark", "Colour"], [NUMBER, "Desk", "", "red"])
    answer = upload(alice_client, content, mode=Mode.UPDATE)
    batch = NumberImport.objects.get()
    columns = f"/numbers/import/{batch.pk}/columns/"
    assert answer["Location"] == columns
    page = alice_client.get(columns)
    assert "Desk" in text_of(page)
    chosen = {"column_0": "telephoneNumber", "column_1": "note", "column_2": "", "column_3": "-", "mode": "update"}
    refused = alice_client.post(columns, chosen)
    assert "Say what “Remark” is, or leave it out." in text_of(refused)
    twice = alice_client.post(columns, chosen | {"column_2": "note"})
    assert "“Remark” is note already." in text_of(twice)
    answer = alice_client.post(columns, chosen | {"column_2": "-"})
    assert answer["Location"] == f"/numbers/import/{batch.pk}/"
    assert finish_check(batch).counts == {"changed": 1}
    assert "Not imported: Remark, Colour." in text_of(alice_client.get(f"/numbers/import/{batch.pk}/"))
    alice.refresh_from_db()
    assert alice.preferences["import_columns"]["colour"] == ""
    again = sheet(["Phone number", "Colour"], [NUMBER, "red"])
    assert previewed(alice_client, again, mode=Mode.UPDATE).counts == {"unchanged": 1}


def test_headers_of_any_script_are_remembered(world: World, alice: User, alice_client: Client) -> None:
    world.numbers(1)
    content = sheet(["電話番号", "メモ"], [NUMBER, "Desk"])
    upload(alice_client, content, mode=Mode.UPDATE)
    chosen = {"column_0": "telephoneNumber", "column_1": "note", "mode": "update"}
    alice_client.post(f"/numbers/import/{NumberImport.objects.get().pk}/columns/", chosen)
    assert previewed(alice_client, content, mode=Mode.UPDATE).counts == {"changed": 1}


def test_a_list_without_settings_takes_those_of_the_form(world: World, alice_client: Client) -> None:
    world.route([])
    upload(alice_client, sheet(["Numbers"], ["+442079460700"], ["+442079460701"]))
    batch = NumberImport.objects.get()
    assert batch.shape == "gateway-list"
    data = {
        "column_0": "telephoneNumber",
        "mode": "create",
        "default_customer": "Harbourline",
        "default_usage": "FirstPartyAppAssignment",
        "default_capabilities": "InboundCalling",
    }
    alice_client.post(f"/numbers/import/{batch.pk}/columns/", data)
    assert finish_check(batch).counts == {"new": 2}, list(batch.rows.values_list("problems", flat=True))


def test_values_for_the_whole_file_are_checked(world: World, alice_client: Client) -> None:
    upload(alice_client, sheet(["Numbers"], ["+442079460700"]))
    batch = NumberImport.objects.get()
    data = {"column_0": "telephoneNumber", "mode": "create", "default_locationId": "nope", "default_country": "Germany"}
    page = text_of(alice_client.post(f"/numbers/import/{batch.pk}/columns/", data))
    assert "This is no GUID." in page
    assert "“GERMANY” is no country." in page


def test_rejected_rows_come_back_and_import_when_they_are_corrected(world: World, alice_client: Client) -> None:
    world.numbers(3)
    content = sheet(
        ["telephoneNumber", "note", "tags"],
        [NUMBER, "=1+1", "a"],
        ["0207 946 0501", "'quoted", "b;c"],
        ["4,48719E+11", "x", ""],
    )
    batch = previewed(alice_client, content, mode=Mode.UPDATE)
    assert batch.counts == {"changed": 1, "refused": 2}
    text = body_of(alice_client.get(f"/numbers/import/{batch.pk}/rejected.csv"))
    lines = text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "telephoneNumber,note,tags,error"
    assert lines[1].startswith("0207 946 0501,'quoted,b;c,telephoneNumber: This begins with 0")
    corrected = text.replace("0207 946 0501", "+442079460501").replace('"4,48719E+11"', "+442079460502")
    second = previewed(alice_client, corrected.encode(), mode=Mode.UPDATE)
    assert second.counts == {"changed": 2}, list(second.rows.values_list("problems", flat=True))


@pytest.mark.parametrize("book", [True, False])
def test_rejected_rows_say_what_they_said_and_execute_nothing(world: World, alice_client: Client, book: bool) -> None:
    notes = ["=1+1", "'=1+1", "''=1", "'quoted", "@x", "-", "'-", "+44 20", '"q"', "two\nlines", "+cmd|' /C calc'!A0"]
    world.numbers(len(notes), note="old", tags=["x"])
    wrong = [[f"+4420794605{n:02d}X", note, "a"] for n, note in enumerate(notes)]
    headers = ["telephoneNumber", "note", "tags"]
    right = [[number.removesuffix("X"), note, tags] for number, note, tags in wrong]

    def content(rows: list[list[str]]) -> bytes:
        return packed(workbook(headers, *rows)) if book else sheet(headers, *rows)

    meant = [row.changes for row in previewed(alice_client, content(right), mode=Mode.UPDATE).rows.order_by("pk")]
    batch = previewed(alice_client, content(wrong), mode=Mode.UPDATE)
    assert batch.counts == {"refused": len(notes)}
    text = body_of(alice_client.get(f"/numbers/import/{batch.pk}/rejected.csv"))
    cells = [cell for line in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in line]
    assert [cell for cell in cells if cell[:1] in ("=", "@", "+", "-") and cell != "-"] == []
    second = previewed(alice_client, text.replace("X,", ",").encode(), mode=Mode.UPDATE)
    assert [row.changes for row in second.rows.order_by("pk")] == meant


def rejected(client: Client, batch: NumberImport) -> list[list[str]]:
    """The file of refused rows, record by record."""
    text = body_of(client.get(f"/numbers/import/{batch.pk}/rejected.csv")).removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text)))


def test_a_range_that_cannot_be_read_comes_back_as_a_range(contoso: Customer, alice_client: Client) -> None:
    row = ["+442079460000", "+442079480000", str(contoso.tenant_id)]
    batch = previewed(alice_client, sheet(["telephoneNumber", "rangeEnd", "msTenantId"], row))
    (_header, told) = rejected(alice_client, batch)
    assert told[:-1] == row
    assert "at most" in told[-1]


def test_rejected_rows_have_only_columns_that_mean_the_same_again(world: World, alice_client: Client) -> None:
    world.numbers(1)
    headers = ["Nr", "note", "capabilities", "acquiredOn", "Remarks", "error"]
    upload(alice_client, sheet(headers, ["1", "Desk", "Mobile", "2026-01-01", "ours", "old"]))
    batch = NumberImport.objects.get()
    chosen = ["telephoneNumber", "note", "-", "-", "-", "-"]
    data = {f"column_{place}": column for place, column in enumerate(chosen)}
    alice_client.post(f"/numbers/import/{batch.pk}/columns/", data | {"mode": "update"})
    finish_check(batch)
    header, told = rejected(alice_client, batch)
    assert header == ["telephoneNumber", "note", "acquiredOn", "Remarks", "error"]
    assert told[:-1] == ["1", "Desk", "2026-01-01", "ours"]
    second = previewed(alice_client, sheet(header, [NUMBER, *told[1:]]), mode=Mode.UPDATE)
    assert second.rows.get().changes == {"note": ["", "Desk"]}


def test_rejected_rows_of_a_workbook_are_guarded_as_csv(world: World, alice_client: Client) -> None:
    book = openpyxl.Workbook()
    for cells in (["telephoneNumber", "note", "tags"], ["1", "=1+1", "-"], ["2", "'-", "'=a"]):
        book.active.append(cells)
    for cell in (book.active["B2"], book.active["B3"]):
        cell.data_type = "s"
    file = io.BytesIO()
    book.save(file)
    batch = previewed(alice_client, file.getvalue(), mode=Mode.UPDATE, name="numbers.xlsx")
    told = [row[:-1] for row in rejected(alice_client, batch)[1:]]
    assert told == [["1", "'=1+1", "-"], ["2", "'-", "''=a"]]


def test_a_preview_that_is_no_longer_the_shown_one_is_not_confirmed(world: World, alice_client: Client) -> None:
    world.numbers(1)
    batch = previewed(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"]), mode=Mode.UPDATE)
    answer = confirm(alice_client, batch, shown="1-2-3")
    assert answer["Location"] == f"/numbers/import/{batch.pk}/"
    assert not Task.objects.filter(kind="import").exists()


def test_whole_files_have_no_refused_rows(world: World, alice_client: Client) -> None:
    world.numbers(1)
    content = sheet(["telephoneNumber", "note"], [NUMBER, "Desk"], ["x", "y"])
    batch = previewed(alice_client, content, mode=Mode.UPDATE)
    confirm(alice_client, batch, rows="whole")
    assert "Rows are refused" in text_of(alice_client.get(f"/numbers/import/{batch.pk}/"))
    assert not Task.objects.filter(kind="import").exists()


def test_one_check_or_import_of_a_file_at_a_time(world: World, alice_client: Client) -> None:
    """Buttons that are pressed twice, and forms in another tab."""
    world.numbers(1)
    upload(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"]), mode=Mode.UPDATE)
    batch = NumberImport.objects.get()
    chosen = {"column_0": "telephoneNumber", "column_1": "-", "mode": "update"}
    for path, data in (("columns/", chosen), ("check/", {}), ("confirm/", {"rows": "good"})):
        assert alice_client.post(f"/numbers/import/{batch.pk}/{path}", data).status_code == 302
    assert Task.objects.count() == 1
    assert finish_check(batch).counts == {"changed": 1}
    confirm(alice_client, batch)
    for path, data in (("columns/", chosen), ("check/", {})):
        answer = alice_client.post(f"/numbers/import/{batch.pk}/{path}", data)
        assert answer["Location"] == f"/numbers/import/{batch.pk}/"
    alice_client.post(f"/numbers/import/{batch.pk}/forget/")
    batch.refresh_from_db()
    assert batch.state == ImportState.SUBMITTED
    run(Task.objects.get(pk=batch.task_ref))
    assert PhoneNumber.objects.get().note == "Desk"


def test_a_file_that_is_gone_is_told(world: World, alice_client: Client) -> None:
    batch = previewed(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"]), mode=Mode.UPDATE)
    batch.path.unlink()
    assert alice_client.get(f"/numbers/import/{batch.pk}/columns/").status_code == 200
    assert alice_client.get(f"/numbers/import/{batch.pk}/rejected.csv").status_code == 404
    alice_client.post(f"/numbers/import/{batch.pk}/check/")
    finish_check(batch)
    page = text_of(alice_client.get(f"/numbers/import/{batch.pk}/"))
    assert "The file is no longer kept. Upload it again." in page


def test_files_are_of_one_person(alice_client: Client, bob_client: Client, contoso: Customer) -> None:
    PhoneNumberFactory(e164=NUMBER, customer=contoso)
    batch = previewed(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"]), mode=Mode.UPDATE)
    for path in ("", "columns/", "live/", "rejected.csv", "differences.csv"):
        assert bob_client.get(f"/numbers/import/{batch.pk}/{path}").status_code == 404, path
    for path in ("confirm/", "check/", "forget/"):
        assert bob_client.post(f"/numbers/import/{batch.pk}/{path}").status_code == 404, path


def test_a_preview_is_shown_as_long_as_all_of_it_may_be_seen(contoso: Customer) -> None:
    PhoneNumberFactory(e164=NUMBER, customer=contoso)
    person = grant(UserFactory(), Role.OPERATOR, customer=contoso)
    client = Client()
    client.force_login(person)
    batch = previewed(client, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"], ["x", ""]), mode=Mode.UPDATE)
    paths = ("", "rejected.csv", "differences.csv")
    assert {client.get(f"/numbers/import/{batch.pk}/{path}").status_code for path in paths} == {200}
    person.memberships.all().delete()
    grant(person, Role.OPERATOR, customer=CustomerFactory())
    assert {client.get(f"/numbers/import/{batch.pk}/{path}").status_code for path in paths} == {403}
    assert client.post(f"/numbers/import/{batch.pk}/confirm/").status_code == 403
    assert client.post(f"/numbers/import/{batch.pk}/forget/").status_code == 302


@pytest.mark.parametrize("path", ["", "example.csv", "columns.csv"])
def test_who_may_import(path: str, contoso: Customer, alice_client: Client, charlie_client: Client) -> None:
    assert alice_client.get(f"/numbers/import/{path}").status_code == 200
    anonymous = Client().get(f"/numbers/import/{path}")
    assert anonymous.status_code == 302
    if not path:
        assert charlie_client.get("/numbers/import/").status_code == 403
        for role, code in ((Role.MONITOR, 403), (Role.LITE_OPERATOR, 200), (Role.OPERATOR, 200)):
            client = Client()
            client.force_login(grant(UserFactory(), role, customer=contoso))
            assert client.get("/numbers/import/").status_code == code


@pytest.mark.parametrize("path", ["confirm/", "check/", "forget/"])
def test_changes_are_posted(path: str, alice_client: Client) -> None:
    batch = previewed(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, ""]), mode=Mode.UPDATE)
    assert alice_client.get(f"/numbers/import/{batch.pk}/{path}").status_code == 405


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"telephoneNumber,note\r\n", "no rows"),
        (b"PK\x05\x06" + b"\x00" * 18, "zip"),
        (b"+442079460500\r\n+442079460501\r\n", "so the header seems to be missing"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "picture"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, words: str, alice_client: Client) -> None:
    page = text_of(upload(alice_client, content))
    assert words in page.lower()
    assert not NumberImport.objects.exists()


def test_files_are_deleted_on_request_and_in_time(alice_client: Client) -> None:
    content = sheet(["telephoneNumber", "note"], [NUMBER, ""])
    first = previewed(alice_client, content, mode=Mode.UPDATE)
    path = first.path
    assert path.exists()
    alice_client.post(f"/numbers/import/{first.pk}/forget/")
    assert not path.exists()
    assert not NumberImport.objects.exists()
    second = previewed(alice_client, content, mode=Mode.UPDATE)
    forget_imports()
    assert NumberImport.objects.exists()
    NumberImport.objects.update(created_at=timezone.now() - timezone.timedelta(hours=25))
    forget_imports()
    assert not second.path.exists()
    assert not NumberImport.objects.exists()


def test_the_page_renews_itself_while_the_file_is_checked(alice_client: Client) -> None:
    upload(alice_client, sheet(["telephoneNumber", "note"], [NUMBER, ""]), mode=Mode.UPDATE)
    batch = NumberImport.objects.get()
    assert batch.state == ImportState.CHECKING
    assert "The file is being checked" in text_of(alice_client.get(f"/numbers/import/{batch.pk}/"))
    assert "being checked" in text_of(alice_client.get(f"/numbers/import/{batch.pk}/live/"))
    finish_check(batch)
    assert alice_client.get(f"/numbers/import/{batch.pk}/live/")["HX-Refresh"] == "true"


def test_the_example_file_imports_but_for_its_made_up_customer(alice: User, alice_client: Client) -> None:
    content = body_of(alice_client.get("/numbers/import/example.csv")).encode()
    batch = importing.keep(_file(content), mode=Mode.UPSERT, user=alice)
    assert batch.shape == "own"
    assert None not in batch.mapping
    table = body_of(alice_client.get("/numbers/import/columns.csv"))
    assert "rangeEnd" in table


def _file(content: bytes) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("example.csv", content)
