"""Dial plan rules in the words of the device's command line: what `show` prints, and scripts that change rules.

The grammar is that of upstreams.md §9.6, put together from published pages; it was never tried on a real device.
Pure functions: nothing here talks to anybody.
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from itertools import count

from django.utils.translation import gettext as _

from .dialplan import Difference, Rule, Rules, UnreadablePlan

SHOW = "show running-config voip sbc dial-plan\n"
# A script this long is read by a device within a request's time limit; the next one follows.
RULES_PER_SCRIPT = 1000

_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
# Nearly every line of a large plan is a whole rule like this one.
_VALUE = r'(?:"([^"]*)"|([^\s"]+))'
_RULE = re.compile(rf"\s*dial-plan-rule ([0-9]+) name {_VALUE} prefix {_VALUE} tag {_VALUE}\s*")


@lru_cache(maxsize=1)  # a plan is read again right before it is written, and is then the same as a rule
def read_plans(output: str) -> Mapping[str, Mapping[int, Rule]]:
    """The rules of every dial plan by their index, from the output of SHOW.

    A rule stands on one line, or its values stand on lines of their own up to `exit`. Raises UnreadablePlan for a
    line that is not understood and for output that ends early: half a plan would be taken for all of it.
    """
    reader = _Reader()
    number = 0
    for number, line in enumerate(output.splitlines(), 1):
        if reader.level == INSIDE_PLAN and (rule := _RULE.fullmatch(line)):
            index, name, bare_name, prefix, bare_prefix, tag, bare_tag = rule.groups("")
            reader.plan[int(index)] = Rule(prefix or bare_prefix, name or bare_name, tag or bare_tag)
        elif not reader.line([quoted or plain for quoted, plain in _WORD.findall(line)]):
            raise UnreadablePlan(_("line %d of the list of rules is not understood") % number)
    if number == 0 or reader.level:
        raise UnreadablePlan(_("the list of rules ends in the middle"))
    return reader.plans


INSIDE_PLAN = 2


class _Reader:
    """Where the output stands: level 1 inside `configure voip`, 2 inside a plan, 3 inside a rule."""

    def __init__(self) -> None:
        self.plans: dict[str, dict[int, Rule]] = {}
        self.plan: dict[int, Rule] = {}
        self.index = 0
        self.level = 0

    def line(self, words: list[str]) -> bool:
        """Take in one line; False where it makes no sense here."""
        match words:
            case ["dial-plan-rule", index, *pairs] if self.level == 2 and index.isdecimal():
                self.index = int(index)
                self.plan[self.index] = Rule("", "", "")
                self.level = 2 if pairs else 3
                return self._set(pairs)
            case ["name" | "prefix" | "tag", _value] if self.level == 3:
                return self._set(words)
            case ["sbc", "dial-plan", name] if self.level == 1:
                self.plan = self.plans.setdefault(name, {})
                self.level = 2
            case ["configure", "voip"] if self.level == 0:
                self.level = 1
            case ["exit"] if self.level:
                self.level -= 1
            case _:
                return not words or words == ["activate"]
        return True

    def _set(self, pairs: list[str]) -> bool:
        values = dict(zip(pairs[::2], pairs[1::2], strict=False))
        if len(pairs) % 2 or not values.keys() <= {"name", "prefix", "tag"}:
            return False
        self.plan[self.index] = self.plan[self.index]._replace(**values)
        return True


def scripts(plan: str, present: Rules, change: Difference) -> Iterator[str]:
    """The scripts that work the difference in, in the order in which they have to run.

    Removals come first, because a full table has room only after them; new rules take the lowest free indices.
    """
    free = _free_indices({index for index, _rule in present.items()} - set(change.remove))
    blocks = [
        *(f"no dial-plan-rule {index}\n" for index in change.remove),
        *(_block(index, rule) for index, rule in change.change.items()),
        *(_block(next(free), rule) for rule in change.add),
    ]
    for begin in range(0, len(blocks), RULES_PER_SCRIPT):
        inside = "".join(blocks[begin : begin + RULES_PER_SCRIPT])
        yield f"configure voip\nsbc dial-plan {_quoted(plan)}\n{inside}exit\nexit\n"


def _free_indices(taken: Set[int]) -> Iterator[int]:
    return (index for index in count() if index not in taken)


def _block(index: int, rule: Rule) -> str:
    values = "".join(f"{column} {_quoted(value)}\n" for column, value in zip(rule._fields, rule, strict=True))
    return f"dial-plan-rule {index}\n{values}activate\nexit\n"


def _quoted(value: str) -> str:
    """One word of a script. A quotation mark or a line end would begin another command."""
    if '"' in value or not value.isprintable():
        raise ValueError("this text cannot stand in a script")
    return f'"{value}"'
