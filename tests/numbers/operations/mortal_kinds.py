"""What mortal.py does and checks for each operation."""

from collections import Counter
from collections.abc import Callable

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.models import PhoneNumber, ReleasedNumber, UpstreamJob
from ocadmin.numbers.operations import ON_NUMBERS
from ocadmin.tasks.models import Task
from tests.numbers.operations import uploads
from tests.numbers.world import World

NUMBERS = 3
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


KINDS: dict[str, tuple[Callable[[World], Task], Callable[[World, Task], None]]] = {
    "release": (release, released),
    "upload": (upload, uploaded),
}
