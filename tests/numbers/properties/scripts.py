"""Random scripts: what people, workers, customers, devices and the clock do, one thing after the other.

A script is a list of steps with their choices. A choice says which of what there is, counted round: a script stays one
when steps are left out, so that a script that fails can be shortened.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from ocadmin.numbers.operations import ON_NUMBERS
from tests.numbers.properties.stage import NUMBERS, SLUGS

Step = tuple[str, dict[str, Any]]
Script = list[Step]

STARTS = ("absent", "absent", "managed", "assigned", "external", "unknown", "gone", "asked for")


def script(seed: int, length: int) -> Script:
    """The same script for the same seed."""
    random = Random(seed)
    names = random.choices(list(_CHOICES), weights=[weight for weight, _draw in _CHOICES.values()], k=length)
    starts = [(random.choice(STARTS), random.randrange(2)) for _ in NUMBERS]
    return [("begin", {"starts": starts}), *((name, _CHOICES[name][1](random)) for name in names)]


def shortest(script: Script, fails: Callable[[Script], bool]) -> Script:
    """Leave out what is not needed for the failure: halves, quarters … single steps, over and over."""
    size = len(script) // 2
    while size:
        at, smaller = 1, False
        while at < len(script):
            shorter = script[:at] + script[at + size :]
            if fails(shorter):
                script, smaller = shorter, True
            else:
                at += size
        size = size if smaller and size == 1 else size // 2
    return script


def _which(random: Random) -> list[str]:
    """All numbers, as somebody chooses who takes all that match; else some."""
    if random.random() < 0.4:
        return list(NUMBERS)
    return sorted(random.sample(NUMBERS, random.randint(1, 3)))


def _nth(random: Random) -> dict[str, Any]:
    return {"nth": random.randrange(12)}


# Step to how often it is taken, and its choices.
_CHOICES: dict[str, tuple[int, Callable[[Random], dict[str, Any]]]] = {
    "operate": (
        16,
        lambda random: {
            "kind": random.choice([*ON_NUMBERS, "release", "approve-removal"]),
            "which": _which(random),
            "way": random.randrange(4),
        },
    ),
    "upload": (
        7,
        lambda random: {
            "which": _which(random),
            "place": random.randrange(2),
            "channel": random.choice(("web", "api")),
        },
    ),
    "synchronise": (
        8,
        lambda random: {
            "what": random.choice(("all", "all", "first", "second", "number")),
            "e164": random.choice(NUMBERS),
        },
    ),
    "clean_up": (1, lambda random: {}),
    "cancel": (2, _nth),
    "answer": (3, lambda random: {"choice": random.choice(("mark", "mark", "keep"))}),
    "retry": (3, _nth),
    "work": (18, lambda random: _nth(random) | {"slices": random.choice((1, 1, 2, 3, 5, 8))}),
    "everybody_works": (12, lambda random: {"most": random.choice((5, 10, 20))}),
    "time_passes": (8, lambda random: {"seconds": random.choice((1, 3, 6, 12, 60, 700, 90_000))}),
    "elsewhere": (
        12,
        lambda random: {
            "e164": random.choice(NUMBERS),
            "what": random.choice(("assign", "unassign", "release", "vanish", "lose", "appear")),
            "place": random.randrange(2),
        },
    ),
    "device": (
        4,
        lambda random: {
            "slug": random.choice(sorted(SLUGS)),
            "what": random.choice(("offline", "online", "online", "restart")),
        },
    ),
    "refuses": (2, lambda random: {"e164": random.choice(NUMBERS), "code": random.choice(("InternalError", None))}),
    "hangs_up": (
        3,
        lambda random: {
            "drop": random.choice(("before", "after_commit")),
            "path": random.choice(("/uploads", "/releases", "/unassignNumber", "/cliScript", "/saveConfiguration")),
        },
    ),
}
