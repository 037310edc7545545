"""Comparing database, Microsoft and two SBCs over a million numbers, against the bare join of the same tables."""

from collections.abc import Iterator
from unittest.mock import patch

from django.db import connection
from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.models import DriftFinding, DriftRun, MicrosoftNumber, MicrosoftReading, PhoneNumber
from ocadmin.numbers.operations import drift
from ocadmin.numbers.routing import rule_name
from ocadmin.tasks import engine, run
from ocadmin.tasks.models import Task
from sbc.models import SBC, PlanReading, SeenRule
from tests.factories import CallingProfileFactory, CustomerFactory, SBCFactory, SipConnectionFactory

from .measure import Figure, alternating

NUMBERS, FIRST = 1_000_000, 442_070_000_000
CUSTOMERS, SBCS = 200, 2
# Of a thousand numbers so many differ: one is missing on an SBC, one has a wrong tag, one has left Microsoft …
ODD = 1000
MISSING, WRONG, LOST, ELSEWHERE, ORPHAN = 7, 107, 207, 307, 407


def figures() -> Iterator[Figure]:
    """The figure."""
    fill()
    yield comparing()
    clear()


def comparing() -> Figure:
    """The phase of the task that compares and writes the report, against the join that finds the same differences."""
    task = drift.start(by=SYSTEM, channel="command")
    made = DriftRun.objects.create(task_ref=task.pk, began_at=timezone.now())

    def before() -> None:
        DriftRun.objects.all().delete()
        made.pk = None
        made.sources = {
            str(one.sbc_id): {"why": "", "code": "", "by_hand": False, "read_at": one.read_at.isoformat()}
            for one in PlanReading.objects.all()
        }
        made.save(force_insert=True)
        cursor = {"phase": "compare", "after": "", "run": made.pk}
        Task.objects.filter(pk=task.pk).update(cursor=cursor, state="queued", finished_at=None)

    @patch.object(run, "SLICE_SECONDS", 0.0)  # a step at a time: what follows the comparison is not measured with it
    def ours() -> None:
        while Task.objects.get(pk=task.pk).cursor["phase"] == "compare":
            Task.objects.filter(pk=task.pk).update(next_run_at=timezone.now())
            engine.advance(task.pk)
        assert DriftFinding.objects.count() == expected(), DriftFinding.objects.count()

    def floor() -> None:
        rules = " ".join(
            f"FULL JOIN (SELECT prefix, tag, name FROM {SeenRule._meta.db_table} WHERE reading_id = {reading}) r{place}"
            f" ON r{place}.prefix = n.e164"
            for place, reading in enumerate(PlanReading.objects.values_list("pk", flat=True))
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(n.e164, m.e164, r0.prefix, r1.prefix), n.customer_id, m.customer_id, r0.tag, r1.tag"
                f" FROM {PhoneNumber._meta.db_table} n"
                f" FULL JOIN {MicrosoftNumber._meta.db_table} m ON m.e164 = n.e164 {rules}"
                " WHERE n.e164 IS NULL OR m.e164 IS NULL OR r0.prefix IS NULL OR r1.prefix IS NULL"
                " OR r0.tag <> 'trunk.example.net' OR r1.tag <> 'trunk.example.net'"
            )
            assert len(cursor.fetchall()) >= NUMBERS // ODD * 4

    return Figure("drift over 1,000,000 numbers / their bare join", *alternating(ours, floor, before=before), 3)


def expected() -> int:
    """How many findings there are: an orphan on each SBC, and one of each other kind in a thousand."""
    return NUMBERS // ODD * (4 + SBCS)


def fill() -> None:
    """Numbers, Microsoft's and the rules of two SBCs, made by the database."""
    clear()
    sbcs: list[SBC] = SBCFactory.create_batch(SBCS, fqdn="")
    profile = CallingProfileFactory()
    customers = CustomerFactory.create_batch(CUSTOMERS)
    for sbc in sbcs:
        SBC.objects.filter(pk=sbc.pk).update(name=f"trunk.example.net{' ' * sbc.pk}"[:60])
    for customer in customers:
        for sbc in sbcs:
            SipConnectionFactory(customer=customer, calling_profile=profile, sbc=sbc)
    low = customers[0].pk
    assert [one.pk for one in customers] == list(range(low, low + CUSTOMERS))
    now = timezone.now()
    number, owner = f"'+' || ({FIRST} + i)", f"{low} + i % {CUSTOMERS}"
    with connection.cursor() as cursor:
        columns = {
            field.column: "''"
            for field in PhoneNumber._meta.concrete_fields
            if field.column != "id" and not field.null and field.get_internal_type() in ("CharField", "TextField")
        }
        columns |= {
            field.column: "'[]'"
            for field in PhoneNumber._meta.concrete_fields
            if field.get_internal_type() == "JSONField"
        }
        columns |= {
            "e164": number,
            "customer_id": owner,
            "status": "0",
            "source": "'webui'",
            "calling_profile_id": f"'{profile.pk}'::uuid",
            **dict.fromkeys(("status_changed_at", "when_created", "modified_at"), "now() - '9 d'::interval"),
        }
        cursor.execute(
            f"INSERT INTO {PhoneNumber._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(columns.values())}"
            f" FROM generate_series(1, {NUMBERS}) i WHERE i % {ODD} NOT IN ({ELSEWHERE}, {ORPHAN})"
        )
        cursor.execute(
            f"INSERT INTO {MicrosoftNumber._meta.db_table} (e164, customer_id, upstream_status, unreadable)"
            f" SELECT {number}, {owner}, 0, false FROM generate_series(1, {NUMBERS}) i"
            f" WHERE i % {ODD} NOT IN ({LOST}, {ORPHAN})"
        )
        MicrosoftReading.objects.create(began_at=now)
        names = " ".join(f"WHEN {one.pk} THEN '{rule_name(one)}'" for one in customers)
        for place, sbc in enumerate(sbcs):
            reading = PlanReading.objects.create(sbc=sbc, dial_plan=sbc.dial_plan, complete=True, read_at=now)
            tag = SBC.objects.get(pk=sbc.pk).name
            wrong = f"CASE WHEN i % {ODD} = {WRONG} AND {place} = 0 THEN 'old' ELSE '{tag}' END"
            left_out = f"{ELSEWHERE}, {MISSING if place else ELSEWHERE}"
            cursor.execute(
                f"INSERT INTO {SeenRule._meta.db_table} (reading_id, place, prefix, ends, name, tag, is_number)"
                f" SELECT {reading.pk}, i, {number}, true, CASE {owner} {names} END, {wrong}, true"
                f" FROM generate_series(1, {NUMBERS}) i WHERE i % {ODD} NOT IN ({left_out})"
            )
        for model in (PhoneNumber, MicrosoftNumber, SeenRule):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def clear() -> None:
    """None of what is compared."""
    with connection.cursor() as cursor:
        for model in (DriftFinding, DriftRun, PhoneNumber, MicrosoftNumber, MicrosoftReading, SeenRule, PlanReading):
            cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
