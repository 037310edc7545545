"""Pasted lists: keeping one, and finding its numbers again."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from ocadmin.access.models import User

from .models import PastedList, PhoneNumber
from .pasting import Problem, Reading

KEPT_FOR = timedelta(days=7)


# The list stays in the database: ten thousand parameters in each query of a page took seconds.
_ELEMENTS = {
    "postgresql": "SELECT jsonb_array_elements_text(numbers) FROM numbers_pastedlist WHERE id = %s",
    "sqlite": "SELECT json_each.value FROM numbers_pastedlist, json_each(numbers) WHERE numbers_pastedlist.id = %s",
}


@dataclass(frozen=True)
class Unread:
    """Pieces of the text that one thing is wrong with: its code, the sentence that says it, the pieces."""

    code: str
    sentence: str
    texts: list[str]


@dataclass(frozen=True)
class Pasted:
    """A pasted list and what became of it. A number outside the person's scope is simply not found."""

    id: uuid.UUID
    count: int
    found: int
    missing: list[str]
    ranges: list[tuple[str, str]]
    duplicates: list[str]
    problems: list[Problem]

    @property
    def unread(self) -> list[Unread]:
        """The problems by what is wrong, in the order of the text."""
        groups: dict[str, Unread] = {}
        for problem in self.problems:
            group = groups.setdefault(problem.code, Unread(problem.code, problem.sentence, []))
            group.texts.append(problem.text)
        return list(groups.values())


def keep(reading: Reading, owner: User) -> uuid.UUID:
    """Store a list for this person for a week; their lists that are older go."""
    PastedList.objects.filter(user=owner, created_at__lt=timezone.now() - KEPT_FOR).delete()
    kept = PastedList.objects.create(
        user=owner,
        numbers=reading.numbers,
        ranges=reading.ranges,
        duplicates=reading.duplicates,
        unreadable=[(problem.text, problem.code) for problem in reading.problems],
    )
    return kept.pk


def find(key: str, owner: User, visible: QuerySet[PhoneNumber]) -> Pasted | None:
    """The person's own list, its numbers looked up among `visible`; None for a foreign, expired or malformed key."""
    kept = _kept(key, owner)
    if kept is None:
        return None
    found = set(among(visible, kept.pk).order_by().values_list("e164", flat=True))
    return Pasted(
        id=kept.pk,
        count=len(kept.numbers),
        found=len(found),
        missing=[number for number in kept.numbers if number not in found],
        ranges=[(first, last) for first, last in kept.ranges],
        duplicates=kept.duplicates,
        problems=[Problem(text, code) for text, code in kept.unreadable],
    )


def reading_of(key: str, owner: User) -> Reading | None:
    """The person's own list as it was read; None for a foreign, expired or malformed key."""
    kept = _kept(key, owner)
    if kept is None:
        return None
    return Reading(
        numbers=kept.numbers,
        ranges=[(first, last) for first, last in kept.ranges],
        duplicates=kept.duplicates,
        problems=[Problem(text, code) for text, code in kept.unreadable],
    )


def _kept(key: str, owner: User) -> PastedList | None:
    try:
        wanted = uuid.UUID(key)
    except ValueError:
        return None
    return PastedList.objects.filter(pk=wanted, user=owner, created_at__gte=timezone.now() - KEPT_FOR).first()


def among(rows: QuerySet[PhoneNumber], key: uuid.UUID) -> QuerySet[PhoneNumber]:
    """Those of `rows` whose number stands in the kept list. Whose list it is has been checked before (`find`)."""
    plain = PastedList._meta.pk.get_db_prep_value(key, connection)
    return rows.filter(e164__in=RawSQL(_ELEMENTS[connection.vendor], [plain]))  # noqa: S611  constant text
