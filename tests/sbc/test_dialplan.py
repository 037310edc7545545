"""Dial plans as values: reading and writing the CSV, equal prefixes, what has to change."""

import csv
import io
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbc.cli import read_plans, scripts
from sbc.dialplan import (
    Difference,
    PlanFile,
    Rule,
    UnreadablePlan,
    bare,
    difference,
    is_right,
    merge,
    parse,
    render,
    same_prefix,
)

HEAD = "DialPlanName,Name,Prefix,Tag\r\n"
PLAN = "OCDialPlan"

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
numbers = st.integers(1, 40).map(lambda last: f"+4420794600{last:02}")
rules = st.builds(Rule, numbers, st.sampled_from(["a", "b"]), st.sampled_from(["t1", "T1", "t2"]))
there = st.builds(lambda rule, end: rule._replace(prefix=rule.prefix + end), rules, st.sampled_from(["", "#"]))
wishes = st.dictionaries(numbers, st.none() | rules).map(
    lambda found: {prefix: rule and rule._replace(prefix=prefix) for prefix, rule in found.items()}
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file as some device or person might write it: any quoting, any line end, rows of several plans."""
    end = draw(st.sampled_from(["\r\n", "\n"]))
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    writer.writerow(["DialPlanName", "Name", "Prefix", "Tag"])
    for rule in draw(st.lists(there, max_size=20)):
        writer.writerow([PLAN, rule.name, rule.prefix, rule.tag])
    writer.writerows(draw(st.lists(st.lists(cells, min_size=1, max_size=5), max_size=5)))
    text = draw(st.sampled_from(["", "\ufeff"])) + out.getvalue()
    return (text if draw(st.booleans()) else text.rstrip("\r\n")).encode()


def foreign(file: PlanFile, wanted: Mapping[str, object]) -> list[bytes]:
    """The text of each row that nobody asked about, cut by another reader than ours."""
    ours = {place for place, rule in file.rules(PLAN).items() if bare(rule.prefix) in wanted}
    rows = [row.rstrip(b"\r\n") for row in records(render(file))[1:]]
    return [row for place, row in enumerate(rows) if place not in ours]


def records(content: bytes) -> list[bytes]:
    """A CSV cut after each line end that is not inside quotes."""
    lines = content.splitlines(keepends=True)
    found: list[bytes] = []
    for line in lines:
        if found and found[-1].count(b'"') % 2:
            found[-1] += line
        else:
            found.append(line)
    return found


@given(files())
def test_a_file_that_was_read_is_written_back_byte_for_byte(content: bytes) -> None:
    try:
        file = parse(content)
    except UnreadablePlan:
        return
    assert render(file) == render(merge(file, PLAN, Difference())) == content


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_refused_or_written_back_as_they_are(content: bytes, headed: bool) -> None:
    content = HEAD.encode() + content if headed else content
    try:
        file = parse(content)
    except UnreadablePlan:
        return
    assert render(merge(file, PLAN, Difference())) == content


@given(files(), wishes, st.booleans())
def test_after_a_merge_nothing_is_left_to_do_and_other_rows_are_as_before(
    content: bytes, wanted: dict[str, Rule | None], with_hash: bool
) -> None:
    try:
        before = parse(content)
    except UnreadablePlan:
        return
    todo = difference(before.rules(PLAN), wanted, with_hash=with_hash)
    after = parse(render(merge(before, PLAN, todo)))
    assert not difference(after.rules(PLAN), wanted, with_hash=with_hash)
    assert foreign(before, wanted) == foreign(after, wanted)
    if not todo:
        assert render(after) == content


@given(st.dictionaries(st.integers(0, 50), there), wishes, st.booleans())
def test_the_difference_is_all_that_is_needed_and_nothing_more(
    present: dict[int, Rule], wanted: dict[str, Rule | None], with_hash: bool
) -> None:
    todo = difference(present, wanted, with_hash=with_hash)
    after = {key: todo.change.get(key, rule) for key, rule in present.items() if key not in todo.remove}
    after |= dict(enumerate(todo.add, 1000))
    assert not difference(after, wanted, with_hash=with_hash)
    for key, rule in present.items():
        goal = wanted.get(bare(rule.prefix), rule)
        assert (key in todo.remove) == (goal is None)
        assert (key in todo.change) == (goal is not None and not is_right(rule, goal))
    there_now = {bare(rule.prefix) for rule in present.values()}
    assert {bare(rule.prefix) for rule in todo.add} == {key for key, goal in wanted.items() if goal} - there_now


@given(st.dictionaries(st.integers(0, 50), there), wishes, st.booleans())
def test_scripts_work_the_difference_in(
    present: dict[int, Rule], wanted: dict[str, Rule | None], with_hash: bool
) -> None:
    """What the scripts say, taken by a device of a few lines, leaves nothing to do."""
    todo = difference(present, wanted, with_hash=with_hash)
    after = dict(present)
    for script in scripts(PLAN, present, todo):
        kept = [line for line in script.splitlines() if not line.startswith("no ")]
        for line in set(script.splitlines()) - set(kept):
            del after[int(line.split()[-1])]
        after |= read_plans("\n".join(kept))[PLAN]
    assert not difference(after, wanted, with_hash=with_hash)


@given(st.dictionaries(st.integers(0, 50), there), wishes, st.booleans())
def test_the_difference_touches_only_what_was_asked_for(
    present: dict[int, Rule], wanted: dict[str, Rule | None], with_hash: bool
) -> None:
    todo = difference(present, wanted, with_hash=with_hash)
    assert {bare(present[key].prefix) for key in [*todo.change, *todo.remove]} <= set(wanted)
    assert all(wanted[bare(present[key].prefix)] is None for key in todo.remove)
    assert all(rule.prefix.endswith("#") is with_hash for rule in todo.add)
    assert all(rule.prefix == present[key].prefix for key, rule in todo.change.items())
    assert len({*todo.added, *todo.changed, *todo.removed}) == len(todo.added + todo.changed + todo.removed)


@given(numbers, numbers)
def test_a_prefix_is_the_same_with_and_without_hash(one: str, other: str) -> None:
    assert same_prefix(one, f"{one}#")
    assert same_prefix(f"{one}#", one)
    assert same_prefix(one, f"{other}#") is (one == other)


def test_a_rule_that_differs_in_the_hash_or_the_case_of_its_tag_is_left() -> None:
    wanted = Rule("+44207", "oc", "Trunk1")
    assert not difference({7: Rule("+44207#", "oc", "trunk1")}, {"+44207": wanted}, with_hash=False)
    assert not difference({7: Rule("+44207", "oc", "trunk1")}, {"+44207": wanted}, with_hash=True)


def test_a_prefix_that_is_there_twice_is_set_right_twice_and_goes_twice() -> None:
    present = {1: Rule("+44207", "oc", "old"), 2: Rule("+44207#", "oc", "new")}
    todo = difference(present, {"+44207": Rule("+44207", "oc", "new")}, with_hash=True)
    assert (todo.change, todo.add, todo.remove) == ({1: Rule("+44207", "oc", "new")}, [], [])
    assert difference(present, {"+44207": None}, with_hash=True).remove == [1, 2]


def test_a_new_row_follows_one_that_did_not_end_its_line() -> None:
    file = parse((HEAD + "Other,x,+1,t").encode())
    todo = difference({}, {"+2": Rule("+2", 'a"b', "t")}, with_hash=True)
    text = render(merge(file, PLAN, todo)).decode()
    assert text == HEAD + 'Other,x,+1,t\r\n"OCDialPlan","a""b","+2#","t"\r\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"<html>busy</html>", "its first line is not"),
        (b"Prefix,Tag\r\n+1,t\r\n", "its first line is not"),
        (HEAD.encode() + b'OCDialPlan,"x,+1,t', "line 2 is not CSV"),
    ],
)
def test_what_is_no_dial_plan_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadablePlan, match=reason):
        parse(content)


def test_rows_that_nobody_understands_are_kept() -> None:
    content = (HEAD + "OCDialPlan,only,three\r\n\r\nOCDialPlan,n,+1,t\r\n").encode() + b"Caf\xe9,n,+2,t\r\n"
    file = parse(content)
    assert list(file.rules(PLAN).items()) == [(2, Rule("+1", "n", "t"))]
    assert file.size == 2
    assert render(file) == content


def test_a_hundred_thousand_rules() -> None:
    content = HEAD + "".join(f'"OCDialPlan","r","+44{number:09}#","t"\r\n' for number in range(100_000))
    file = parse(content.encode())
    wanted: dict[str, Rule | None] = {f"+44{number:09}": None for number in range(0, 100_000, 10)}
    after = merge(file, PLAN, difference(file.rules(PLAN), wanted, with_hash=True))
    assert (after.size, len(render(after).splitlines())) == (90_000, 90_001)
