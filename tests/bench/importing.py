"""Importing a file of 100,000 new numbers: the check with its preview, its memory, and what our database does for it.

Applying is measured from the confirmation to one outcome row for each number, and again from Microsoft's yes to
100,000 numbers with their history and outcomes. What lies between is Microsoft's time and the SBCs', and the release's
figure measures the like of it.
"""

import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import phonenumbers
from django.db import connection
from django.utils import timezone

from ocadmin import garbage

from .measure import Amount, Figure, alternating, seconds

ROWS = 100_000
FIRST = 442_070_000_000
CUSTOMERS = 50
BLOCK = ROWS // CUSTOMERS
ROUNDS = 3
HEADERS = (
    *("msTenantId", "telephoneNumber", "rangeEnd", "callingProfileId", "usage", "additionalUsage"),
    *("capabilities", "civicAddressId", "locationId", "country", "ticketId", "note"),
)
USAGE, CAPABILITIES = "CallingUserAssignment", ["InboundCalling", "OutboundCalling"]


def figures() -> Iterator[Figure | Amount]:
    """The figures, one after the other."""
    from . import importing_defaults

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "numbers.csv")
        path.write_bytes(a_file(prepare()))
        yield reading(path)
        yield checking(path)
        yield Amount(f"check of {ROWS:,} rows, peak memory of the process", peak_of_a_process(path), "MB", 300)
        applied, bare = applying(path)
        yield Figure(f"apply {ROWS:,} new rows / bare COPY and one upsert", applied, bare, 2.5)
        slow = importing_defaults.seconds_of(path)
        yield Figure("the same / a fortieth of django-import-export's defaults", applied, slow / 40, 1)
    clear()


def prepare() -> list[dict[str, Any]]:
    """Customers with a place each, on one profile behind one SBC. What every row of a customer says."""
    from ocadmin.numbers.models import Customer
    from tests import factories as make

    clear()
    plan = {
        "name": "Users",
        "usage": USAGE,
        "mandatory_capabilities": ["Office365"],
        "choosable_capabilities": CAPABILITIES,
        "supports_toll_free": False,
    }
    sbc, profile = make.SBCFactory(), make.CallingProfileFactory()
    make.TrunkFactory(profile=profile, fqdn="trunk.example", sbc=sbc)
    told = []
    for _place in range(CUSTOMERS):
        customer: Customer = make.CustomerFactory(usage_plans=[plan])
        make.SipConnectionFactory(customer=customer, calling_profile=profile, sbc=sbc)
        address = make.CivicAddressFactory(customer=customer, country="GB", validation_status="validated")
        location = make.LocationFactory(civic_address=address)
        told.append({"customer": customer, "profile": profile.pk, "address": address.pk, "location": location.pk})
    return told


def a_file(told: list[dict[str, Any]]) -> bytes:
    """A block of numbers for each customer, as numbers are given out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    for place in range(ROWS):
        one = told[place // BLOCK]
        settings = [one["profile"], USAGE, "", ";".join(CAPABILITIES), one["address"], one["location"]]
        row = [one["customer"].tenant_id, f"+{FIRST + place}", "", *settings, "GB", "CHG-1", ""]
        writer.writerow(row)
    return text.getvalue().encode()


def reading(path: Path) -> Figure:
    """What finding out about a file and giving its rows costs beside the csv module, which only splits them."""
    from ocadmin.console import sheets

    allowed = sheets.Limits.of_settings()

    def ours() -> None:
        sheet = sheets.open_sheet(path, path.name, allowed)
        assert sum(1 for _row in sheets.rows(path, sheet, allowed)) == ROWS

    def floor() -> None:
        with path.open(newline="") as file:
            assert sum(1 for _row in csv.reader(file)) == ROWS + 1

    return Figure(f"read {ROWS:,} rows / the csv module alone", *alternating(ours, floor), 3)


def checking(path: Path) -> Figure:
    """The whole file judged and written down, and the first page of the preview read; against the library alone."""
    numbers = [f"+{FIRST + place}" for place in range(ROWS)]

    def floor() -> None:
        assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)

    def ours() -> None:
        from ocadmin.numbers import preview

        batch = checked(path)
        assert batch.counts == {"new": ROWS}, batch.counts
        assert preview.page(batch, None, 0).following

    bare, mine = [], []
    for _round in range(ROUNDS):
        bare.append(seconds(floor))
        mine.append(seconds(ours))
    name = f"check {ROWS:,} rows with preview / phonenumbers alone"
    return Figure(name, statistics.median(mine), statistics.median(bare), 1.5)


def checked(path: Path) -> Any:
    """The file, as a person uploads it and a worker checks it."""
    from ocadmin.access.principal import SYSTEM
    from ocadmin.numbers import importing
    from tests.numbers import passes

    batch = importing.keep_path(path, mode="create")
    passes.finish(importing.check(batch, by=SYSTEM, channel="command"))
    batch.refresh_from_db()
    return batch


def peak_of_a_process(path: Path) -> float:
    """Megabytes that a process of its own holds at most, from its start to the preview."""
    name = connection.settings_dict
    url = f"postgres://{name['USER']}:{name['PASSWORD']}@{name['HOST']}:{name['PORT']}/{name['NAME']}"
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.importing", str(path)],
        env=os.environ | {"DATABASE_URL": url},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(answer.stdout.split()[-1])


def applying(path: Path) -> tuple[float, float]:
    """Our seconds and the bare ones: medians, measured in turn."""
    mine, bare = [], []
    for _round in range(ROUNDS):
        clear_numbers()
        bare.append(upserting(path))
        clear_numbers()
        batch = checked(path)
        tidy()
        mine.append(confirming(batch) + arriving())
    return statistics.median(mine), statistics.median(bare)


def confirming(batch: Any) -> float:
    """From the confirmation to tasks with an outcome row for each number."""
    from ocadmin.access.principal import SYSTEM
    from ocadmin.numbers.operations.imports import start_import
    from ocadmin.tasks.models import TaskItem
    from tests.numbers import passes

    def work() -> None:
        more = {"by": SYSTEM, "channel": "command", "ticket": "", "comment": ""}
        passes.advance(start_import(batch, whole=True, **more))

    took = seconds(work)
    assert TaskItem.objects.count() == ROWS
    return took


def arriving() -> float:
    """From Microsoft's yes, one job after the other, to numbers with history and outcome."""
    from ocadmin.access.models import AuditEntry
    from ocadmin.numbers.models import PhoneNumber, UpstreamJob
    from ocadmin.numbers.operations.jobs import AT_ONCE
    from ocadmin.tasks.models import ItemState, TaskItem

    jobs = []
    for number, customer in enumerate(customers()):
        keys = [f"+{FIRST + place}" for place in range(number * BLOCK, (number + 1) * BLOCK)]
        for start in range(0, len(keys), 1000):
            some = keys[start : start + 1000]
            items = TaskItem.objects.filter(key__in=some)
            job = UpstreamJob.objects.create(
                kind="uploads", customer=customer, task_id=items[0].task_id, total=len(some), ms_job_id=uuid.uuid4()
            )
            items.update(state=ItemState.RUNNING, code="sent", job_ref=job.pk)
            jobs.append((job, some))
    tidy()
    took = seconds(lambda: [arrive(jobs[start : start + AT_ONCE]) for start in range(0, len(jobs), AT_ONCE)])
    assert PhoneNumber.objects.count() == ROWS
    assert AuditEntry.objects.filter(action="upload.accepted").count() == ROWS
    return took


def arrive(jobs: list[tuple[Any, list[str]]]) -> None:
    """What the end of some jobs does, in the transaction in which a worker takes them over."""
    from ocadmin.numbers.operations.upload import arrival
    from ocadmin.tasks.models import Task
    from ocadmin.tasks.run import Run

    task_id = jobs[0][0].task_id
    Task.objects.filter(pk=task_id).update(lease_owner="bench")
    run = Run(Task.objects.get(pk=task_id), "bench")
    with run.commit():
        for job, keys in jobs:
            arrival.arrive(run, job, keys)


def customers() -> list[Any]:
    """In the order of the file."""
    from ocadmin.numbers.models import Customer

    return list(Customer.objects.order_by("pk"))


def upserting(path: Path) -> float:
    """The same file by COPY into a staging table and one upsert into the numbers, and nothing else."""
    rows = list(csv.reader(path.open(newline="")))[1:]
    now = timezone.now()

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE staging ({', '.join(f'c{place} text' for place in range(len(HEADERS)))})"
            )
            with cursor.copy("COPY staging FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(UPSERT, {"now": now})
            assert cursor.rowcount == ROWS
            cursor.execute("DROP TABLE staging")

    return seconds(work)


UPSERT = """
INSERT INTO numbers_phonenumber (e164, customer_id, status, status_reason, status_changed_at, source, note, tags,
  when_created, modified_at, exact_times, iso_country_code, calling_profile_id, assignment_target_id, activation_state,
  usage, additional_usages, acquired_capabilities, location_id, civic_address_id, displayed_country_code)
SELECT s.c1, c.id, 4, '', %(now)s, 'webui', s.c11, '[]', %(now)s, %(now)s, '{}', s.c9, s.c3::uuid, '', '',
  s.c4, '[]', to_jsonb(string_to_array(s.c6, ';')), s.c8::uuid, s.c7::uuid, ''
FROM staging s JOIN numbers_customer c ON c.tenant_id = s.c0::uuid
ON CONFLICT (e164) DO UPDATE SET usage = EXCLUDED.usage, note = EXCLUDED.note, location_id = EXCLUDED.location_id,
  civic_address_id = EXCLUDED.civic_address_id, acquired_capabilities = EXCLUDED.acquired_capabilities
"""


def tidy() -> None:
    """The database's own housekeeping, which would go on meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def clear_numbers() -> None:
    """No numbers, imports, tasks, history."""
    from ocadmin.access.models import AuditEntry
    from ocadmin.numbers.models import ImportGroup, ImportRow, NumberImport, PhoneNumber, UpstreamJob
    from ocadmin.tasks.models import Task, TaskItem

    models = (AuditEntry, TaskItem, UpstreamJob, Task, ImportRow, ImportGroup, NumberImport, PhoneNumber)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(model._meta.db_table for model in models)} CASCADE")


def clear() -> None:
    """Nothing of what this file makes."""
    from ocadmin.numbers.models import CallingProfile, CivicAddress, Customer, Location, SipConnection, Trunk
    from sbc.models import SBC

    clear_numbers()
    models = (SipConnection, Trunk, Location, CivicAddress, CallingProfile, Customer, SBC)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(model._meta.db_table for model in models)} CASCADE")


def child(path: Path) -> float:
    """What `peak_of_a_process` asks for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    garbage.settle()
    batch = checked(path)
    import_module("ocadmin.numbers.preview").page(batch, None, 0)
    # Not getrusage: there a process begins with what its parent held.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1_000_000


if __name__ == "__main__":
    sys.stdout.write(f"{child(Path(sys.argv[1]))}\n")
