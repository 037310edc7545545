"""What a number says about its country, and which countries count as one (upstreams.md §6)."""

import pytest

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
