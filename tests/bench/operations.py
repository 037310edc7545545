"""Planning, submitting and carrying out a release."""

import statistics
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
from django.conf import settings
from django.db import connection
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.console.selection import Fingerprint
from ocadmin.environment import use_sandbox
from ocadmin.numbers.lifecycle import Source, Status
from ocadmin.numbers.microsoft import entra
from ocadmin.numbers.models import Customer, PhoneNumber, ReleasedNumber, UpstreamJob
from ocadmin.numbers.models.phone_number import PhoneNumberQuerySet
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks import engine
from ocadmin.tasks.models import Task, TaskItem, TaskState
from sbc.models import DialPlanRule
from tests.numbers.world import World
from tests.sandbox_process import Sandbox

from .measure import ROUNDS, Figure, alternating, seconds

RELEASE = ON_NUMBERS["release"]
PLANNED, SUBMITTED = 100_000, 10_000
FIRST = 442_070_000_000


def figures() -> Iterator[Figure]:
    """The figures, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder))
        try:
            use_sandbox(settings.ENV, sandbox.url)
            identity = sandbox.state()
            settings.ENV.operator_id, settings.ENV.entra_tenant = identity["operatorId"], identity["directoryTenantId"]
            settings.ENV.client_id, settings.ENV.client_secret = "console", "sandbox-only-secret"
            world = World(sandbox)
            yield planning(world.customer)
            yield submitting(world.customer)
            yield releasing(world)
        finally:
            sandbox.stop()


def planning(customer: Customer) -> Figure:
    """A plan of 100,000 numbers, with the fingerprint that the page carries, against reading them."""
    fill(customer, PLANNED)
    numbers = mine(customer)

    def ours() -> None:
        plan = RELEASE.plan(numbers, {}, SYSTEM)
        Fingerprint.of(numbers)
        assert plan.will == PLANNED

    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, e164, customer_id, status, assignment_status FROM numbers_phonenumber"
                " WHERE customer_id = %s",
                [customer.pk],
            )
            assert len(cursor.fetchall()) == PLANNED

    figure = Figure("plan a release of 100,000 / read them by bare SQL", *alternating(ours, floor), 3)
    clear()
    return figure


def submitting(customer: Customer) -> Figure:
    """A task of 10,000 numbers, all that belongs to it, against one bare INSERT of as many outcome rows."""
    fill(customer, SUBMITTED)
    numbers = mine(customer)
    now = timezone.now()
    rows = [(f"+{FIRST + i}", customer.pk, "pending", "", "", "{}", "{}", 0, now) for i in range(SUBMITTED)]

    def before() -> None:
        Task.objects.all().delete()
        AuditEntry.objects.all()._raw_delete(AuditEntry.objects.db)
        PhoneNumber.objects.update(status=Status.ACTIVE)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE numbers_phonenumber")

    def ours() -> None:
        task = RELEASE.submit(numbers, {"comment": "bench"}, title="bench", by=SYSTEM, channel="command")
        assert task.total == SUBMITTED

    def floor() -> None:
        task = Task.objects.create(kind="release", title="floor", channel="command")
        places = ", ".join(["(%s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s)"] * SUBMITTED)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tasks_taskitem (task_id, key, customer_ref, state, code, message, data, upstream_ids,"
                f" attempts, updated_at) VALUES {places}",
                [value for row in rows for value in (task.pk, *row)],
            )

    figure = Figure("submit 10,000 items / bare bulk insert of them", *alternating(ours, floor, before=before), 4)
    clear()
    return figure


def releasing(world: World) -> Figure:
    """A release of 10,000 numbers to the end, against the same HTTP calls made bare in a loop."""
    bare, ours = [], []
    for _round in range(ROUNDS):
        calls = prepare(world)
        task = RELEASE.submit(mine(world.customer), {}, title="bench", by=SYSTEM, channel="command")
        ours.append(seconds(lambda task=task: finish(task)))
        recorded = calls.stop()
        prepare(world).stop()
        bare.append(seconds(lambda recorded=recorded: replay(recorded)))
    medians = statistics.median(ours), statistics.median(bare)
    return Figure("release 10,000 numbers / its HTTP calls made bare", *medians, 2)


class Recorder:
    """Notes every HTTP request of this process until it is stopped."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self._send = send = httpx2.Client.send

        def noting(client: httpx2.Client, request: httpx2.Request, **more: Any) -> httpx2.Response:
            self.requests.append(request)
            return send(client, request, **more)

        httpx2.Client.send = noting  # type: ignore[method-assign]

    def stop(self) -> list[httpx2.Request]:
        """What was asked."""
        httpx2.Client.send = self._send  # type: ignore[method-assign]
        return self.requests


def prepare(world: World) -> Recorder:
    """10,000 numbers in all three places, nothing else, and no tokens."""
    clear()
    world.sandbox.reset("demo")
    world.sandbox.call("PUT", "/state", {"durations": 0, "lag": 0})
    entra.forget_all()
    fill(world.customer, SUBMITTED)
    PhoneNumber.objects.update(calling_profile=world.profile, source=Source.WEB_UI)
    numbers = list(PhoneNumber.objects.select_related("customer"))
    for start in range(0, len(numbers), 1000):
        world.at_microsoft(numbers[start : start + 1000])
    world.route(numbers)
    return Recorder()


def finish(task: Task) -> None:
    """What a worker does, without its pauses."""
    while Task.objects.get(pk=task.pk).alive:
        Task.objects.filter(pk=task.pk).update(next_run_at=timezone.now())
        engine.advance(task.pk)
    task.refresh_from_db()
    assert (task.state, task.succeeded) == (TaskState.SUCCEEDED, SUBMITTED), task.message


def replay(requests: list[httpx2.Request]) -> None:
    """The same calls in the same order. Ids of jobs are new ones; so are the tokens."""
    new_ids: list[str] = []
    old_ids = [id_of(request) for request in requests if id_of(request)]
    renamed: dict[str, str] = {}
    token = ""
    with httpx2.Client(timeout=60) as client:
        for request in requests:
            url = str(request.url)
            old = id_of(request)
            if old and old not in renamed:
                renamed[old] = new_ids[sorted(set(old_ids), key=old_ids.index).index(old)]
            if old:
                url = url.replace(old, renamed[old])
            headers = dict(request.headers)
            if headers.get("authorization", "").startswith("Bearer"):
                headers["authorization"] = f"Bearer {token}"
            answer = client.request(request.method, url, content=request.read(), headers=headers)
            assert answer.status_code < 300, (request.method, url, answer.status_code, answer.text[:300])
            if url.endswith("/token"):
                token = answer.json()["access_token"]
            elif request.method == "POST" and url.endswith("/releases"):
                new_ids.append(answer.json()["jobId"])


def id_of(request: httpx2.Request) -> str:
    """The job that a GET asks for, empty for other requests."""
    last = request.url.path.rpartition("/")[2]
    if request.method != "GET" or "/releases/" not in request.url.path:
        return ""
    return str(uuid.UUID(last))


def mine(customer: Customer) -> PhoneNumberQuerySet:
    """What a person of the whole system selects by the customer filter."""
    return PhoneNumber.objects.visible_to(SYSTEM).filter(customer=customer)


def fill(customer: Customer, count: int) -> None:
    """Active, unassigned numbers, by one statement of the database."""
    now = timezone.now()
    PhoneNumber.objects.bulk_create(
        (
            PhoneNumber(
                e164=f"+{FIRST + i}",
                customer=customer,
                status=Status.ACTIVE,
                assignment_status="Unassigned",
                iso_country_code="GB",
                acquired_capabilities=["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment"],
                available_capabilities=["Geographic", "InboundCalling", "OutboundCalling", "UserAssignment"],
                acquired_on=now,
            )
            for i in range(count)
        ),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE numbers_phonenumber")


def clear() -> None:
    """No numbers, tasks, entries."""
    with connection.cursor() as cursor:
        for model in (AuditEntry, TaskItem, UpstreamJob, Task, ReleasedNumber, DialPlanRule, PhoneNumber):
            cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
