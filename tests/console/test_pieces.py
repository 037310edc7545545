"""The small pieces of HTML, pages without counting, and cells that are those of django-tables2."""

import pytest
from django.test import RequestFactory

from ocadmin.console import html
from ocadmin.console.cells import table_rows
from ocadmin.console.paging import COUNT_LIMIT, LAST_PAGE, Page, read_number
from ocadmin.numbers.models import PhoneNumber
from ocadmin.numbers.tables import NumberTable
from tests.factories import PhoneNumberFactory


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+442079460958", "+44 20 7946 0958"),
        ("+12127000003", "+1 212-700-0003"),
        ("+999", "+999"),
        ("hello", "hello"),
        ("", ""),
    ],
)
def test_reading_form(e164: str, shown: str) -> None:
    assert html.reading_form(e164) == shown


def test_pieces_escape_what_they_show() -> None:
    for piece in (
        html.pill("<b>"),
        html.link("<b>", "/"),
        html.short_id("<b>"),
        html.copy_button("<b>"),
        html.none("<b>"),
    ):
        assert "<b>" not in piece


def test_cells_are_those_of_the_library(db: None) -> None:
    number = PhoneNumberFactory(acquired_on=None, assignment_status=None, source="")
    PhoneNumberFactory(customer__full_name="<b>Contoso & Sons</b>")
    table = NumberTable(PhoneNumber.objects.all(), request=RequestFactory().get("/"))
    table.page_rows = list(table.rows)
    ours = table_rows(table)
    for row in table.page_rows:
        for cell in row:
            assert str(cell) in ours
    assert number.e164 in ours
    assert "<b>" not in ours


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "٣", "9" * 30, str(LAST_PAGE + 1)])
def test_page_numbers_that_are_none(text: str) -> None:
    assert read_number(text) is None


def test_page_numbers() -> None:
    assert (read_number(None), read_number(""), read_number("7")) == (1, 1, 7)


def page(number: int, total: int, size: int = 50, capped: bool = False) -> Page:
    return Page(number, size, total, capped, has_next=number * size < total or capped, rows=[None] * size)


def test_pager_numbers() -> None:
    assert page(1, 40).numbers == [1]
    assert page(1, 500).numbers == [1, 2, 3, None, 10]
    assert page(5, 500).numbers == [1, 2, 3, 4, 5, 6, 7, None, 10]
    assert page(1, COUNT_LIMIT, capped=True).numbers == [1, 2]
    assert page(1, COUNT_LIMIT, capped=True).total_text == "10,000+"
