"""What mortal.py does and checks for each operation."""

from collections import Counter
from collections.abc import Callable

from ocadmin.access.models import AuditEntry, User
from ocadmin.access.permissions import Role
from ocadmin.access.principal import SYSTEM
from ocadmin.access.services import principal_of
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import (
    ImportGroup,
    ImportState,
    Location,
    NumberImport,
    PhoneNumber,
    ReleasedNumber,
    UpstreamJob,
)
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.numbers.operations.imports import check, start_check, start_import
from ocadmin.tasks.models import Task
from tests.factories import UserFactory, grant
from tests.numbers import imports
from tests.numbers.operations import uploads
from tests.numbers.operations.test_capabilities import at_both
from tests.numbers.operations.test_relocate import place_of
from tests.numbers.world import World

NUMBERS = 3
KNOWN = ["+442079460500", "+442079460501"]
UPLOADED = ["+442079460700", "+442079460701", "+442079460702"]


def release(world: World) -> Task:
    """A release of three numbers in two jobs, with rules to remove."""
    world.numbers(NUMBERS)
    return ON_NUMBERS["release"].submit(PhoneNumber.objects.all(), {}, title="Release", by=SYSTEM, channel="command")


def released(world: World, task: Task) -> None:
    """Each number was asked for once, has left Microsoft, the SBC and us, and is told of once."""
    keys = sorted(item.key for item in task.items.all())
    asked = world.asked_about("releases")
    assert {key: asked[key] for key in keys} == dict.fromkeys(keys, 1)
    sent = [row["jobCorrelationId"] for row in world.posts("/releases") if row["status"] == 202]
    assert sorted(set(sent)) == sorted(str(job.correlation_id) for job in UpstreamJob.objects.all())
    assert [world.status_at_microsoft(key) for key in keys] == [None] * NUMBERS
    assert world.device_prefixes() == set()
    assert not PhoneNumber.objects.exists()
    assert sorted(ReleasedNumber.objects.values_list("e164", flat=True)) == keys
    told = Counter(AuditEntry.objects.filter(object_type="number").values_list("object_id", "action"))
    assert told == Counter({(key, action): 1 for key in keys for action in ("release.requested", "release.completed")})


def upload(world: World) -> Task:
    """An upload of three numbers in two jobs, on an SBC that routes nothing yet."""
    world.route([])
    return uploads.submit(uploads.rows(world, UPLOADED), channel="command")


def uploaded(world: World, task: Task) -> None:
    """Each number was uploaded once, is routed, waits for a synchronisation here, and is told of once."""
    asked = world.asked_about("uploads")
    assert {key: asked[key] for key in UPLOADED} == dict.fromkeys(UPLOADED, 1)
    sent = [row["jobCorrelationId"] for row in world.posts("/uploads") if row["status"] == 202]
    assert sorted(set(sent)) == sorted(str(job.correlation_id) for job in UpstreamJob.objects.all())
    assert world.device_prefixes() == set(UPLOADED)
    rows = PhoneNumber.objects.order_by("e164").values_list("e164", "status")
    assert list(rows) == [(key, Status.PENDING_FIRST_SYNC) for key in UPLOADED]
    told = Counter(AuditEntry.objects.filter(object_type="number").values_list("object_id", "action"))
    assert told == Counter({(key, "upload.accepted"): 1 for key in UPLOADED})


def _file(world: World) -> NumberImport:
    """Two new numbers with tickets of their own, two that are here: one changes in every way, the other moves."""
    at_both(world, 2)
    place = place_of(world.customer)
    tenant = str(world.customer.tenant_id)
    headers = ["telephoneNumber", "msTenantId", "usage", "allowTenantAddressUpdate", "ticketId"]
    headers += ["locationId", "capabilities", "note"]
    new = [tenant, "CallingUserAssignment", "true"]
    known, where = ["", "", ""], str(place.pk)
    content = imports.sheet(
        headers,
        [UPLOADED[0], *new, "CHG-1", "", "InboundCalling", "Reception"],
        [UPLOADED[1], *new, "CHG-2", "", "InboundCalling", ""],
        [KNOWN[0], *known, "CHG-1", where, "InboundCalling;Mobile", "Desk"],
        [KNOWN[1], *known, "CHG-1", where, "", ""],
        ["+4420794605OO", *known, "", "", "", ""],
    )
    user = User.objects.filter(username="mortal").first()
    return imports.keep(content, user or grant(UserFactory(username="mortal"), Role.ADMIN))


def import_check(world: World) -> Task:
    """The check of a file, two lines at a time."""
    check.CHUNK = 2
    batch = _file(world)
    assert batch.user is not None
    return start_check(batch, by=principal_of(batch.user), channel="csv")


def import_checked(world: World, task: Task) -> None:
    """Each line was judged once, and nothing else has happened."""
    batch = NumberImport.objects.get()
    assert batch.state == ImportState.READY
    assert [row.line for row in batch.rows.order_by("pk")] == [2, 3, 4, 5, 6]
    assert batch.counts == {"new": 2, "changed": 2, "refused": 1}
    assert ImportGroup.objects.count() == 1
    assert task.done == task.total == 5
    assert not world.posts("/uploads")
    assert not AuditEntry.objects.filter(object_type="number").exists()


def import_file(world: World) -> Task:
    """The import of a checked file."""
    batch = _file(world)
    assert batch.user is not None
    by = principal_of(batch.user)
    check = start_check(batch, by=by, channel="csv")
    imports.run(check)
    check.delete()
    batch.refresh_from_db()
    return start_import(batch, whole=False, by=by, channel="csv", ticket="", comment="")


def imported(world: World, task: Task) -> None:
    """Each number was uploaded, moved, changed and annotated once, and is told of once; one tree of tasks."""
    for jobs, keys in {"uploads": UPLOADED[:2], "location-updates": KNOWN, "capability-updates": KNOWN[:1]}.items():
        asked = world.asked_about(jobs)  # the sandbox's own jobs besides
        assert {key: asked[key] for key in [*KNOWN, *UPLOADED] if asked[key]} == dict.fromkeys(keys, 1), jobs
    rows = PhoneNumber.objects.order_by("e164").values_list("e164", "status", "note", "location_id")
    place = Location.objects.get().pk
    assert list(rows) == [
        (KNOWN[0], Status.ACTIVE, "Desk", place),
        (KNOWN[1], Status.ACTIVE, "", place),
        (UPLOADED[0], Status.PENDING_FIRST_SYNC, "Reception", None),
        (UPLOADED[1], Status.PENDING_FIRST_SYNC, "", None),
    ]
    told = Counter(AuditEntry.objects.filter(object_type="number").values_list("object_id", "action"))
    assert told == Counter(
        {
            (UPLOADED[0], "upload.accepted"): 1,
            (UPLOADED[0], "number.annotated"): 1,
            (UPLOADED[1], "upload.accepted"): 1,
            (KNOWN[0], "location.changed"): 1,
            (KNOWN[0], "capabilities.changed"): 1,
            (KNOWN[0], "number.annotated"): 1,
            (KNOWN[1], "location.changed"): 1,
        }
    )
    kinds = Counter(Task.objects.values_list("kind", flat=True))
    assert kinds == Counter({"import": 1, "upload": 2, "relocate": 1, "capabilities": 1})
    assert not Task.objects.alive().exists()
    assert sorted(task.result["next_tasks"]) == sorted(Task.objects.exclude(pk=task.pk).values_list("pk", flat=True))
    assert (task.total, task.done, task.succeeded, task.refused, task.failed) == (7, 7, 7, 0, 0)


KINDS: dict[str, tuple[Callable[[World], Task], Callable[[World, Task], None]]] = {
    "release": (release, released),
    "upload": (upload, uploaded),
    "import-check": (import_check, import_checked),
    "import": (import_file, imported),
}
