"""Random scripts: what people, customers, devices and the clock may do, one thing after the other."""

import sys
from contextlib import ExitStack
from typing import Any

from django.utils import timezone
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Source
from ocadmin.numbers.models import Location, PhoneNumber
from ocadmin.numbers.operations import ON_NUMBERS, clean_up, sync, upload
from ocadmin.tasks import engine, services
from ocadmin.tasks.models import ITEM_ALIVE, ItemState, Task, TaskState
from tests.factories import PhoneNumberFactory
from tests.numbers.properties.ending import Ending
from tests.numbers.properties.ledger import Ledger, Spies
from tests.numbers.properties.stage import HAND, NUMBERS, SLUGS, Rules, Stage

STARTS = ("absent", "managed", "assigned", "external", "unknown", "gone", "asked for")
OURS = {"managed": "Unassigned", "assigned": "UserAssigned", "gone": "Unassigned", "asked for": "Unassigned"}
one = st.sampled_from(NUMBERS)
some = st.one_of(st.just(set(NUMBERS)), st.sets(one, min_size=1))
who = st.integers(0, 1)
DIRECTORY = ("begin", "profiles", "consents", "connections", "addresses")


class Scripts(RuleBasedStateMachine):
    """One script. All choices are made by number, so that a script stays one when steps are left out."""

    def __init__(self, stage: Stage, spies: Spies) -> None:
        super().__init__()
        self.stage, self.spies = stage, spies
        self.left = ExitStack()
        self.left.enter_context(stage.script())
        self.ledger: Ledger | None = None

    def teardown(self) -> None:
        """Where the script went well: everything heals, every task comes to its end, the three places agree."""
        try:
            if self.ledger is not None and sys.exc_info()[0] is None:
                Ending(self.stage, self.ledger, self.slice).check()
        finally:
            self.left.close()

    @initialize(starts=st.tuples(*[st.tuples(st.sampled_from(STARTS), who) for _ in NUMBERS]))
    def begin(self, starts: tuple[tuple[str, int], ...]) -> None:
        """Numbers that everybody knows, that only Microsoft knows, that nobody knows."""
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
            if start != "absent":
                side, rule = ("ours", (customer.full_name[:15], "trunk.example")) if start in OURS else ("hand", HAND)
                for slug in self.stage.ways[customer.pk]:
                    rules[slug][side][e164] = rule
        self.stage.route(rules)
        self.ledger = Ledger(self.stage, self.spies)

    @invariant()
    def nothing_forbidden(self) -> None:
        """After every step."""
        if self.ledger is not None:
            self.ledger.check()

    # People

    @rule(kind=st.sampled_from(sorted(ON_NUMBERS)), which=some, way=st.integers(0, 3))
    def operate(self, kind: str, which: set[str], way: int) -> None:
        """Plan an action, confirm it: the task does what the plan said."""
        operation, rows = ON_NUMBERS[kind], PhoneNumber.objects.filter(e164__in=which)
        params = self._params(kind, way)
        plan = operation.plan(rows, params, SYSTEM)
        task = operation.submit(rows, params, title=kind, by=SYSTEM, channel="web")
        begun = task.items.filter(state__in=[*sorted(ITEM_ALIVE), ItemState.SUCCEEDED]).count()
        note(f"task {task.pk}: {begun} of {task.total}")
        assert (begun, task.total) == (plan.will, plan.total)

    def _params(self, kind: str, way: int) -> dict[str, Any]:
        if kind == "capabilities":
            add, remove = [["Mobile"], []], [["InboundCalling"], ["Mobile"]]
            return {"add": add[way % 2], "remove": remove[way // 2] if not add[way % 2] else []}
        if kind == "relocate":
            owner = self.stage.customers[0]
            places = Location.objects.filter(civic_address__customer=owner, civic_address__country="GB").order_by("pk")
            place = None if way == 3 else str(places[way].pk)
            return {"location_id": place, "route": ("operator", "tenant")[way % 2], "allow_tenant_address_update": None}
        return {"range": True} if kind == "release" and way == 3 else {}

    @rule(which=some, place=who, channel=st.sampled_from(("web", "api")))
    def upload(self, which: set[str], place: int, channel: str) -> None:
        """Numbers for users who may choose their address."""
        wanted = upload.Settings(
            customer=self.stage.customers[place].pk,
            calling_profile=self.stage.profile.pk,
            usage="CallingUserAssignment",
            capabilities=("InboundCalling", "OutboundCalling"),
            allow_tenant_address_update=True,
        )
        rows = upload.rows_of((e164, wanted) for e164 in sorted(which))
        proposal = upload.propose(rows, SYSTEM)
        task = upload.submit(rows, title="upload", by=SYSTEM, channel=channel)
        note(f"task {task.pk}: {proposal.plan.will} of {task.total}")
        assert task.items.filter(state=ItemState.PENDING).count() == proposal.plan.will

    @rule()
    def clean_up(self) -> None:
        """The daily one."""
        clean_up.start(by=SYSTEM, channel="schedule")

    @rule(what=st.sampled_from(("all", "all", "first", "second", "number")), e164=one)
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

    @rule(nth=st.integers(0, 9))
    def cancel(self, nth: int) -> None:
        """One of the tasks that are alive."""
        if task := pick(Task.objects.alive(), nth):
            services.cancel(Task.objects.filter(pk=task.pk), by=SYSTEM, channel="web")

    @rule(choice=st.sampled_from(("mark", "keep")))
    def answer(self, choice: str) -> None:
        """The brake of a synchronisation."""
        if task := Task.objects.filter(state=TaskState.ASKING).first():
            services.answer(task, choice, by=SYSTEM, channel="web")

    @rule(nth=st.integers(0, 9))
    def retry(self, nth: int) -> None:
        """The failed numbers of a task again."""
        failed = Task.objects.exclude(pk__in=Task.objects.alive()).filter(items__state=ItemState.FAILED).distinct()
        if task := pick(failed, nth):
            try:
                services.retry_failed(task, by=SYSTEM, channel="web")
            except services.AlreadyRunning:
                return

    # Workers and the clock

    @rule(nth=st.integers(0, 9), slices=st.sampled_from((1, 1, 2, 3)))
    def work_a_little(self, nth: int, slices: int) -> None:
        """The same, so that it is done more often."""
        self.work(nth, slices)

    @rule(nth=st.integers(0, 9), slices=st.sampled_from((4, 8, 16)))
    def work(self, nth: int, slices: int) -> None:
        """Some slices of one of the tasks that are due; where none is, the time of the next one comes."""
        self._until_due()
        task = pick(Task.objects.due(), nth)
        for _ in range(slices):
            if task is None or not Task.objects.due().filter(pk=task.pk).exists():
                return
            task = self.slice(task)

    def slice(self, task: Task) -> Task:
        """One slice, and everything is still as it may be."""
        quiet = task.kind == "sync" and task.cursor.get("phase", "begin") in DIRECTORY
        engine.advance(task.pk)
        task.refresh_from_db()
        note(f"  {task.pk} {task.kind}: {task.state} {task.message or task.step}")
        if self.ledger is not None and not quiet:
            self.ledger.check()
        return task

    def _until_due(self) -> None:
        """The time of the next task comes, where none has come."""
        waiting = Task.objects.alive().exclude(state=TaskState.ASKING).order_by("next_run_at").first()
        seconds = (waiting.next_run_at - timezone.now()).total_seconds() if waiting is not None else 0.0
        if seconds > 0:
            self.stage.clock.turn(seconds + 0.01)

    @rule(most=st.sampled_from((10, 20, 40)))
    def everybody_works(self, most: int) -> None:
        """What is due first comes first, as it does as a rule."""
        for _ in range(most):
            self._until_due()
            task = Task.objects.due().order_by("next_run_at", "pk").first()
            if task is None:
                return
            self.slice(task)

    @rule(seconds=st.sampled_from((1, 3, 6, 12, 60, 700, 90_000)))
    def time_passes(self, seconds: int) -> None:
        """Microsoft's jobs go on, lists become consistent, pauses end."""
        self.stage.clock.turn(seconds)

    # Customers, Microsoft, devices

    @rule(e164=one, what=st.sampled_from(("assign", "unassign", "release", "vanish", "lose", "appear")), place=who)
    def elsewhere(self, e164: str, what: str, place: int) -> None:
        """Customers in the Teams admin center; Microsoft loses a number; somebody else gives it to a customer."""
        if what == "appear":
            self.stage.appears(e164, self.stage.customers[place])
        elif what == "lose":
            self.stage.sandbox.numbers(delete=[e164])
        elif what == "vanish":
            self.stage.customer_acts(e164, "release", vanish=True)
        else:
            self.stage.customer_acts(e164, what)

    @rule(slug=st.sampled_from(sorted(SLUGS)), what=st.sampled_from(("offline", "online", "restart")))
    def device(self, slug: str, what: str) -> None:
        """An SBC."""
        change = {"restart": True} if what == "restart" else {"online": what == "online"}
        self.stage.sandbox.call("POST", f"/sbc/{slug}", change)

    @rule(e164=one, code=st.sampled_from(("InternalError", None)))
    def refuses(self, e164: str, code: str | None) -> None:
        """Microsoft's jobs fail for a number from now on, or no longer."""
        self.stage.sandbox.call("PUT", "/state", {"failures": {e164: code}})

    @rule(drop=st.sampled_from(("before", "after_commit")), path=st.sampled_from(("/uploads", "/releases", "Number")))
    def hangs_up(self, drop: str, path: str) -> None:
        """The answer to the next request that changes something is lost, and the request too or not."""
        self.stage.sandbox.fault({"method": "POST", "path": path}, {"drop": drop})


def pick(tasks: Any, nth: int) -> Task | None:
    """The nth of some tasks, counted round; None where there is none."""
    rows = list(tasks.order_by("pk"))
    return rows[nth % len(rows)] if rows else None
