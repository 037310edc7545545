"""A dial plan of a million rules: read and compared with a million wanted numbers, and asked where a number goes.

What is measured is what a push does with a device's file (`sbc.strategies`), and what the mirror of a plan reads.
"""

import csv
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sbc.dialplan import Difference, Matcher, Rule, difference, parse

from .measure import Amount, Figure, alternating

RULES = 1_000_000
PATTERNS = 400
LOOKUPS = 100_000
PLAN, NAME, TAGS = "OCDialPlan", "Harbourline", ("trunk1.us.example", "trunk2.us.example", "trunk3.us.example")


def figures() -> Iterator[Figure | Amount]:
    """The figures, one after the other."""
    yield comparing()
    yield Amount(f"the same, peak memory of a process with {RULES:,} wanted", peak_of_a_process(), "MB", 500)
    yield looking_up()


def number(place: int) -> str:
    """Numbers of some countries, not in a row."""
    return f"+{44 + place % 5}{place * 7919 % 10_000_000_000:010}"


def a_file() -> bytes:
    """As a device writes it. Of every thousand rules one is foreign, one has another tag, one is not wanted."""
    out = io.StringIO()
    out.write("DialPlanName,Name,Prefix,Tag\r\n")
    for place in range(RULES):
        prefix = f"{place:06}x" if place % 1000 == 0 else number(place)
        tag = "old" if place % 1000 == 1 else TAGS[place % 3]
        out.write(f'"{PLAN}","{NAME}","{prefix}#","{tag}"\r\n')
    return out.getvalue().encode()


def wishes() -> dict[str, Rule | None]:
    """A million of them."""
    found: dict[str, Rule | None] = {}
    for place in range(RULES):
        prefix = number(place)
        found[prefix] = Rule(prefix, NAME, TAGS[place % 3]) if place % 1000 != 2 else None
    return found


def compare(content: bytes, wanted: dict[str, Rule | None]) -> Difference:
    """What the file lacks."""
    return difference(parse(content).rules(PLAN), wanted, with_hash=True)


def comparing() -> Figure:
    """Against the csv module, which only splits the file, and one difference of two sets of numbers."""
    content, wanted = a_file(), wishes()
    want = {prefix for prefix, rule in wanted.items() if rule}
    there = {f"{rule.prefix.removesuffix('#')}" for _place, rule in parse(content).rules(PLAN).items()}

    def ours() -> None:
        found = compare(content, wanted)
        each = RULES // 1000
        assert (len(found.add), len(found.change), len(found.remove)) == (each, each, each)

    def floor() -> None:
        rows = csv.reader(io.TextIOWrapper(io.BytesIO(content), newline=""))
        assert sum(1 for _row in rows) == RULES + 1
        assert len(want - there) == RULES // 1000

    name = f"{RULES:,} rules read and compared / csv.reader and a set difference"
    return Figure(name, *alternating(ours, floor), 3)


def peak_of_a_process() -> float:
    """Megabytes that a process of its own holds at most, with file and wishes."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.dial_plans"], env=os.environ, check=True, capture_output=True, text=True
    )
    return float(answer.stdout.split()[-1])


def looking_up() -> Figure:
    """Numbers that have a rule, longer ones, ones that meet a pattern and ones that meet none; after loading."""
    chance = random.Random(1)
    rules = [Rule(number(place) + ("#" if place % 2 else ""), NAME, TAGS[place % 3]) for place in range(RULES)]
    starts = [f"+{3000 + place}" for place in range(PATTERNS)]
    shapes = ("xxx", "[2-7]xxxx", "[100-349]x#", "z.", "(5)")
    rules += [Rule(start + shapes[place % len(shapes)], "by hand", "old") for place, start in enumerate(starts)]
    matcher = Matcher(enumerate(rules))
    dialled = [
        (number(chance.randrange(RULES)), number(chance.randrange(RULES)) + "1", f"{chance.choice(starts)}345125")[
            chance.randrange(3)
        ]
        for _place in range(LOOKUPS)
    ]
    table = {rule.prefix.removesuffix("#"): rule for rule in rules}

    def ours() -> None:
        best = matcher.best
        for one in dialled:
            best(one)

    def floor() -> None:
        get = table.get
        for one in dialled:
            get(one)

    name = f"the best match among {RULES:,} rules, {PATTERNS} of them patterns / a dict"
    return Figure(name, *alternating(ours, floor), 50)


def child() -> float:
    """What `peak_of_a_process` asks for."""
    content, wanted = a_file(), wishes()
    assert compare(content, wanted)
    # Not getrusage: there a process begins with what its parent held.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1_000_000


if __name__ == "__main__":
    sys.stdout.write(f"{child()}\n")
