"""The words in which an operation judges numbers before anything is touched."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise

from ocadmin.tasks.models import ItemState
from ocadmin.tasks.plans import SAMPLE, Group

WILL = "will"


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


def of_strangers(strangers: Iterable[Stranger]) -> list[Group]:
    """One refused group for each reason, in the order in which they appear."""
    found: dict[str, list[Stranger]] = {}
    for stranger in strangers:
        found.setdefault(stranger.code, []).append(stranger)
    return [
        Group(code, str(group[0].sentence), ItemState.REFUSED, len(group), [one.key for one in group[:SAMPLE]])
        for code, group in found.items()
    ]
