"""One rule, and when two are the same."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

END = "#"  # end of number: the rule matches this number only, not longer ones


class Rule(NamedTuple):
    """One rule. `prefix` is E.164 without # where it is wanted, and as the device writes it where it is present."""

    prefix: str
    name: str
    tag: str


class Rules(Protocol):
    """The rules of one dial plan by the key under which they are written: a dict, or what is read one by one."""

    def items(self) -> Iterable[tuple[int, Rule]]:
        """Key and rule, in the order of the plan."""


def bare(prefix: str) -> str:
    """The prefix without its trailing #."""
    return prefix.removesuffix(END)


def same_prefix(one: str, other: str) -> bool:
    """Whether two prefixes are the same but for a trailing #."""
    return bare(one) == bare(other)


def written(prefix: str, with_hash: bool) -> str:
    """The form in which a prefix is written to a device, by the SBC's setting."""
    return bare(prefix) + END if with_hash else bare(prefix)


def are_right(there: Sequence[Rule], wanted: Rule) -> bool:
    """Whether a prefix is there, and every rule of it, with and without #, does what is wanted."""
    return bool(there) and all(is_right(rule, wanted) for rule in there)


def is_right(there: Rule, wanted: Rule) -> bool:
    """Whether a present rule does what is wanted. A device does not tell tags apart by case (live-platform.md §6.3)."""
    return there.name == wanted.name and (there.tag == wanted.tag or there.tag.casefold() == wanted.tag.casefold())
