"""What an operation would do, judged before anything is touched."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise

from ocadmin.tasks.models import ItemState

WILL = "will"
SAMPLE = 5


@dataclass(frozen=True)
class Verdict:
    """Why numbers are left alone: refused, or unchanged because they are already as they should be.

    `remedy` is the kind of another operation that would do instead, empty where there is none.
    """

    code: str
    sentence: str | Promise
    condition: Q
    state: ItemState = ItemState.REFUSED
    remedy: str = ""


@dataclass(frozen=True)
class Caution:
    """What to know before numbers change that would change: shown with their count, refused nothing."""

    code: str
    sentence: str | Promise
    condition: Q


@dataclass(frozen=True)
class Stranger:
    """Something that was named and that is no number of ours: malformed, unknown. `key` is the text as it was given."""

    key: str
    code: str
    sentence: str | Promise


@dataclass(frozen=True)
class Group:
    """The numbers of a plan that share a verdict; `sample` are the first few, `remedy` as in Verdict."""

    code: str
    sentence: str
    state: str
    count: int
    sample: list[str]
    remedy: str = ""


@dataclass(frozen=True)
class Plan:
    """How many numbers will change, the groups of those that will not, and what to know about those that will."""

    will: int
    sample: list[str]
    left_alone: list[Group]
    cautions: list[Group] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All that was selected or named."""
        return self.will + sum(group.count for group in self.left_alone)

    def as_dict(self) -> dict[str, Any]:
        """The plan for programs."""
        return {
            "total": self.total,
            "will": {"count": self.will, "sample": self.sample},
            "leftAlone": [_group(group) for group in self.left_alone],
            "cautions": [_group(group) for group in self.cautions],
        }


def of_strangers(strangers: Iterable[Stranger]) -> list[Group]:
    """One refused group for each reason, in the order in which they appear."""
    found: dict[str, list[Stranger]] = {}
    for stranger in strangers:
        found.setdefault(stranger.code, []).append(stranger)
    return [
        Group(code, str(group[0].sentence), ItemState.REFUSED, len(group), [one.key for one in group[:SAMPLE]])
        for code, group in found.items()
    ]


def _group(group: Group) -> dict[str, Any]:
    return {
        "code": group.code,
        "message": group.sentence,
        "outcome": str(group.state),
        "count": group.count,
        "sample": group.sample,
    } | ({"remedy": group.remedy} if group.remedy else {})
