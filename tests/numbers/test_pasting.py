"""Reading typed or pasted numbers and ranges: every layout, every damage with its code, nothing guessed."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocadmin.numbers.pasting import LIMIT, SENTENCES, TooMany, read

FIRST = "+442079460000"


def codes(text: str) -> list[str]:
    return [problem.code for problem in read(text).problems]


def london(*places: int) -> list[str]:
    return [f"+44207946{place:04d}" for place in places]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("+442079460958", london(958)),
        ("+44 20 7946 0958\r\n+44 (0)20-7946.0959\n", london(958, 959)),
        ("+442079460958,+442079460959;+442079460960\t+442079460961", london(958, 959, 960, 961)),
        ("| +442079460958 | +442079460959 |", london(958, 959)),
        ("+44 20 7946 0958 +44 20 7946 0959", london(958, 959)),
        ("442079460958 442079460959", london(958, 959)),
        ("00442079460958\n0044 20 7946 0959", london(958, 959)),
        ("+442079460958\n+44 20 79460958", london(958)),
        ("- +442079460958\n– +442079460959", london(958, 959)),
        ("(+44) 20 7946 0958", london(958)),
        ("'+442079460958'\n=\"+442079460959\"", london(958, 959)),
        ("tel:+44-20-7946-0958", london(958)),
        ("＋４４ ２０ ７９４６ ０９５８\n+44\u00a020\u00a07946\u00a00959\u200b", london(958, 959)),
        ("+390612345678", ["+390612345678"]),
        ("+44 20 7946-0000", london(0)),
        ("+44 1534 123-456", ["+441534123456"]),
        ("+1 212-555-0100", ["+12125550100"]),
        ("+49 30/1234567", ["+49301234567"]),
        ("+49 (0)30 123456-0", ["+49301234560"]),
    ],
)
def test_reads_any_layout(text: str, numbers: list[str]) -> None:
    reading = read(text)
    assert (reading.numbers, reading.ranges, reading.problems) == (numbers, [], [])


@pytest.mark.parametrize(
    "text",
    [
        "+442079460098 - +442079460101",
        "+442079460098-+442079460101",
        "+44 20 7946 0098 – +44 20 7946 0101",
        "+442079460098 — +442079460101",
        "+442079460098..+442079460101",
        "+442079460098 … +442079460101",
        "+442079460098 to +442079460101",
        "+44 (0)20 7946-0098 TO 0101",
        '"+442079460098" - "+442079460101"',
        "+442079460098-0101",
        "+44 20 7946 0098 - 01 01",
        "+442079460098..101",
        "442079460098-442079460101",
        "442079460098 - +442079460101",
        "00442079460098-0101",
        "00442079460098 to 00442079460101",
    ],
)
def test_reads_a_range(text: str) -> None:
    reading = read(text)
    assert reading.ranges == [("+442079460098", "+442079460101")]
    assert (reading.numbers, reading.problems) == (london(98, 99, 100, 101), [])


def test_reads_numbers_and_ranges_on_one_line() -> None:
    reading = read("+442079460000 - +442079460001 +442079460010-11, 442079460020-21 442079460030")
    assert reading.numbers == london(0, 1, 10, 11, 20, 21, 30)
    assert len(reading.ranges) == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("number", "no_number"),
        ("+", "no_number"),
        ("+44 2O7 946 0958", "letters"),
        ("+442079460958 Alice", "letters"),
        ("+442079460958²", "signs"),
        ("+442079460958#", "signs"),
        ("4.48719E+11", "scientific"),
        ("4,48719E+11", "scientific"),
        ("442079460958.0", "decimal"),
        ("12", "too_short"),
        ("+4420794609", "too_short"),
        ("+4420749963001", "too_long"),
        ("442079460958442079460959", "too_long"),
        ("020 7946 0958", "leading_zero"),
        ("(0)20 7946 0958", "leading_zero"),
        ("+0442079460958", "leading_zero"),
        ("+4402079460958", "trunk_zero"),
        ("2079460958", "no_country_code"),
        ("15551234567", "no_country_code"),
        ("+9991234567", "unknown_country"),
        ("+442074996300 / 6301", "glued"),
        ("+49 30 1234567/68", "glued"),
        ("+44 20 7946 0000 0099", "glued"),
        ("+49 30 1234-567", "range_unclear"),
        ("+442079460000 -", "range_unclear"),
        ("+442079460000 to", "range_unclear"),
        ("+442079460000 - 2079460099", "range_unclear"),
        ("+442079460000 to +442079460001 to +442079460002", "range_unclear"),
        ("+442079460000..01..02", "range_unclear"),
        ("+442079460099 - +442079460000", "range_reversed"),
        ("+442079460099-00", "range_reversed"),
        ("+442079460000 - +4420794600999", "range_mixed_length"),
        ("+4420794600 - +442079460099", "range_mixed_length"),
        ("+442079460000 - +12125550100", "range_other_country"),
        ("+442079460000 - +442079470000", "range_too_large"),
        ("+442079460000 - +44207946OO99", "letters"),
        ("0207 946 0000-0099", "leading_zero"),
    ],
)
def test_each_damage_has_its_code_and_gives_no_number(text: str, code: str) -> None:
    reading = read(text)
    assert [(problem.text, problem.code) for problem in reading.problems] == [(text, code)]
    assert (reading.numbers, reading.ranges) == ([], [])


def test_each_code_has_its_own_sentence() -> None:
    sentences = {str(sentence) for sentence in SENTENCES.values()}
    assert len(sentences) == len(SENTENCES)
    assert "scientific notation" in read("4.48719E+11").problems[0].sentence


def test_a_bad_piece_leaves_its_neighbours_alone() -> None:
    reading = read("number,hello\n+442079460958,4.4E+11\nAlice: +442079460959\n\x00\n---")
    assert reading.numbers == london(958, 959)
    assert [problem.text for problem in reading.problems] == ["number", "hello", "4.4E+11", "Alice:"]


def test_a_bad_piece_is_told_once_and_shortened() -> None:
    assert [problem.text for problem in read(f"x\nx\n{'y' * 300}").problems] == ["x", "y" * 60]


def test_says_what_was_named_more_than_once() -> None:
    reading = read("+442079460001\n+442079460000-0003\n+44 20 7946 0001\n+442079460003-0004")
    assert reading.numbers == london(1, 0, 2, 3, 4)
    assert reading.duplicates == london(1, 3)
    assert reading.ranges == [("+442079460000", "+442079460003"), ("+442079460003", "+442079460004")]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("442079460958\n+442079460959\n00442079460960", 1),
        ("442079460958\n442079460958", 1),
        ("442079460000-442079460099", 1),
        ("353800123456", 1),  # not assignable, but too long for a national number
    ],
)
def test_says_how_often_the_plus_was_missing(text: str, count: int) -> None:
    assert read(text).assumed_plus == count


def test_refuses_more_than_the_limit_and_says_how_many() -> None:
    most = "+442079400000 - +442079409999"
    assert len(read(f"{most}\n{most}\n+442079400000").numbers) == LIMIT
    with pytest.raises(TooMany, match="10,002 entries") as refused:
        read(f"{most}\n+442079410000-01")
    assert refused.value.count == LIMIT + 2
    with pytest.raises(TooMany):
        read("\n".join(f"word{n}" for n in range(LIMIT + 1)))
    with pytest.raises(TooMany):
        read("\n".join([most] * 11))


# --- properties

# Country code and a national number of a length that the country has, written without groups.
_PLANS = [("44", 10), ("1", 10), ("49", 11), ("33", 9), ("39", 10), ("290", 5), ("800", 8)]


@st.composite
def e164s(draw: st.DrawFn) -> str:
    code, length = draw(st.sampled_from(_PLANS))
    head = draw(st.integers(1, 9))
    return f"+{code}{head}{draw(st.integers(0, 10 ** (length - 1) - 1)):0{length - 1}d}"


_LAYOUTS = st.sampled_from(
    [
        lambda number: number,
        lambda number: "00" + number[1:],
        lambda number: phonenumbers.format_number(phonenumbers.parse(number), 1),
        lambda number: "tel:" + number,
        lambda number: f'"{number}"',
        lambda number: " ".join([number[:3], number[3:6], number[6:]]),
        lambda number: ".".join([number[:6], number[6:]]),
        lambda number: f"({number[:3]}) {number[3:]}",
    ]
)


@given(st.lists(st.tuples(e164s(), _LAYOUTS), max_size=30), st.sampled_from(["\n", "\r\n", ", ", ";", "\t", " | "]))
def test_what_is_written_in_any_layout_is_read_back(entries: list, separator: str) -> None:
    reading = read(separator.join(layout(number) for number, layout in entries))
    expected = list(dict.fromkeys(number for number, _layout in entries))
    assert (reading.numbers, reading.ranges, reading.problems) == (expected, [], [])
    assert set(reading.duplicates) == {n for n, _l in entries if [one for one, _l in entries].count(n) > 1}


def test_every_country_s_numbers_are_read_as_the_library_writes_them() -> None:
    styles = phonenumbers.PhoneNumberFormat
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        example = (
            phonenumbers.example_number_for_non_geo_entity(code)
            if regions[0] == "001"
            else phonenumbers.example_number(regions[0])
        )
        number = phonenumbers.format_number(example, styles.E164)
        for style in (styles.E164, styles.INTERNATIONAL):
            reading = read(phonenumbers.format_number(example, style))
            assert (reading.numbers, reading.problems) == ([number], []), number


_JOINTS = st.sampled_from([" - ", "-", "–", "—", "..", " .. ", " to ", " TO ", "…"])


@st.composite
def ranges(draw: st.DrawFn) -> tuple[str, int]:
    """(first number, size) such that the last has the same length and country code."""
    first = draw(e164s())
    code = next(code for code, _length in _PLANS if first.startswith(f"+{code}"))
    room = 10 ** (len(first) - 1 - len(code)) - int(first[1 + len(code) :])
    return first, draw(st.integers(1, min(LIMIT, room)))


@given(ranges(), _JOINTS)
def test_a_range_is_so_many_consecutive_numbers_of_equal_length(case: tuple[str, int], joint: str) -> None:
    first, size = case
    last = f"+{int(first) + size - 1}"
    reading = read(f"{first}{joint}{last}")
    assert reading.numbers == [f"+{number}" for number in range(int(first), int(first) + size)]
    assert {len(number) for number in reading.numbers} == {len(first)}
    assert (reading.ranges, reading.problems, reading.duplicates) == ([(first, last)], [], [])


@given(st.integers(0, 9_999), st.integers(0, 9_999), st.integers(1, 5), st.sampled_from(["-", "–", "..", " to "]))
def test_a_shortened_end_replaces_the_last_digits(start: int, end: int, digits: int, joint: str) -> None:
    first = f"+44207946{start:04d}"
    last = first[:-digits] + f"{end:0{digits}d}"[-digits:]
    reading = read(f"{first}{joint}{last[-digits:]}")
    if int(last) < int(first):
        assert (reading.numbers, [p.code for p in reading.problems]) == ([], ["range_reversed"])
    else:
        size = int(last) - int(first) + 1
        expected = [] if size > LIMIT else [f"+{int(first) + n}" for n in range(size)]
        assert reading.numbers == expected


@given(ranges(), _JOINTS, st.sampled_from(["reversed", "mixed", "huge", "country"]))
def test_an_impossible_range_gives_its_code_and_no_number(case: tuple[str, int], joint: str, kind: str) -> None:
    first, size = case
    last = f"+{int(first) + size}"
    ends, code = {
        "reversed": ((last, first), "range_reversed"),
        "mixed": ((first, f"{first}0"), "range_mixed_length"),
        "huge": ((FIRST, f"+{int(FIRST) + LIMIT - 1 + size}"), "range_too_large"),
        "country": (("+441300000000", f"+3531{first[-8:].strip('+'):0>8}"), "range_other_country"),
    }[kind]
    if kind == "reversed" and len(last) != len(first):
        return
    reading = read(joint.join(ends))
    assert (reading.numbers, reading.ranges, [problem.code for problem in reading.problems]) == ([], [], [code])


@given(
    st.one_of(st.text(), st.text("+0123456789 -–./()to,;\t\nE²O'\"="), st.binary().map(lambda b: b.decode("latin1")))
)
def test_no_text_breaks_it(text: str) -> None:
    reading = read(text)
    assert all(number[0] == "+" and number[1:].isdigit() and 7 <= len(number) <= 16 for number in reading.numbers)
    assert len(set(reading.numbers)) == len(reading.numbers)
    assert set(reading.duplicates) <= set(reading.numbers)
    assert {problem.code for problem in reading.problems} <= set(SENTENCES)
