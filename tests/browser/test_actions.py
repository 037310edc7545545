"""Selecting numbers and acting on them, in a real browser, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import Customer
from ocadmin.tasks.models import Task
from tests.factories import PhoneNumberFactory

from .conftest import OpenPage


@pytest.fixture
def waiting(contoso: Customer) -> None:
    """Three numbers that wait for a decision."""
    for _ in range(3):
        PhoneNumberFactory(customer=contoso, status=Status.MARKED_FOR_REMOVAL)


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_ticking_choosing_and_confirming(
    open_page: OpenPage, waiting: None, troubles: list[str], scripts: bool
) -> None:
    page = open_page("/approvals/", java_script_enabled=scripts)
    boxes = page.locator("input[name=row]")
    boxes.nth(0).check()
    boxes.nth(2).check()
    page.locator("#act-menu summary").click()
    page.get_by_role("button", name="Approve removal").click()
    expect(page.get_by_text("2 numbers selected. Nothing has been done yet.")).to_be_visible()
    page.get_by_label("Ticket").fill("CHG-1")
    page.get_by_role("button", name="Approve removal: 2 numbers").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approve removal: 2 numbers")
    assert Task.objects.get().ticket == "CHG-1"
    assert troubles == []


def test_one_box_ticks_the_page(open_page: OpenPage, waiting: None) -> None:
    page = open_page("/approvals/")
    page.get_by_label("Select all rows of this page").check()
    expect(page.locator("input[name=row]:checked")).to_have_count(3)
    page.get_by_label("Select all rows of this page").uncheck()
    expect(page.locator("input[name=row]:checked")).to_have_count(0)
