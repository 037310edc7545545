"""From numbers to cases: what database, Microsoft, SBCs and tasks know of each, by a handful of reads."""

import datetime
import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from ocadmin.tasks.models import ITEM_ALIVE, ItemState, TaskItem
from sbc.dialplan import END, Rule
from sbc.models import PlanReading, SeenRule

from ... import routing
from ...models import MicrosoftNumber, PhoneNumber, ReleasedNumber
from .suspects import Expected, expected_of
from .table import Case, Ours, Rested, Seen, Theirs, Wanted

CHUNK = 1000
LONGEST = 16  # signs of a number

# Kinds whose outcomes say what was found, or only what will be done: they change no number behind Microsoft's back.
HARMLESS = ("sync", "import-check", "export")
REPAIR = "drift-repair"


@dataclass(frozen=True)
class Moments:
    """Since when an operation's success is younger than what was read: of Microsoft, and of the SBCs."""

    microsoft: datetime.datetime
    sbcs: datetime.datetime


def of(e164s: Collection[str], readings: Sequence[PlanReading], moments: Moments) -> list[Case]:
    """The case of each number, in order."""
    keys = sorted(e164s)
    found: list[Case] = []
    for start in range(0, len(keys), CHUNK):
        found += _cases(keys[start : start + CHUNK], readings, moments)
    return found


def _cases(keys: list[str], readings: Sequence[PlanReading], moments: Moments) -> list[Case]:
    among = frozenset(keys)
    ours, profiles = _ours(among)
    theirs = {
        row[0]: Theirs(*row[1:])
        for row in MicrosoftNumber.objects.filter(e164__among=among).values_list(
            "e164", "customer_id", "upstream_status"
        )
    }
    pairs = {(one.customer_id, profiles[e164]) for e164, one in ours.items() if one.managed}
    expected: dict[routing.Pair, list[Expected]] = defaultdict(list)
    for one in expected_of(pairs):
        expected[one.customer_id, one.profile_id].append(one)
    rested, seen, busy = _rested(among), _seen(among, readings), busy_among(among, moments)
    strange = [e164 for e164 in keys if e164 not in ours and e164 not in theirs]
    blocks = _blocks([key for key in strange if any(not one.rule.prefix.endswith(END) for one in seen[key])])
    return [
        Case(
            e164,
            ours.get(e164),
            theirs.get(e164),
            rested.get(e164),
            [
                Wanted(one.sbc_id, Rule(e164, one.name, one.tag))
                for one in (expected[ours[e164].customer_id, profiles[e164]] if e164 in ours else ())
            ],
            seen[e164],
            e164 in busy,
            e164 in blocks,
        )
        for e164 in keys
    ]


def _ours(among: frozenset[str]) -> tuple[dict[str, Ours], dict[str, uuid.UUID | None]]:
    columns = ("e164", "calling_profile_id", "customer_id", "status", "source", "when_created", "status_changed_at")
    rows = list(PhoneNumber.objects.filter(e164__among=among).order_by().values_list(*columns))
    return {row[0]: Ours(*row[2:]) for row in rows}, {row[0]: row[1] for row in rows}


def _rested(among: frozenset[str]) -> dict[str, Rested]:
    """Of each number the last time that it left."""
    rows = ReleasedNumber.objects.filter(e164__among=among).order_by("released_at", "pk")
    return {
        row[0]: Rested(*row[1:]) for row in rows.values_list("e164", "customer_id", "released_at", "quarantine_until")
    }


def _seen(among: frozenset[str], readings: Sequence[PlanReading]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = defaultdict(list)
    sbc_of = {reading.pk: reading.sbc_id for reading in readings}
    for reading in readings:
        rows = SeenRule.objects.filter(reading=reading, prefix__among=among, is_number=True).order_by("place")
        for prefix, ends, name, tag in rows.values_list("prefix", "ends", "name", "tag"):
            found[prefix].append(Seen(sbc_of[reading.pk], Rule(prefix + END * ends, name, tag)))
    return found


def busy_among(among: frozenset[str], moments: Moments) -> set[str]:
    """Numbers that a task works on, or has changed since what we compare was read: it knows better."""
    repaired = Q(task__kind=REPAIR)
    since = Q(state=ItemState.SUCCEEDED) & (
        Q(updated_at__gte=moments.microsoft) & ~repaired & ~Q(task__kind__in=HARMLESS)
        | Q(updated_at__gte=moments.sbcs) & repaired
    )
    items = TaskItem.objects.filter(Q(state__in=sorted(ITEM_ALIVE)) | since, key__among=among)
    return set(items.order_by().values_list("key", flat=True))


def _blocks(prefixes: Collection[str]) -> set[str]:
    """Those with which longer numbers of ours begin: a rule without # carries them all, so it is nobody's orphan."""
    if not prefixes:
        return set()
    given, last = "json_each(%s)", f"substr(value || '{'9' * LONGEST}', 1, {LONGEST})"
    if connection.vendor == "postgresql":
        given, last = "jsonb_array_elements_text(%s::jsonb)", f"rpad(value, {LONGEST}, '9')"
    longer = f"SELECT 1 FROM {PhoneNumber._meta.db_table} n WHERE n.e164 > value AND n.e164 <= {last}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT value FROM {given} WHERE EXISTS ({longer})", [json.dumps(list(prefixes))])  # noqa: S608
        return {row[0] for row in cursor.fetchall()}
