"""What a number says about its country, and which countries count as one (upstreams.md §6)."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import settings as properties
from hypothesis import strategies as st

from ocadmin.numbers.countries import country_of, is_north_american, is_toll_free, may_be_in, same_country


@pytest.mark.parametrize(
    ("e164", "country"),
    [
        ("+448718943000", "GB"),
        ("+447911123456", "GG"),
        ("+441534123456", "JE"),
        ("+15105850321", "US"),
        ("+353800123456", "IE"),  # not assignable, but the code is Ireland's alone
        ("+15551234567", None),
        ("+80012345678", None),
        ("nonsense", None),
    ],
)
def test_the_country_of_a_number(e164: str, country: str | None) -> None:
    assert country_of(e164) == country


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("GB", "JE", True),
        ("UK", "gb", True),
        ("US", "CA", True),
        ("GB", "IE", False),
        ("US", "MX", False),
        ("FR", "FR", True),
        ("", "GB", False),
    ],
)
def test_countries_that_count_as_one(one: str, other: str, same: bool) -> None:
    assert same_country(one, other) is same
    assert same_country(other, one) is same


@pytest.mark.parametrize(
    ("e164", "country", "may"),
    [
        ("+447911123456", "GB", True),
        ("+447911123456", "US", False),
        ("+15551234567", "CA", True),  # tells no country: its code decides
        ("+15551234567", "GB", False),
        ("+80012345678", "GB", False),
    ],
)
def test_where_a_number_may_be(e164: str, country: str, may: bool) -> None:
    assert may_be_in(e164, country) is may


@pytest.mark.parametrize(
    ("e164", "free", "american"),
    [
        ("+18333998785", True, True),
        ("+18225550123", True, True),
        ("+12125550123", False, True),
        ("+448001234567", True, False),
        ("+80012345678", True, False),
        ("+442079460700", False, False),
    ],
)
def test_toll_free(e164: str, free: bool, american: bool) -> None:
    assert (is_toll_free(e164), is_north_american(e164)) == (free, american)


CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
EXAMPLES = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in phonenumbers.PhoneNumberType.values()
    if (example := phonenumbers.example_number_for_type(region, kind)) is not None
]


def by_the_library(e164: str) -> tuple[str | None, bool]:
    """Country and toll-free as its own functions say."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None, False
    region = phonenumbers.region_code_for_number(number)
    american = str(number.national_number)[:3] in ("800", "822", "833", "844", "855", "866", "877", "888")
    free = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.TOLL_FREE
    return (None if region == "001" else region), free or (number.country_code == 1 and american)


@properties(max_examples=400)
@given(st.sampled_from(CODES), st.from_regex(r"[0-9]{2,12}", fullmatch=True))
def test_any_digits_are_judged_as_the_library_judges_them(code: int, rest: str) -> None:
    e164 = f"+{code}{rest}"
    assert (country_of(e164), is_toll_free(e164)) == by_the_library(e164)


@properties(max_examples=400)
@given(st.sampled_from(EXAMPLES), st.from_regex(r"[0-9]{0,4}", fullmatch=True))
def test_numbers_of_every_country_and_kind_as_well(example: str, end: str) -> None:
    e164 = example[: len(example) - len(end)] + end
    assert (country_of(e164), is_toll_free(e164)) == by_the_library(e164)
