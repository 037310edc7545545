"""What is wanted and what was seen, for every number and SBC: rows for those that nobody has written down yet.

A number that moved in from elsewhere has rules on SBCs that no operation of ours has asked for. Where the rule is right
it counts as present; where it is not, it has drifted: people decide (sbc.services.missing).
"""

from collections.abc import Sequence

from django.db import connection

from ocadmin.tasks.models import ITEM_ALIVE, TaskItem
from sbc.models import SBC, DialPlanRule, PlanReading, SeenRule

from ... import routing
from ...lifecycle import Status
from ...models import PhoneNumber
from . import suspects
from .suspects import Range

STAYING = (Status.ACTIVE, Status.MARKED_FOR_REMOVAL, Status.PENDING_FIRST_SYNC)


def note(within: Range, readings: Sequence[PlanReading]) -> int:
    """Add the rows of one range, for the SBCs of these readings. Returns how many. Inside a transaction.

    Numbers that leave, or that a task works on, are left to those who remove or write their rules.
    """
    read = {reading.sbc_id: reading for reading in readings}
    expected, values = suspects.as_rows([one for one in suspects.expectations(within) if one.sbc_id in read])
    if not read:
        return 0
    place, bounds = within.sql("n.e164")
    reading_of = " ".join(f"WHEN {pk} THEN {reading.pk}" for pk, reading in read.items())
    right = f"""EXISTS (SELECT 1 FROM {SeenRule._meta.db_table} r
        WHERE r.reading_id = CASE w.sbc_id {reading_of} END AND r.prefix = n.e164
        AND r.name = w.name AND lower(r.tag) = lower(w.tag))"""  # noqa: S608
    known = f"""SELECT 1 FROM {DialPlanRule._meta.db_table} d
        WHERE d.sbc_id = w.sbc_id AND d.dial_plan = s.dial_plan AND d.prefix = n.e164"""  # noqa: S608
    alive = ", ".join(f"'{state.value}'" for state in sorted(ITEM_ALIVE))
    busy = f"SELECT 1 FROM {TaskItem._meta.db_table} i WHERE i.key = n.e164 AND i.state IN ({alive})"  # noqa: S608
    sources = ", ".join(f"'{source.value}'" for source in routing.MANAGED)
    statuses = ", ".join(str(status.value) for status in STAYING)
    sql = f"""
        INSERT INTO {DialPlanRule._meta.db_table}
            (sbc_id, dial_plan, prefix, name, tag, wanted, present, checked_at, drifted)
        SELECT w.sbc_id, s.dial_plan, n.e164, w.name, w.tag, true, {right}, %s, NOT {right}
        FROM {PhoneNumber._meta.db_table} n
        JOIN {expected} ON w.customer_id = n.customer_id AND w.profile_id = n.calling_profile_id
        JOIN {SBC._meta.db_table} s ON s.id = w.sbc_id
        WHERE {place} AND n.source IN ({sources}) AND n.status IN ({statuses})
            AND NOT EXISTS ({known}) AND NOT EXISTS ({busy})
        ON CONFLICT DO NOTHING
    """  # noqa: S608
    oldest = min(reading.read_at for reading in readings)
    with connection.cursor() as cursor:
        cursor.execute(sql, [oldest, *values, *bounds])
        return int(cursor.rowcount)
