"""The number list in a browser: with scripts it is quick, without them it works, and nothing is blocked or broken."""

import pytest
from playwright.sync_api import Page, Route, expect

from ocadmin.numbers.models import Customer, PhoneNumber
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


def count(page: Page) -> int:
    return page.locator("#list tbody tr").count()


def test_filter_sort_page_and_back(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/numbers/?per_page=25")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("textbox", name="Country").fill("gb")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#list")).to_contain_text("1 to 25 of 50")
    assert page.url.endswith("/numbers/?per_page=25&country=gb")

    page.get_by_role("link", name="Number", exact=True).click()
    expect(page.locator("#list tbody tr").first).to_contain_text("+44 20 0000 0059")
    expect(page.locator("thead th:not(.tick)").first).to_have_attribute("aria-sort", "descending")
    assert page.evaluate("document.activeElement.id") == "sort-e164"

    page.get_by_role("link", name="Next").click()
    expect(page.locator("#list")).to_contain_text("26 to 50 of 50")
    assert page.evaluate("window.sameDocument") is True

    page.go_back()
    expect(page.locator("#list")).to_contain_text("1 to 25 of 50")
    assert "&page=2" not in page.url
    page.go_back()
    page.go_back()
    expect(page.locator("#list")).to_contain_text("1 to 25 of 60")
    assert troubles == []


def test_back_twice_shows_the_page_of_the_second_time(open_page: OpenPage, numbers: None) -> None:
    page = open_page("/numbers/?per_page=25")
    page.get_by_role("textbox", name="Country").fill("gb")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#list")).to_contain_text("1 to 25 of 50")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#list")).to_contain_text("26 to 50 of 50")

    slow: list[Route] = []
    page.route("**/numbers/?per_page=25&country=gb", lambda route: slow.append(route))
    page.go_back()
    page.go_back()
    expect(page.locator("#list")).to_contain_text("1 to 25 of 60")
    assert slow
    slow[0].continue_()
    page.wait_for_timeout(500)
    expect(page.locator("#list")).to_contain_text("1 to 25 of 60")


def test_back_from_a_number_shows_the_same_list(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/numbers/")
    page.get_by_role("textbox", name="Country").fill("DE")
    page.get_by_role("textbox", name="Country").press("Enter")
    expect(page.locator("#list")).to_contain_text("1 to 10 of 10")
    page.locator("#list tbody th a").first.click()
    expect(page.get_by_role("tab", name="History")).to_be_visible()
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")
    page.go_back()
    page.go_back()
    expect(page.locator("#list")).to_contain_text("1 to 10 of 10")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert troubles == []


def test_remove_a_filter_and_switch_tabs_by_keyboard(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/numbers/?country=DE&status=0")
    page.get_by_role("link", name="Country: DE").click()
    expect(page.locator("#list")).to_contain_text("1 to 50 of 60")
    page.get_by_role("tab", name="All").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Emergency Address")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.activeElement.id") == "tab-emergency"
    assert "tab=emergency" in page.url
    assert troubles == []


def test_choosing_columns_and_rows(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/numbers/?country=GB")
    page.get_by_label("Rows", exact=True).select_option("25")
    expect(page.locator("#list")).to_contain_text("1 to 25 of 50")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Tenant ID").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("thead")).not_to_contain_text("Tenant ID")
    expect(page.locator("#list")).to_contain_text("1 to 25 of 50")
    page.goto("/numbers/")
    expect(page.locator("thead")).not_to_contain_text("Tenant ID")
    assert count(page) == 25
    assert troubles == []


def test_slash_goes_to_the_search(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/me/")
    page.keyboard.press("/")
    page.keyboard.type("0000 0007")
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_contain_text("1 to 1 of 1")
    assert troubles == []


def test_copy_gives_e164_and_says_so(open_page: OpenPage, numbers: None) -> None:
    page = open_page("/numbers/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy +442000000000", exact=True).click()
    expect(page.locator("#announce")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "+442000000000"


def test_works_without_scripts(open_page: OpenPage, numbers: None) -> None:
    page = open_page("/numbers/", java_script_enabled=False)
    page.get_by_role("textbox", name="Country").fill("DE")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#list")).to_contain_text("1 to 10 of 10")
    page.get_by_role("link", name="Customer", exact=True).click()
    assert "country=DE" in page.url
    page.get_by_label("Rows", exact=True).select_option("25")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "per_page=25" in page.url
    assert "country=DE" in page.url
    page.get_by_role("tab", name="Released").click()
    expect(page.get_by_role("tab", name="Released")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".copy").first).to_be_hidden()


def test_pasting_a_list(open_page: OpenPage, numbers: None, troubles: list[str]) -> None:
    page = open_page("/numbers/?country=DE")
    page.get_by_text("Paste a list").click()
    page.get_by_label("Numbers", exact=True).fill("+44 20 0000 0001\n+44 20 0000 0055\n+49 30 1234567")
    page.get_by_role("button", name="Find these numbers").click()
    expect(page.locator("#list")).to_contain_text("3 numbers in the list, 2 found here, 1 not found")
    assert count(page) == 1  # the other one is not German
    assert troubles == []
