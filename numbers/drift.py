"""Reads of the drift report: counts in a person's scope, and what it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal
from ocadmin.console import navigation

from .models import DriftFinding, DriftRun, Kind, Severity


@dataclass(frozen=True)
class Tile:
    """How many findings, of what, and the address of the list of exactly those. `kind`: empty for all of a severity."""

    label: str
    count: int
    url: str
    severity: int
    kind: str = ""


@dataclass(frozen=True)
class Source:
    """One SBC's part: when it was read (None: never), and why not this time (empty: it was)."""

    name: str
    read_at: datetime | None
    why: str
    by_hand: bool


def url(**filters: str | int) -> str:
    """The address of the report with these filters."""
    return f"{reverse('numbers:drift')}?{urlencode(filters)}" if filters else reverse("numbers:drift")


def by_kind(principal: Principal, **which: int) -> list[Tile]:
    """The kinds that occur, the most severe first; one query. `which`: further conditions, such as customer=…"""
    rows = DriftFinding.objects.current().visible_to(principal).filter(**which).order_by()
    counted = rows.values_list("kind", "severity").annotate(n=Count("pk"))
    order = {kind.value: place for place, kind in enumerate(Kind)}
    found = sorted(counted.values_list("kind", "severity", "n"), key=lambda row: (-row[1], order[row[0]]))
    return [Tile(str(Kind(kind).label), n, url(**which, kind=kind), severity, kind) for kind, severity, n in found]


def by_severity(tiles: Sequence[Tile]) -> list[Tile]:
    """The same summed up: every severity, also those that do not occur."""
    return [
        Tile(str(one.label), sum(tile.count for tile in tiles if tile.severity == one), url(severity=one.value), one)
        for one in reversed(Severity)
    ]


def critical(principal: Principal) -> int:
    """Critical findings in scope, counted to 100 at most."""
    if not principal.can(Permission.VIEW):
        return 0
    rows = DriftFinding.objects.current().visible_to(principal).filter(severity=Severity.CRITICAL)
    return rows.order_by()[: navigation.MOST + 1].count()


def sources(run: DriftRun) -> list[Source]:
    """The SBCs of a report, those that were not read first."""
    found = [
        Source(one["name"], parse_datetime(one["read_at"]) if one["read_at"] else None, one["why"], one["by_hand"])
        for one in run.sources.values()
    ]
    return sorted(found, key=lambda one: (not one.why, one.name))
