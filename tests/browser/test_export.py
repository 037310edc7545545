"""Downloading in a browser: through the menu of the list, for ticked rows, prepared by a task, without scripts."""

import csv
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from ocadmin.numbers.models import Customer, PhoneNumber
from ocadmin.tasks import engine
from ocadmin.tasks.models import Task
from tests.factories import PhoneNumberFactory

from .conftest import OpenPage


@pytest.fixture
def numbers(contoso: Customer) -> None:
    """Sixty numbers, ten of them German."""
    PhoneNumber.objects.bulk_create(
        PhoneNumberFactory.build(
            e164=f"+4420{n:08d}", customer=contoso, calling_profile=None, iso_country_code="DE" if n < 10 else "GB"
        )
        for n in range(60)
    )


def downloaded(page: Page, text: str) -> tuple[str, list[dict[str, str]]]:
    """The name of the file behind a link or button, and its rows."""
    with page.expect_download() as waiting:
        page.get_by_text(text, exact=True).click()
    file = waiting.value
    with Path(file.path()).open(encoding="utf-8-sig", newline="") as lines:
        return file.suggested_filename, list(csv.DictReader(lines))


@pytest.mark.parametrize("scripts", [True, False])
def test_through_the_menu(open_page: OpenPage, numbers: None, troubles: list[str], scripts: bool) -> None:
    page = open_page("/numbers/?country=DE&sort=-e164", java_script_enabled=scripts)
    page.locator("#export-menu summary").click()
    expect(page.locator("#export-menu")).to_contain_text("10 rows, as they are listed")
    name, rows = downloaded(page, "CSV, as on screen")
    assert name.startswith("numbers-20")
    assert [row["telephoneNumber"] for row in rows] == [f"+44200000000{n}" for n in range(9, -1, -1)]
    assert "note" not in rows[0]
    assert troubles == []


def test_by_keyboard_after_a_filter(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    """The menu is in the part that is swapped: its links say what the list shows now."""
    page = open_page("/numbers/")
    page.get_by_role("textbox", name="Country").fill("DE")
    page.get_by_role("textbox", name="Country").press("Enter")
    expect(page.locator("#list")).to_contain_text("1 to 10 of 10")
    page.locator("#export-menu summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert Path(waiting.value.path()).read_text().count("\n") == 11
    page.keyboard.press("Escape")
    assert page.locator("#export-menu").get_attribute("open") is None
    assert troubles == []


def test_ticked_rows(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/numbers/")
    page.get_by_label("Select +442000000003", exact=True).check()
    page.get_by_label("Select +442000000001", exact=True).check()
    page.locator("#act-menu summary").click()
    _name, rows = downloaded(page, "Export as CSV")
    assert [row["telephoneNumber"] for row in rows] == ["+442000000001", "+442000000003"]
    assert troubles == []


def test_prepared_by_a_task(
    open_page: OpenPage, numbers: None, troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.ENV, "export_task_rows", 50)
    page = open_page("/numbers/")
    page.locator("#export-menu summary").click()
    page.get_by_text("CSV, all columns", exact=True).click()
    page.get_by_role("button", name="Prepare in the background").click()
    expect(page.get_by_role("heading", name="Export of 60 numbers, CSV")).to_be_visible()
    task = Task.objects.get()
    while task.alive:
        Task.objects.filter(pk=task.pk).update(next_run_at=timezone.now())
        engine.advance(task.pk)
        task.refresh_from_db()
    expect(page.locator("#task-actions")).to_contain_text("Only you can download it")  # it renews itself
    _name, rows = downloaded(page, "Download the file")
    assert len(rows) == 60
    assert troubles == []


def test_one_number(open_page: OpenPage, numbers: None) -> None:
    page = open_page("/numbers/+442000000003/")
    name, rows = downloaded(page, "Export as CSV")
    assert name == "+442000000003.csv"
    assert [row["telephoneNumber"] for row in rows] == ["+442000000003"]


@pytest.mark.parametrize("path", ["/numbers/", "/numbers/?tab=emergency", "/numbers/?tab=released"])
def test_menus_stay_on_a_narrow_screen(open_page: OpenPage, numbers: None, path: str) -> None:
    page = open_page(path, viewport={"width": 390, "height": 900})
    for menu in page.locator("details.menu").all():
        menu.locator("summary").click()
        box = menu.locator(".menu-panel").bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
        page.keyboard.press("Escape")
