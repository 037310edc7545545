"""What our database holds of a device's dial plan: written whole after a reading, and corrected after a push.

A reading counts once it is complete; the one before it stays until then, so whoever looks always sees a whole plan.
Nothing here talks to a device, and nothing here decides what is right: that is the business of drift.
"""

import hashlib
import marshal
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import IO

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from .chunks import CHUNK, chunks
from .dialplan import END, Rule, Rules, bare
from .models import SBC, PlanReading, SeenRule

LEFT_BEHIND = timedelta(hours=2)  # no reading takes so long to write: whoever began it is gone

# Seven digits have the shortest numbers of the world; what is shorter is the beginning of numbers, so not one of ours.
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
# What PostgreSQL cannot store: NUL, and the halves of surrogate pairs that stand for bytes that were no UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_COLUMNS = ("place", "prefix", "ends", "name", "tag", "is_number")

Row = tuple[int, str, bool, str, str, bool]  # one value for each of _COLUMNS


def is_number(prefix: str) -> bool:
    """Whether a prefix (without its trailing #) is a whole number in E.164 form."""
    return _NUMBER.fullmatch(prefix) is not None


def note(sbc: SBC, rules: Iterable[tuple[int, Rule]], table_size: int, *, read_at: datetime | None = None) -> None:
    """Keep one whole reading of the SBC's own dial plan: places and rules in order, as the device writes them.

    `table_size` counts the rules of all plans of the device; `read_at` is when the reading began (None: now). The
    rules are read once and never held in memory together; what reads the same as before only gets a new `read_at`.
    Call it outside any transaction: a long plan is written in many short ones.
    """
    read_at = read_at or timezone.now()
    with tempfile.TemporaryFile() as spool:
        digest, count = _spool(rules, spool)
        told = {"read_at": read_at, "rules_count": count, "table_size": table_size}
        if current(sbc).filter(digest=digest).update(**told):
            return
        reading = PlanReading.objects.create(sbc=sbc, dial_plan=sbc.dial_plan, digest=digest, **told)
        for rows in _spooled(spool):
            with transaction.atomic():
                _write(reading, rows)
    PlanReading.objects.filter(pk=reading.pk).update(complete=True)
    _forget_others(sbc)


def correct(sbc: SBC, rules: Rules, prefixes: Collection[str]) -> None:
    """After a push: what stands there now for these prefixes (without #), from a reading that was made for them only.

    The places of other rules stay as they were read, which may be off by the rows of a CSV file that went. The digest
    no longer holds, so the next whole reading is written anew. Without a whole reading there is nothing to correct.
    """
    asked = frozenset(prefixes)
    reading = current(sbc).first()
    if reading is None or not asked:
        return
    there, count = [], 0
    for place, rule in rules.items():
        count += 1
        if bare(rule.prefix) in asked:
            there.append(_row(place, rule))
    with transaction.atomic():
        for chunk in chunks(sorted(asked)):
            SeenRule.objects.filter(reading=reading, prefix__among=frozenset(chunk)).delete()
        for rows in chunks(there):
            _write(reading, rows)
        PlanReading.objects.filter(pk=reading.pk).update(digest="", rules_count=count)


def current(sbc: SBC) -> QuerySet[PlanReading]:
    """The latest whole reading of the SBC's own dial plan: one row, or none."""
    return PlanReading.objects.current().filter(sbc=sbc)


def _spool(rules: Iterable[tuple[int, Rule]], spool: IO[bytes]) -> tuple[str, int]:
    """Write the rows down in pieces; their digest and how many there are."""
    digest, count = hashlib.sha256(), 0
    for rows in chunks(_row(place, rule) for place, rule in rules):
        piece = marshal.dumps(rows, 2)  # version 2 writes equal rows as equal bytes
        digest.update(piece)
        spool.write(len(piece).to_bytes(8) + piece)
        count += len(rows)
    return digest.hexdigest(), count


def _spooled(spool: IO[bytes]) -> Iterator[list[Row]]:
    spool.seek(0)
    while size := spool.read(8):
        yield marshal.loads(spool.read(int.from_bytes(size)))  # noqa: S302 - our own bytes, of a moment ago


def _row(place: int, rule: Rule) -> Row:
    prefix = _storable(bare(rule.prefix))
    return (
        place,
        prefix,
        rule.prefix.endswith(END),
        _storable(rule.name),
        _storable(rule.tag),
        is_number(prefix),
    )


def _storable(text: str) -> str:
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("\ufffd", text)


def _write(reading: PlanReading, rows: list[Row]) -> None:
    """COPY on PostgreSQL, one prepared statement for many rows elsewhere."""
    table, names = SeenRule._meta.db_table, ", ".join(("reading_id", *_COLUMNS))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((reading.pk, *row))
            return
        marks = ", ".join(["%s"] * (1 + len(_COLUMNS)))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own
        cursor.executemany(sql, [(reading.pk, *row) for row in rows])


def _forget_others(sbc: SBC) -> None:
    """Delete the readings of the SBC that count no more, rules first and in pieces."""
    others = PlanReading.objects.filter(sbc=sbc).exclude(pk__in=current(sbc))
    over = others.filter(complete=True) | others.filter(read_at__lt=timezone.now() - LEFT_BEHIND)
    for reading in over:
        rules = SeenRule.objects.filter(reading=reading)
        while pks := list(rules.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
            rules.filter(pk__lte=pks[-1])._raw_delete(using=rules.db)
        reading.delete()
