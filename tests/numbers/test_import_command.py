"""`manage.py import_numbers FILE`."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber
from tests.factories import PhoneNumberFactory
from tests.numbers.imports import sheet
from tests.numbers.operations.uploads import place
from tests.numbers.world import World

__all__ = ["place"]
pytestmark = pytest.mark.django_db

NUMBER = "+442079460500"


def command(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_numbers", str(path), *options, stdout=out)
    return out.getvalue()


def write(folder: Path, content: bytes) -> Path:
    path = folder / "numbers.csv"
    path.write_bytes(content)
    return path


def test_it_only_looks_until_told_otherwise(tmp_path: Path) -> None:
    PhoneNumberFactory(e164=NUMBER)
    path = write(tmp_path, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"], ["x", ""]))
    said = command(path, "--rejected", str(tmp_path / "back.csv"))
    assert "numbers.csv: changed 1, refused 1" in said
    assert "refused 1: telephoneNumber: There is no number here." in said
    assert PhoneNumber.objects.get().note == ""
    assert "x,," in (tmp_path / "back.csv").read_text()
    command(path, "--yes")
    assert PhoneNumber.objects.get().note == "Desk"


def test_all_or_nothing_refuses_a_file_with_refused_rows(tmp_path: Path) -> None:
    PhoneNumberFactory(e164=NUMBER)
    path = write(tmp_path, sheet(["telephoneNumber", "note"], [NUMBER, "Desk"], ["x", ""]))
    with pytest.raises(CommandError, match="Rows are refused"):
        command(path, "--yes", "--all-or-nothing")
    assert PhoneNumber.objects.get().note == ""


def test_new_numbers_are_uploaded_without_a_worker(place: World, tmp_path: Path) -> None:
    path = write(tmp_path, sheet(["Anschluss", "Raum"], ["+442079460700", "1"]))
    with pytest.raises(CommandError, match="columns that nobody knows: Anschluss, Raum"):
        command(path)
    said = command(
        path,
        "--yes",
        *("--column", "Anschluss=telephoneNumber", "--column", "Raum="),
        *("--default", f"msTenantId={place.customer.tenant_id}", "--default", "usage=FirstPartyAppAssignment"),
    )
    assert "1 change made." in said
    assert PhoneNumber.objects.get().status == Status.PENDING_FIRST_SYNC


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--column", "nope=note"], "The file has no column"),
        (["--column", "note=nope"], "There is no column “nope”"),
        (["--column", "note"], "not of the form"),
        (["--column", "note=telephoneNumber"], "“telephoneNumber” is telephoneNumber already"),
        (["--default", "nope=1"], "“nope” cannot hold for all rows"),
        (["--default", "note=x"], "“note” cannot hold for all rows"),
    ],
)
def test_bad_options_get_a_sentence(options: list[str], words: str, tmp_path: Path) -> None:
    path = write(tmp_path, sheet(["telephoneNumber", "note"], [NUMBER, ""]))
    with pytest.raises(CommandError, match=words):
        command(path, *options)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        command(tmp_path / "nowhere.csv")
