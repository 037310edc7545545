"""The import in a browser: file, columns, preview, confirmation, task; with scripts and without, wide and narrow."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks.models import Task
from tests.factories import PhoneNumberFactory
from tests.numbers.imports import run, sheet

from .conftest import OpenPage
from .test_accessibility import violations

NUMBERS = [f"+44207946050{n}" for n in range(4)]
ROWS = [
    [NUMBERS[0], "Front desk", "desk;vip", "red"],
    [NUMBERS[1], "", "", "blue"],
    [NUMBERS[2], "<b>Lift</b>", "", "green"],
    ["+4420794605OO", "Fax", "", "black"],
    ["4,42079E+11", "Gate", "", "white"],
]


@pytest.fixture
def numbers(contoso: Customer) -> None:
    for number in NUMBERS:
        PhoneNumberFactory(e164=number, customer=contoso)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "moving in.csv"
    path.write_bytes(sheet(["Phone No.", "Remark", "tags", "Colour"], *ROWS))
    return path


def at_columns(page: Page, file: Path) -> None:
    """The file is chosen and sent; its headers are not known."""
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Only update numbers that are here").check()
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Columns of the file")


def at_preview(page: Page, file: Path) -> None:
    """Its columns are assigned and it is checked."""
    at_columns(page, file)
    page.get_by_label("Phone No.").select_option("telephoneNumber")
    page.get_by_label("Remark").select_option("note")
    page.get_by_label("Colour").select_option("Leave out")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="The file is being checked")).to_be_visible()
    run(Task.objects.get(kind="import-check"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_the_whole_way(open_page: OpenPage, numbers: None, file: Path, troubles: list[str], scripts: bool) -> None:
    page = open_page("/numbers/import/", java_script_enabled=scripts)
    at_preview(page, file)
    expect(page.get_by_role("heading", level=2, name="What would happen")).to_be_visible()  # it has renewed itself
    expect(page.get_by_text("Not imported: Colour.")).to_be_visible()
    tabs = page.get_by_role("navigation", name="Outcomes")
    expect(tabs.get_by_role("link")).to_have_text(["All 5", "Changed 2", "Unchanged 1", "Refused 2"])
    tabs.get_by_role("link", name="Refused").click()
    rows = page.locator("#rows tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("There are letters here.")
    expect(rows.nth(1)).to_contain_text("scientific notation")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Refused rows as CSV, to correct").click()
    assert "telephoneNumber,note,tags,Colour,error" in Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    tabs.get_by_role("link", name="Changed 2").click()
    expect(page.locator("#rows ins")).to_have_text(["Front desk", "desk;vip", "<b>Lift</b>"])
    expect(page.get_by_label("Import the good rows: 2 numbers; 2 refused rows are left out")).to_be_checked()
    expect(page.get_by_label("All or nothing")).to_be_disabled()
    page.get_by_label("Ticket").fill("CHG-7")
    page.get_by_role("button", name="Import 2 numbers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import of moving in.csv")
    task = run(Task.objects.get(kind="import"))
    assert (task.ticket, task.succeeded) == ("CHG-7", 2)
    page.reload()
    expect(page.get_by_text("2 changes made.")).to_be_visible()
    page.get_by_role("link", name="The file and its preview").click()
    expect(page.get_by_text("This file was confirmed")).to_be_visible()
    assert PhoneNumber.objects.get(e164=NUMBERS[2]).note == "<b>Lift</b>"
    assert troubles == []


def test_back_after_confirming_does_nothing_twice(open_page: OpenPage, numbers: None, file: Path) -> None:
    page = open_page("/numbers/import/")
    at_preview(page, file)
    page.get_by_role("button", name="Import 2 numbers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import of moving in.csv")
    page.go_back()
    if page.get_by_role("button", name="Import 2 numbers").is_visible():
        page.get_by_role("button", name="Import 2 numbers").click()
    expect(page.get_by_text("This file was confirmed")).to_be_visible()
    assert Task.objects.filter(kind="import").count() == 1


@pytest.mark.parametrize("width", [390, 1440])
def test_its_pages_have_no_violations(open_page: OpenPage, numbers: None, file: Path, width: int) -> None:
    page = open_page("/numbers/import/", viewport={"width": width, "height": 844})
    looked_at(page, width)
    at_columns(page, file)
    looked_at(page, width)
    box = page.get_by_label("Phone No.").bounding_box()
    assert box is not None
    assert box["width"] >= 150  # wide enough to read what is chosen
    page.goto("/numbers/import/")
    at_preview(page, file)
    expect(page.get_by_role("heading", level=2, name="What would happen")).to_be_visible()
    looked_at(page, width)
    page.get_by_role("link", name="Refused 2").click()
    looked_at(page, width)


def looked_at(page: Page, width: int) -> None:
    """By axe, and that nothing is wider than the window."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
