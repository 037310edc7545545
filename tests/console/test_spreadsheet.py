"""Cells that a spreadsheet must not execute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocadmin.console.spreadsheet import from_typed, harmless, original, typed


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "+44 20 7946 0958", "'=1"])
def test_what_a_spreadsheet_might_execute_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+442079460958", "plain", "", "'quoted'", "a=b", "1-2"])
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(st.one_of(st.text(), st.text(alphabet="'=+-@\t\r\nab1")))
def test_every_text_comes_back(text: str) -> None:
    assert original(harmless(text)) == text


@given(st.one_of(st.text(), st.text(alphabet="'-a")))
def test_every_text_comes_back_from_a_cell_that_is_a_text_by_its_type(text: str) -> None:
    assert from_typed(typed(text)) == text
    assert typed(text) != "-"
