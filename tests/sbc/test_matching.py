"""Which rule a number meets: the manual's examples, its syntax, and a slow second opinion on anything."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.dialplan import Matcher, Rule

DIGITS = "0123456789"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
WILD = {"n": DIGITS[2:], "z": DIGITS[1:], "x": DIGITS, ".": DIGITS + LETTERS}


def met(prefixes: list[str], number: str) -> str | None:
    """The prefix of the rule that the number meets."""
    found = Matcher(enumerate(Rule(prefix, "r", "t") for prefix in prefixes)).best(number)
    return found[1].prefix if found else None


@pytest.mark.parametrize(
    ("number", "prefixes", "winner"),
    [
        ("5234", ["523x", "5234"], "5234"),
        ("5234", ["523x", "523[1-9]"], "523[1-9]"),
        ("53211111", ["532[1-9]1111", "5321"], "5321"),
        ("53124", ["53([2-4])", "531(4)"], "531(4)"),
        ("321444", ["321xxx", "321"], "321xxx"),
        ("32144", ["321xxx", "321"], "321"),
        ("5324", ["532[1-9]", "532[2-4]"], "532[2-4]"),
        ("53124", ["53([2-4])", "53([01-99])", "53([001-999])"], "53([001-999])"),
        ("53124", ["53([2-4])", "53(4)"], "53(4)"),
    ],
)
def test_the_examples_of_the_manual(number: str, prefixes: list[str], winner: str) -> None:
    assert met(prefixes, number) == met(prefixes[::-1], number) == winner


@pytest.mark.parametrize(
    ("prefix", "yes", "no"),
    [
        ("+4420", ["+4420", "+442079"], ["+442", "4420", ""]),
        ("+4420#", ["+4420"], ["+44207"]),
        ("54324xx#", ["5432400", "5432499"], ["543240", "54324000", "54324a0"]),
        ("z", ["1", "9"], ["0"]),
        ("n", ["2", "9"], ["1", "0"]),
        ("X", ["X", "Xy"], ["x", "5"]),
        (".5", ["a5", "Z5", "05"], ["+5", "5"]),
        ("*", ["1", "anything", "+44"], []),
        ("*21", ["*21*"], ["121"]),
        (r"\*", ["*", "*1"], ["1"]),
        (r"1\x", ["1x"], ["15"]),
        ("3#45", ["3#45", "3#456"], ["345"]),
        ("[5551200-5551300]#", ["5551200", "5551299", "5551300"], ["5551199", "5551301", "55512000"]),
        ("[123-130,455,766,780-790]", ["1239", "130", "455", "7901"], ["122", "131", "791", "456"]),
        ("[098-102]", ["098", "099", "100", "102"], ["097", "103", "98"]),
        ("[2,3,4]xxx#", ["2000", "4999"], ["5000", "200"]),
        ("134[#]", ["134#", "134#9"], ["134"]),
        ("03(100)", ["03100", "037100"], ["0310", "03", "031001", "100"]),
        ("[100-199](100,101,105)", ["100100", "1999105"], ["100", "199102"]),
        ("03(5xx)", ["03512"], ["0351", "03612"]),
        ("03(abc)", ["030abc"], ["03ab"]),
        ("(4-8)", ["4", "17"], ["9"]),
        ("03([01-99])", ["0301", "03099"], ["0300", "031"]),
    ],
)
def test_what_a_prefix_matches(prefix: str, yes: list[str], no: list[str]) -> None:
    assert [number for number in [*yes, *no] if met([prefix], number)] == yes


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("53[2-4", "not closed"),
        ("53(4", "not closed"),
        ("53]", "not opened"),
        ("53)", "not opened"),
        ("53(4)#", "after its suffix"),
        ("53(4)5", "after its suffix"),
        ("53()", "suffix is empty"),
        ("53[]", "a number is missing"),
        ("53[1,]", "a number is missing"),
        ("53[1-10]", "not equally many digits"),
        ("53[1,10]", "not equally many digits"),
        ("53[4-2]", "ends before it begins"),
        ("53[a-c]", "not from a number to a number"),
        ("53\\", "last backslash"),
        ("", "nothing in it"),
        ("#", "nothing in it"),
        ("5" * 51, "longer than 50"),
    ],
)
def test_what_is_no_pattern_never_matches_and_is_told(prefix: str, why: str) -> None:
    matcher = Matcher([(7, Rule(prefix, "r", "t")), (8, Rule("5", "r", "t"))])
    ((key, rule, reason),) = matcher.malformed
    assert (key, rule.prefix) == (7, prefix)
    assert why in reason
    for number in ("53", prefix, "5" * 60):
        assert [one for one, _rule in matcher.all(number)] in ([8], [])


def test_of_the_same_prefix_the_first_counts_and_none_is_hidden() -> None:
    rules = [(9, Rule("+44", "a", "one")), (3, Rule("+44", "b", "two")), (1, Rule("[2-4]", "c", "x"))]
    matcher = Matcher([*rules, (0, Rule("[3-5]", "d", "y"))])
    assert matcher.best("+4420") == rules[0]
    assert [key for key, _rule in matcher.all("+4420")] == [9, 3]
    assert [key for key, _rule in matcher.all("35")] == [1, 0]
    assert matcher.best("35") == rules[2]
    assert matcher.best("6") is None
    assert matcher.best("") is None


# The second opinion: every rule is tried, sign by sign, and all that match are compared place by place. A rule is
# written down as its parts, so that reading prefixes is not tested by itself.

Part = tuple[str, list[str], tuple[int, ...]]  # as written, the texts that it may be, how specific


def choice(members: list[str]) -> Part:
    columns = zip(*members, strict=True)
    return f"[{','.join(members)}]", members, tuple(len(set(column)) for column in columns)


def span(low: int, high: int, width: int) -> Part:
    members = [f"{number:0{width}}" for number in range(low, high + 1)]
    return f"[{low:0{width}}-{high:0{width}}]", members, choice(members)[2]


signs = st.sampled_from("+12aX*").map(lambda sign: (sign, [sign], (1,)))
escaped = st.sampled_from("xzn.*").map(lambda sign: ("\\" + sign, [sign], (1,)))
wild = st.sampled_from("xzn.").map(lambda sign: (sign, list(WILD[sign]), (len(WILD[sign]),)))
choices = st.integers(1, 2).flatmap(
    lambda width: st.lists(st.text("012", min_size=width, max_size=width), min_size=1, max_size=3).map(choice)
)
spans = st.tuples(st.integers(0, 130), st.integers(0, 130)).map(lambda ends: span(min(ends), max(ends), 3))
one_part = st.one_of(signs, signs, escaped, wild, choices, spans)
parts = st.lists(one_part, max_size=4)


def order(body: list[Part], tail: str, suffix: list[Part]) -> tuple[tuple[int, ...], ...]:
    """Place by place, smaller is more specific."""
    kinds = {"[": 2, "x": 3, "z": 3, "n": 3, ".": 5}
    places: list[tuple[int, ...]] = [
        (kinds.get(text[0], 1) if len(members) > 1 or text[0] == "[" else 1, width)
        for text, members, widths in body
        for width in widths
    ]
    if suffix:
        flat = [(kinds.get(text[0], 1), width) for text, _members, widths in suffix for width in widths]
        return (*places, (4, -len(flat), *(number for one in flat for number in one)))
    return (*places, (0,) if tail == "#" else (6,))


def texts(body: list[Part], number: str) -> Iterator[str]:
    """What is left of the number after the parts, for each way."""
    if not body:
        yield number
        return
    for member in {*body[0][1]}:
        if number.startswith(member):
            yield from texts(body[1:], number[len(member) :])


def matches(body: list[Part], tail: str, suffix: list[Part], number: str) -> bool:
    if suffix:
        return any("" in texts(suffix, rest[at:]) for rest in texts(body, number) for at in range(len(rest) + 1))
    return any(rest == "" or tail == "" for rest in texts(body, number))


def as_written(body: list[Part], tail: str, suffix: list[Part]) -> str:
    text = "".join(part[0] for part in body)
    return f"{text}({''.join(part[0] for part in suffix)})" if suffix else text + tail


rules = st.tuples(parts, st.sampled_from(["", "#"]), st.one_of(st.just([]), st.just([]), parts)).filter(
    lambda rule: (
        bool(rule[0] or rule[2])
        and as_written(*rule) != "*"
        and len(as_written(*rule)) <= 50
        and not any("*" in part[0] or "+" in part[0] for part in rule[2])
    )
)
numbers = st.text("+0123aXxn*", max_size=7)


@given(st.lists(rules, max_size=12), st.lists(numbers, min_size=1, max_size=5))
def test_a_slow_second_opinion(plan: list[tuple[list[Part], str, list[Part]]], dialled: list[str]) -> None:
    written = [Rule(as_written(*rule), "r", "t") for rule in plan]
    matcher = Matcher(enumerate(written))
    assert matcher.malformed == []
    for number in [*dialled, *likely(plan)]:
        expected = sorted(
            (key for key, rule in enumerate(plan) if matches(*rule, number)), key=lambda key: (order(*plan[key]), key)
        )
        assert [key for key, _rule in matcher.all(number)] == expected
        best = matcher.best(number)
        assert (best[0] if best else None) == (expected[0] if expected else None)


def likely(plan: list[tuple[list[Part], str, list[Part]]]) -> list[str]:
    """Numbers that some rule was made for."""
    return [
        "".join(part[1][-1] for part in itertools.chain(body, suffix)) + more
        for body, _tail, suffix in plan
        for more in ("", "7")
    ]
