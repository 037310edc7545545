"""Exporting a million numbers: the whole file, the first byte, the memory; beside what the database does bare."""

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
from django.core.management import call_command
from django.db import connection

from .measure import Amount, Figure, alternating

NUMBERS = 1_000_000
ON_SQLITE = 200_000  # filling more takes longer than it tells: both sides grow with the rows alike
MEGABYTE = 1_000_000
# The columns that the list shows, as the tables hold them.
BARE = (
    "SELECT n.e164, c.full_name, n.iso_country_code, c.tenant_id, a.house_number, a.street_name, a.city, a.postal_code,"
    " a.country, n.calling_profile_id, n.source, n.tn_upload_job_id, n.assignment_status, n.status, n.acquired_on"
    " FROM numbers_phonenumber n JOIN numbers_customer c ON c.id = n.customer_id"
    " LEFT JOIN numbers_civicaddress a ON a.id = n.civic_address_id"
)


def figures() -> Iterator[Figure | Amount]:
    """The figures, one after the other."""
    from .exporting_rows import clear, fill

    clear()  # of what other figures have left
    fill(NUMBERS)
    yield Figure("export 1,000,000 rows / bare COPY of their columns", *alternating(ours, copied), 4)
    first, grown = in_a_process()
    yield Amount("export 1,000,000 rows, first row of the file", first, "s", 0.2)
    yield Amount("export 1,000,000 rows, growth of memory", grown, "MB", 30)
    clear()
    yield on_sqlite()


def ours() -> None:
    """The whole export, thrown away."""
    size = sum(len(piece) for piece in the_export())
    assert size > 100 * count_of_rows()


def the_export() -> Iterator[bytes]:
    """What a person of the whole system gets from the list as it is first shown."""
    from ocadmin.access.principal import SYSTEM
    from ocadmin.numbers.exporting import columns, csv_file
    from ocadmin.numbers.exporting.rows import Export
    from ocadmin.numbers.models import PhoneNumber
    from ocadmin.numbers.tables import NumberTable

    shown = columns.shown("", list(NumberTable.base_columns))
    return csv_file.stream(Export(PhoneNumber.objects.visible_to(SYSTEM).order_by("e164"), shown))


def count_of_rows() -> int:
    """How many numbers there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM numbers_phonenumber")
        return int(cursor.fetchone()[0])


def copied() -> None:
    """The same columns as they are, in no order, by the driver alone."""
    with connection.cursor() as cursor, cursor.copy(f"COPY ({BARE}) TO STDOUT WITH (FORMAT csv)") as copy:
        assert sum(1 for _line in copy) == NUMBERS


def in_a_process() -> tuple[float, float]:
    """Seconds until the first row is there, and megabytes that the process grows by until the last one is."""
    place = {name: quote(str(value), safe="") for name, value in connection.settings_dict.items()}
    return measured_in("postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**place))


def on_sqlite() -> Figure:
    """The same on the embedded database, against its driver and Python's csv; in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        mine, bare = measured_in(f"sqlite:///{folder}/bench.sqlite3")
    return Figure(f"export {ON_SQLITE:,} rows on SQLite / its cursor and csv", mine, bare, 5)


def measured_in(url: str) -> tuple[float, float]:
    """The two figures that a child process writes when it is given this database."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.exporting"],
        env=os.environ | {"DATABASE_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    first, second = answer.stdout.split()[-2:]
    return float(first), float(second)


def child() -> tuple[float, float]:
    """On PostgreSQL first row and growth; on SQLite our seconds and bare ones."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if connection.vendor == "sqlite":
        call_command("migrate", verbosity=0)
        import_module("tests.bench.exporting_rows").fill(ON_SQLITE)
        return alternating(ours, fetched)
    for _piece in zip(range(20), the_export(), strict=False):  # what is loaded once stays loaded
        pass
    connection.close()
    before, peak = resident(), 0.0
    started = time.perf_counter()
    pieces = the_export()
    next(pieces)  # the header
    next(pieces)
    first = time.perf_counter() - started
    for _piece in pieces:
        peak = max(peak, resident())
    return first, peak - before


def resident() -> float:
    """Megabytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def fetched() -> None:
    """The same columns as they are, by sqlite3 and csv alone."""
    path: Any = connection.settings_dict["NAME"]
    bare = sqlite3.connect(path)
    with Path(os.devnull).open("w", newline="") as file:
        csv.writer(file).writerows(bare.execute(BARE))
    bare.close()


if __name__ == "__main__":
    sys.stdout.write("{} {}\n".format(*child()))
