"""What a piece of work would do, told before it is begun."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

SAMPLE = 5


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


def sample_of(names: QuerySet[Any, Any]) -> list[str]:
    """The first few of `names`: one text for each row, in the order in which they are to be shown."""
    return list(names[:SAMPLE])


def group_of(code: str, sentence: str, state: str, names: QuerySet[Any, Any]) -> Group:
    """The group of all of `names`, as in `sample_of`. Two queries."""
    return Group(code, sentence, state, names.count(), sample_of(names))


def _group(group: Group) -> dict[str, Any]:
    return {
        "code": group.code,
        "message": group.sentence,
        "outcome": str(group.state),
        "count": group.count,
        "sample": group.sample,
    } | ({"remedy": group.remedy} if group.remedy else {})
