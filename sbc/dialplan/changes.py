"""What has to change in a dial plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .rules import END, Rule, Rules, is_right, written

_NOT_ASKED = Rule("", "", "")


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be written. The keys of `change` and `remove` are those of the present rules.

    `added`, `changed` and `removed` hold each prefix that was asked about, and of which something has to change, once.
    """

    add: list[Rule] = field(default_factory=list)
    change: dict[int, Rule] = field(default_factory=dict)
    remove: list[int] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


def difference(present: Rules, wanted: Mapping[str, Rule | None], *, with_hash: bool) -> Difference:
    """What has to change so that the device does what is wanted for these prefixes, and these only.

    `present` are the rules of the plan, looked at once; `wanted` maps a prefix without # to its rule, None: not wanted.
    A rule that stands there keeps its form with or without #. Where a prefix stands there twice, with and without #,
    all of them are set right, none is removed: the one with # carries the calls of exactly this number, but nobody
    knows who needs the other one for longer ones.
    """
    found = Difference()
    left = dict(wanted)
    changed: dict[str, None] = {}
    removed: dict[str, None] = {}
    take = left.pop
    for key, rule in present.items():
        prefix = rule[0]
        if prefix[-1:] == END:
            prefix = prefix[:-1]
        goal = take(prefix, _NOT_ASKED)
        if goal is _NOT_ASKED:
            goal = wanted.get(prefix, _NOT_ASKED)  # it may stand there for the second time
            if goal is _NOT_ASKED:
                continue
        if goal is None:
            found.remove.append(key)
            removed[prefix] = None
        elif rule[1:] != goal[1:] and not is_right(rule, goal):
            found.change[key] = goal._replace(prefix=rule.prefix)
            changed[prefix] = None
    found.changed.extend(changed)
    found.removed.extend(removed)
    for prefix, goal in left.items():
        if goal is not None:
            found.add.append(goal._replace(prefix=written(prefix, with_hash)))
            found.added.append(prefix)
    return found
