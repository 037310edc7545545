"""Which numbers have to be looked at: joins over a range of all numbers, none of which passes through Python.

A join finds more than the table will (a tag in other letters, a number that an operation works on), never less.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sbc.models import SBC, PlanReading, SeenRule

from ... import routing
from ...models import Customer, DriftFinding, DriftRun, MicrosoftNumber, PhoneNumber, ReleasedNumber

CHUNKS = {"postgresql": 50_000}
SMALL_CHUNK = 10_000  # on SQLite, where others wait to write


@dataclass(frozen=True)
class Range:
    """Numbers after `low` up to `high`; None: to the end."""

    low: str
    high: str | None

    def of(self, column: str) -> Q:
        """As a condition."""
        beyond = Q(**{f"{column}__gt": self.low})
        return beyond if self.high is None else beyond & Q(**{f"{column}__lte": self.high})

    def sql(self, column: str) -> tuple[str, list[str]]:
        """As SQL, with its values."""
        if self.high is None:
            return f"{column} > %s", [self.low]
        return f"{column} > %s AND {column} <= %s", [self.low, self.high]


@dataclass(frozen=True)
class Expected:
    """A rule that the numbers of a customer's profile need on an SBC."""

    customer_id: int
    profile_id: Any
    sbc_id: int
    tag: str
    name: str


def next_range(low: str, readings: Collection[PlanReading]) -> Range:
    """The next piece of all numbers, no table having more than a chunk of rows in it."""
    size = CHUNKS.get(connection.vendor, SMALL_CHUNK)
    ends = []
    tables: list[tuple[Any, str]] = [(PhoneNumber.objects.all(), "e164"), (MicrosoftNumber.objects.all(), "e164")]
    tables += [(SeenRule.objects.filter(reading=reading, is_number=True), "prefix") for reading in readings]
    for rows, column in tables:
        following = rows.filter(**{f"{column}__gt": low}).order_by(column).values_list(column, flat=True)
        end = following[size - 1 : size].first() if following.query else None
        if end is not None:
            ends.append(end)
    return Range(low, min(ends) if ends else None)


def expectations(within: Range) -> list[Expected]:
    """Every rule that the managed numbers of the range need, once for each (customer, profile) and SBC."""
    managed = PhoneNumber.objects.filter(within.of("e164"), source__in=routing.MANAGED).order_by()
    return expected_of(set(managed.values_list("customer_id", "calling_profile_id").distinct()))


def expected_of(pairs: set[routing.Pair]) -> list[Expected]:
    """The rules for these pairs, in routing's words."""
    customers = Customer.objects.in_bulk({customer for customer, _profile in pairs})
    names = {pk: routing.rule_name(customer) for pk, customer in customers.items()}
    return [
        Expected(customer, profile, way.sbc.pk, way.tag, names[customer])
        for (customer, profile), ways in routing.ways(pairs).items()
        for way in ways
    ]


def find(within: Range, readings: Sequence[PlanReading], *, microsoft: bool, before: DriftRun | None) -> set[str]:
    """The numbers to be looked at. `readings`: of the SBCs that may be judged. `before`: the report so far."""
    found: set[str] = set()
    if microsoft:
        found |= _not_the_same_owner(within)
        found |= _back_from_quarantine(within)
    if readings:
        found |= _not_the_same_rule(within, readings)
    if before is not None:
        old = DriftFinding.objects.filter(within.of("e164"), run=before)
        found.update(old.order_by().values_list("e164", flat=True))
    return found


def _not_the_same_owner(within: Range) -> set[str]:
    """Numbers that only one of database and Microsoft has, or whose customers differ."""
    place, values = within.sql("e164")
    ours = f"SELECT e164, customer_id FROM {PhoneNumber._meta.db_table} WHERE {place}"  # noqa: S608
    theirs = f"SELECT e164, customer_id FROM {MicrosoftNumber._meta.db_table} WHERE {place}"  # noqa: S608
    return _either((ours, values), (theirs, values), ["e164"], ["e164"], "a.customer_id <> b.customer_id")


def _not_the_same_rule(within: Range, readings: Sequence[PlanReading]) -> set[str]:
    """Numbers with a rule that should be there and is not, or the other way round, or that differs."""
    wanted, values = wanted_rules(within, {reading.sbc_id for reading in readings})
    rule_place, rule_bounds = within.sql("r.prefix")
    sbc_of = " ".join(f"WHEN {reading.pk} THEN {reading.sbc_id}" for reading in readings)
    ids = ", ".join(str(reading.pk) for reading in readings)
    there = f"""
        SELECT r.prefix AS e164, CASE r.reading_id {sbc_of} END AS sbc_id, r.tag, r.name
        FROM {SeenRule._meta.db_table} r WHERE r.reading_id IN ({ids}) AND {rule_place} AND r.is_number
    """  # noqa: S608
    same = ["e164", "sbc_id"]
    differs = "a.name <> b.name OR (a.tag <> b.tag AND lower(a.tag) <> lower(b.tag))"
    return _either((wanted, values), (there, rule_bounds), same, same, differs)


def wanted_rules(within: Range, sbcs: Collection[int]) -> tuple[str, list[Any]]:
    """A query of the rules that managed numbers of the range need on these SBCs, with its values.

    Columns: e164, status (of the number), sbc_id, tag, name.
    """
    expected, values = _as_rows([one for one in expectations(within) if one.sbc_id in sbcs])
    place, bounds = within.sql("n.e164")
    sources = ", ".join(f"'{source.value}'" for source in routing.MANAGED)
    sql = f"""
        SELECT n.e164, n.status, w.sbc_id, w.tag, w.name FROM {PhoneNumber._meta.db_table} n
        JOIN {expected} ON w.customer_id = n.customer_id AND w.profile_id = n.calling_profile_id
        WHERE {place} AND n.source IN ({sources})
    """  # noqa: S608
    return sql, [*values, *bounds]


def _either(
    one: tuple[str, list[Any]], other: tuple[str, list[Any]], left: list[str], right: list[str], differs: str
) -> set[str]:
    """The e164 of rows that only one of two queries gives, or that both give and that differ."""
    on = " AND ".join(f"a.{mine} = b.{theirs}" for mine, theirs in zip(left, right, strict=True))
    first = f"SELECT a.e164 FROM ({one[0]}) a LEFT JOIN ({other[0]}) b ON {on} WHERE b.e164 IS NULL OR {differs}"  # noqa: S608
    second = f"SELECT b.e164 FROM ({other[0]}) b LEFT JOIN ({one[0]}) a ON {on} WHERE a.e164 IS NULL"  # noqa: S608
    sql, values = f"{first} UNION ALL {second}", [*one[1], *other[1], *other[1], *one[1]]
    if connection.vendor == "postgresql":  # SQLite knows FULL JOIN only since 3.39
        sql = f"""
            SELECT coalesce(a.e164, b.e164) FROM ({one[0]}) a FULL JOIN ({other[0]}) b ON {on}
            WHERE a.e164 IS NULL OR b.e164 IS NULL OR {differs}
        """  # noqa: S608
        values = [*one[1], *other[1]]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {row[0] for row in cursor.fetchall()}


def _as_rows(expected: Sequence[Expected]) -> tuple[str, list[str]]:
    """The expectations as something to join, `w`, in one parameter."""
    postgresql = connection.vendor == "postgresql"
    rows = [
        {
            "customer_id": one.customer_id,
            "profile_id": str(one.profile_id) if postgresql else getattr(one.profile_id, "hex", None),
            "sbc_id": one.sbc_id,
            "tag": one.tag,
            "name": one.name,
        }
        for one in expected
    ]
    if postgresql:
        columns = "customer_id bigint, profile_id uuid, sbc_id bigint, tag text, name text"
        return f"jsonb_to_recordset(%s::jsonb) AS w({columns})", [json.dumps(rows)]
    names = ("customer_id", "profile_id", "sbc_id", "tag", "name")
    picked = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
    return f"(SELECT {picked} FROM json_each(%s)) w", [json.dumps(rows)]  # noqa: S608


def _back_from_quarantine(within: Range) -> set[str]:
    """Numbers that rest here and that Microsoft has all the same."""
    listed = MicrosoftNumber.objects.filter(e164=OuterRef("e164"))
    resting = ReleasedNumber.objects.filter(within.of("e164"), Exists(listed), quarantine_until__gt=timezone.now())
    return set(resting.order_by().values_list("e164", flat=True))


def readings() -> list[PlanReading]:
    """The current reading of each SBC."""
    return list(PlanReading.objects.current().select_related("sbc"))


def readable() -> list[SBC]:
    """All SBCs, in the order in which they are read."""
    return list(SBC.objects.order_by("pk"))
