"""One sheet of numbers as LibreOffice saves it in several formats and languages: the check says the same each time."""

import shutil
from pathlib import Path

import pytest

from ocadmin.access.models import User
from ocadmin.numbers.models import Mode
from tests.console.test_sheets_libreoffice import BOOK, DATE, TEXT, converted, number, table, text
from tests.factories import PhoneNumberFactory
from tests.numbers.imports import checked, codes, outcomes

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

LINES = [
    [text("telephoneNumber"), text("rangeEnd"), text("note"), text("tags")],
    [text("+442079460500"), text(""), text('Zürich; "Süd", 5 €'), text("a;b")],
    [number("442079460501"), text(""), text("two\nlines"), text("")],
    [text("+44 20 7946 0502 "), text(""), text("'quoted"), text("x")],
    [text("+442079460503"), text("+442079460504"), text("-"), text("")],
    [text("4,42079E+11"), text(""), text("lost"), text("")],
    [DATE, text(""), text("a date"), text("")],
    [text("+4420794605OO"), text(""), text("letters"), text("")],
    [number("7.5"), text(""), text("a price"), text("")],
]
SAVED = [
    ("xlsx", "en-US"),
    ("xlsx", "de-DE"),
    ("xlsx", "fr-FR"),
    (f"{TEXT}44,34,76", "en-US"),
    (f"{TEXT}59,34,ANSI", "de-DE"),
    (f"{TEXT}9,34,65535", "de-DE"),
    (f"{TEXT}59,34,76,1,,0,true", "fr-FR"),
]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("soffice") is None:
        pytest.skip("no LibreOffice")
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "book.fods").write_text(BOOK % table("Rufnummern", *LINES))
    return folder


@pytest.mark.parametrize(("target", "locale"), SAVED, ids=[f"{t[:20]}-{locale}" for t, locale in SAVED])
def test_the_same_sheet_has_the_same_outcome(office: Path, alice: User, target: str, locale: str) -> None:
    for n in range(5):
        PhoneNumberFactory(e164=f"+44207946050{n}", note="old" if n > 2 else "")
    path = converted(office, target, locale)
    batch = checked(path.read_bytes(), alice, mode=Mode.UPDATE, name=path.name)
    rows = list(batch.rows.order_by("pk"))
    assert list(outcomes(batch).values()) == ["changed"] * 5 + ["refused"] * 4
    assert [row.changes for row in rows[:5]] == [
        {"note": ["", 'Zürich; "Süd", 5 €'], "tags": ["", "a;b"]},
        {"note": ["", "two\nlines"]},
        {"note": ["", "'quoted"], "tags": ["", "x"]},
        {"note": ["old", ""]},
        {"note": ["old", ""]},
    ]
    assert codes(rows[5]) == ["telephoneNumber:scientific"]
    assert codes(rows[7]) == ["telephoneNumber:letters"]
    assert "plus_added" in batch.notes
