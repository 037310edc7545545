"""Playing a script: every step on the stage, and after every slice of a task a look at what must never be."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Source
from ocadmin.numbers.models import Location, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS, clean_up, sync, upload
from ocadmin.tasks import engine, services
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskState
from tests.factories import PhoneNumberFactory
from tests.numbers.properties.ledger import Ledger, Spies
from tests.numbers.properties.scripts import Script
from tests.numbers.properties.stage import HAND, NUMBERS, SLUGS, Rules, Stage

OURS = {"managed": "Unassigned", "assigned": "UserAssigned", "gone": "Unassigned", "asked for": "Unassigned"}
DIRECTORY = ("begin", "profiles", "consents", "connections", "addresses")


class Play:
    """One script on its way. `told` is what happened, for whoever has to read a failure."""

    def __init__(self, stage: Stage, spies: Spies) -> None:
        self.stage, self.spies = stage, spies
        self.told: list[str] = []
        self.taken: set[str] = set()  # numbers that others have taken away from Microsoft
        self.given: set[str] = set()  # and those that others have brought there
        self.ledger: Ledger

    def run(self, script: Script) -> None:
        """All steps; the first one begins."""
        for name, choices in script:
            self.told.append(f"{name} {choices}")
            getattr(self, name)(**choices)
            self.ledger.check()

    def begin(self, starts: list[tuple[str, int]]) -> None:
        """Numbers that everybody knows, that only Microsoft or only we know, that nobody knows."""
        rules: dict[str, dict[str, Rules]] = {slug: {"ours": {}, "hand": {}} for slug in SLUGS}
        for e164, (start, place) in zip(NUMBERS, starts, strict=True):
            customer = self.stage.customers[place]
            assigned = OURS.get(start, "Unassigned")
            if start in OURS or start == "external":
                PhoneNumberFactory(
                    e164=e164,
                    customer=customer,
                    calling_profile=self.stage.profile,
                    assignment_status=assigned,
                    source=Source.WEB_UI if start in OURS else Source.EXTERNAL,
                    when_created=timezone.now(),
                    status_changed_at=timezone.now(),
                )
            if start not in ("absent", "gone"):
                asked = 2 if start == "asked for" else 0
                self.stage.appears(e164, customer, assignmentStatus=assigned, acquiredNumberStatus=asked)
            if start in ("gone", "asked for"):
                self.taken.add(e164)
            if start != "absent":
                side, rule = ("ours", (customer.full_name[:15], "trunk.example")) if start in OURS else ("hand", HAND)
                for slug in self.stage.ways[customer.pk]:
                    rules[slug][side][e164] = rule
        self.stage.route(rules)
        self.ledger = Ledger(self.stage, self.spies)

    # People

    def operate(self, kind: str, which: list[str], way: int) -> None:
        """Plan an action, confirm it: the task does what the plan said."""
        operation, rows = ON_NUMBERS[kind], PhoneNumber.objects.filter(e164__in=which)
        params = self._params(kind, way)
        plan = operation.plan(rows, params, SYSTEM)
        task = operation.submit(rows, params, title=kind, by=SYSTEM, channel="web")
        begun = task.items.filter(state__in=[*sorted(ITEM_ALIVE), ItemState.SUCCEEDED]).count()
        self.told.append(f"  task {task.pk}: {begun} of {task.total}")
        assert (begun, task.total) == (plan.will, plan.total)

    def _params(self, kind: str, way: int) -> dict[str, Any]:
        if kind == "capabilities":
            return [
                {"add": ["Mobile"], "remove": []},
                {"add": [], "remove": ["InboundCalling"]},
                {"add": ["InboundCalling"], "remove": ["OutboundCalling"]},
                {"add": ["OutboundCalling"], "remove": []},
            ][way]
        if kind == "relocate":
            owner = self.stage.customers[0]
            places = Location.objects.filter(civic_address__customer=owner, civic_address__country="GB").order_by("pk")
            place = None if way == 3 else str(places[way].pk)
            return {"location_id": place, "route": ("operator", "tenant")[way % 2], "allow_tenant_address_update": None}
        return {"range": True} if kind == "release" and way == 3 else {}

    def upload(self, which: list[str], place: int, channel: str) -> None:
        """Numbers for users who may choose their address."""
        wanted = upload.Settings(
            customer=self.stage.customers[place].pk,
            calling_profile=self.stage.profile.pk,
            usage="CallingUserAssignment",
            capabilities=("InboundCalling", "OutboundCalling"),
            allow_tenant_address_update=True,
        )
        rows = upload.rows_of((e164, wanted) for e164 in which)
        will = upload.propose(rows, SYSTEM).plan.will
        task = upload.submit(rows, title="upload", by=SYSTEM, channel=channel)
        self.told.append(f"  task {task.pk}: {will} of {task.total}")
        assert task.items.filter(state=ItemState.PENDING).count() == will

    def clean_up(self) -> None:
        """The daily one."""
        clean_up.start(by=SYSTEM, channel="schedule")

    def synchronise(self, what: str, e164: str) -> None:
        """All customers, one, or one number. Its directory is read at once: nothing here depends on when."""
        wanted: dict[str, dict[str, Any]] = {
            "all": {},
            "first": {"customers": self.stage.customers[:1]},
            "second": {"customers": self.stage.customers[1:]},
            "number": {"numbers": [e164]},
        }
        try:
            task = sync.start(by=SYSTEM, channel="schedule", **wanted[what])
        except services.AlreadyRunning:
            return
        while task.cursor.get("phase", "begin") in DIRECTORY:
            task = self.slice(task)

    def cancel(self, nth: int) -> None:
        """One of the tasks that are alive."""
        if task := pick(Task.objects.alive(), nth):
            self.told.append(f"  task {task.pk}")
            services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")

    def answer(self, choice: str) -> None:
        """The brake of a synchronisation."""
        if task := Task.objects.filter(state=TaskState.ASKING).first():
            services.answer(task, choice, by=SYSTEM, channel="web")

    def retry(self, nth: int) -> None:
        """The failed numbers of a task again."""
        ended = Task.objects.exclude(pk__in=Task.objects.alive())
        if task := pick(ended.filter(items__state=ItemState.FAILED).distinct(), nth):
            try:
                again = services.retry_failed(task, by=SYSTEM, channel="web")
            except services.AlreadyRunning:
                return
            self.told.append(f"  task {task.pk} again as {again.pk}")

    # Workers and the clock

    def work(self, nth: int, slices: int) -> None:
        """Some slices of one of the tasks that are due; where none is, the time of the next one comes."""
        self._until_due()
        task = pick(Task.objects.due(), nth)
        for _ in range(slices):
            if task is None or not Task.objects.due().filter(pk=task.pk).exists():
                return
            task = self.slice(task)

    def everybody_works(self, most: int) -> None:
        """What is due first comes first, as it does as a rule."""
        for _ in range(most):
            self._until_due()
            task = Task.objects.due().order_by("next_run_at", "pk").first()
            if task is None:
                return
            self.slice(task)

    def slice(self, task: Task) -> Task:
        """One slice, and everything is still as it may be."""
        quiet = task.kind == "sync" and task.cursor.get("phase", "begin") in DIRECTORY
        engine.advance(task.pk)
        task.refresh_from_db()
        if not quiet or not task.alive:
            self.told.append(f"    {task.pk} {task.kind}: {task.state} {task.message or task.step}")
            self.ledger.check()
        return task

    def _until_due(self) -> None:
        """The time of the next task comes, where none has come."""
        waiting = Task.objects.alive().exclude(state=TaskState.ASKING).order_by("next_run_at").first()
        seconds = (waiting.next_run_at - timezone.now()).total_seconds() if waiting is not None else 0.0
        if seconds > 0:
            self.stage.clock.turn(seconds + 0.01)

    def time_passes(self, seconds: int) -> None:
        """Microsoft's jobs go on, lists become consistent, pauses end."""
        self.stage.clock.turn(seconds)

    # Customers, Microsoft, devices

    def elsewhere(self, e164: str, what: str, place: int) -> None:
        """Customers in the Teams admin center; Microsoft loses a number; somebody else gives it to a customer."""
        if what in ("lose", "vanish", "release"):
            self.taken.add(e164)
        if what == "appear":
            self.given.add(e164)
            self.stage.appears(e164, self.stage.customers[place])
        elif what == "lose":
            self.stage.sandbox.numbers(delete=[e164])
        elif what == "vanish":
            self.stage.customer_acts(e164, "release", vanish=True)
        else:
            self.stage.customer_acts(e164, what)

    def device(self, slug: str, what: str) -> None:
        """An SBC."""
        change = {"restart": True} if what == "restart" else {"online": what == "online"}
        self.stage.sandbox.call("POST", f"/sbc/{slug}", change)

    def refuses(self, e164: str, code: str | None) -> None:
        """Microsoft's jobs fail for a number from now on, or no longer."""
        self.stage.sandbox.call("PUT", "/state", {"failures": {e164: code}})

    def hangs_up(self, drop: str, path: str) -> None:
        """The next answer of some kind is lost, and the request too or not."""
        self.stage.sandbox.fault({"path": path}, {"drop": drop})


def pick(tasks: QuerySet[Task], nth: int) -> Task | None:
    """The nth of some tasks, counted round; None where there is none."""
    rows = list(tasks.order_by("pk"))
    return rows[nth % len(rows)] if rows else None
