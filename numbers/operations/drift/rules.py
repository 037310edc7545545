"""What is wanted and what was seen, for every number and SBC: rows for those that nobody has written down yet.

A number that moved in from elsewhere has rules on SBCs that no operation of ours has asked for. Where the rule is right
it counts as present; where it is not, it has drifted: people decide (sbc.services.missing).
"""

from collections.abc import Sequence

from django.db import connection

from ocadmin.tasks.models import ITEM_ALIVE, TaskItem
from sbc.models import SBC, DialPlanRule, PlanReading, SeenRule

from ...lifecycle import Status
from . import suspects
from .suspects import Range

STAYING = (Status.ACTIVE, Status.MARKED_FOR_REMOVAL, Status.PENDING_FIRST_SYNC)


def note(within: Range, readings: Sequence[PlanReading]) -> int:
    """Add the rows of one range, for the SBCs of these readings. Returns how many. Inside a transaction.

    Numbers that leave, or that a task works on, are left to those who remove or write their rules.
    """
    if not readings:
        return 0
    read = {reading.sbc_id: reading for reading in readings}
    wanted, values = suspects.wanted_rules(within, read.keys())
    reading_of = " ".join(f"WHEN {pk} THEN {reading.pk}" for pk, reading in read.items())
    right = "r.name = w.name AND lower(r.tag) = lower(w.tag)"
    seen = f"""(SELECT coalesce(min(CASE WHEN {right} THEN 1 ELSE 0 END), 0) FROM {SeenRule._meta.db_table} r
        WHERE r.reading_id = CASE w.sbc_id {reading_of} END AND r.prefix = w.e164) = 1"""  # noqa: S608
    known = f"""SELECT 1 FROM {DialPlanRule._meta.db_table} d
        WHERE d.sbc_id = w.sbc_id AND d.dial_plan = s.dial_plan AND d.prefix = w.e164"""  # noqa: S608
    alive = ", ".join(f"'{state.value}'" for state in sorted(ITEM_ALIVE))
    busy = f"SELECT 1 FROM {TaskItem._meta.db_table} i WHERE i.key = w.e164 AND i.state IN ({alive})"  # noqa: S608
    statuses = ", ".join(str(status.value) for status in STAYING)
    sql = f"""
        INSERT INTO {DialPlanRule._meta.db_table}
            (sbc_id, dial_plan, prefix, name, tag, wanted, present, checked_at, drifted)
        SELECT w.sbc_id, s.dial_plan, w.e164, w.name, w.tag, true, {seen}, %s, NOT ({seen})
        FROM ({wanted}) w JOIN {SBC._meta.db_table} s ON s.id = w.sbc_id
        WHERE w.status IN ({statuses}) AND NOT EXISTS ({known}) AND NOT EXISTS ({busy})
        ON CONFLICT DO NOTHING
    """  # noqa: S608
    oldest = min(reading.read_at for reading in readings)
    with connection.cursor() as cursor:
        cursor.execute(sql, [oldest, *values])
        return int(cursor.rowcount)
