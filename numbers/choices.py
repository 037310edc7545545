"""What the number filters offer and what their words stand for, fetched in one query."""

import uuid
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

from django.core.cache import cache
from django.db.models import CharField, IntegerField, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast

from ocadmin.access.principal import Principal
from ocadmin.console.filters import OPTION_LIMIT

from .assignment import Assignment
from .models import CallingProfile, Customer, PhoneNumber

WORDS_SECONDS = 60
MATCH_LIMIT = 2_000  # beyond so many matches the database compares names itself


K = TypeVar("K", int, uuid.UUID)


@dataclass
class Matches(Generic[K]):
    """The customers or profiles that a word stands for: their ids and one name. `too_many`: only the first are here."""

    ids: list[K] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def too_many(self) -> bool:
        """Whether there are more than are listed."""
        return len(self.ids) > MATCH_LIMIT


@dataclass
class Choices:
    """The first customers and profiles by name, assignment words that we do not know, and what words stand for."""

    customers: list[tuple[str, str]] = field(default_factory=list)
    profiles: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    customer: Matches[int] = field(default_factory=Matches)
    profile: Matches[uuid.UUID] = field(default_factory=Matches)
    search: Matches[int] = field(default_factory=Matches)


def load(
    principal: Principal, *, customer: str = "", profile: str = "", search: str = "", words: bool = True
) -> Choices:
    """One UNION for everything that the filter form needs to know.

    Assignment words are looked for (`words`) once a minute: they read the most and change the least.
    """
    customers = Customer.objects.visible_to(principal)
    profiles = CallingProfile.objects.visible_to(principal)
    parts = [
        _customers("customers", _first(customers, OPTION_LIMIT + 1)),
        _profiles("profiles", _first(profiles, OPTION_LIMIT + 1)),
    ]
    if customer:
        parts.append(_customers("customer", _first(customers.filter(named(customer, "tenant_id")), MATCH_LIMIT + 1)))
    if profile:
        parts.append(_profiles("profile", _first(profiles.filter(named(profile, "pk", "name")), MATCH_LIMIT + 1)))
    if search:
        found = customers.filter(full_name__icontains=search)
        parts.append(_customers("search", _first(found, MATCH_LIMIT + 1)))
    key = f"assignment-words:{hash(principal.scope())}"
    known = cache.get(key) if words else []
    if known is None:
        parts.append(_words(principal))
    choices = Choices(words=known or [])
    for kind, number, guid, name in parts[0].union(*parts[1:], all=True):
        _add(choices, kind, number, guid, name)
    choices.customers.sort(key=lambda pair: pair[1].casefold())
    choices.profiles.sort(key=lambda pair: pair[1].casefold())
    if known is None:
        choices.words.sort()
        cache.set(key, choices.words, WORDS_SECONDS)
    return choices


def named(text: str, guid: str, name: str = "full_name") -> Q:
    """Rows with this row id or GUID; otherwise rows whose name contains the text."""
    if text.isascii() and text.isdigit() and len(text) < 10 and guid != "pk":
        return Q(pk=int(text)) | Q(**{f"{name}__iexact": text})
    try:
        return Q(**{guid: uuid.UUID(text)})
    except ValueError:
        return Q(**{f"{name}__icontains": text})


def _first(rows: QuerySet, limit: int) -> QuerySet:
    """The first rows by name. A subquery, because a part of a UNION may not have an order or an end on SQLite."""
    ordered = rows.order_by(rows.model._meta.ordering[0], "pk").values("pk")[:limit]
    return rows.model._default_manager.filter(pk__in=ordered).order_by()


def _customers(kind: str, rows: QuerySet) -> QuerySet:
    number = Cast("pk", IntegerField())
    return rows.annotate(kind=_text(kind), number=number).values_list("kind", "number", "tenant_id", "full_name")


def _profiles(kind: str, rows: QuerySet) -> QuerySet:
    number = Cast(Value(None), IntegerField())
    return rows.annotate(kind=_text(kind), number=number).values_list("kind", "number", "id", "name")


def unknown_words() -> Q:
    """Rows whose assignment is a word that we do not know: what lies between the known ones, which an index answers."""
    known = sorted(Assignment.values)
    unknown = Q(assignment_status__lt=known[0]) | Q(assignment_status__gt=known[-1])
    for low, high in pairwise(known):
        unknown |= Q(assignment_status__gt=low, assignment_status__lt=high)
    return unknown


def _words(principal: Principal) -> QuerySet:
    """Assignment words present that we do not know."""
    return (
        PhoneNumber.objects.visible_to(principal)
        .filter(unknown_words())
        .order_by()
        .annotate(
            kind=_text("words"),
            number=Cast(Value(None), IntegerField()),
            guid=Cast(Value(None), UUIDField()),
        )
        .values_list("kind", "number", "guid", "assignment_status")
        .distinct()
    )


def _text(text: str) -> Value:
    return Value(text, output_field=CharField())


def _add(choices: Choices, kind: str, number: int | None, guid: uuid.UUID | None, name: str) -> None:
    match kind:
        case "customers":
            choices.customers.append((str(number), name))
        case "profiles":
            choices.profiles.append((str(guid), name))
        case "words":
            choices.words.append(name)
        case "customer" | "search" if number is not None:
            customers = choices.customer if kind == "customer" else choices.search
            customers.ids.append(number)
            customers.names.append(name)
        case "profile" if guid is not None:
            choices.profile.ids.append(guid)
            choices.profile.names.append(name)
