"""What the scenarios share: starting an operation, what people see of it, and what Microsoft and the SBC were asked.

The failures are those of the catalogue that the sandbox keeps (F01 to F28): each scenario goes over real HTTP from an
action to its end, and tells what a person sees, what the database holds, and that nothing was asked for twice.
"""

import html
import re
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from ocadmin.access.models import AuditEntry
from ocadmin.access.principal import SYSTEM
from ocadmin.numbers.lifecycle import Status
from ocadmin.numbers.microsoft.operator_connect import OperatorConnect
from ocadmin.numbers.models import PhoneNumber, UpstreamJob
from ocadmin.numbers.operations import ON_NUMBERS, upload
from ocadmin.tasks.models import Task
from sbc.models import DialPlanRule
from tests.numbers.world import EMEA_SLUG, World

NEW = ["+442079460700", "+442079460701"]  # Ofcom's drama range, not used by the sandbox's seeds
TRUNK = "trunk1.emea.example"
PLANS = [
    {
        "usage": "CallingUserAssignment",
        "mandatory_capabilities": ["Office365", "UserAssignment"],
        "choosable_capabilities": ["InboundCalling", "OutboundCalling"],
        "supports_toll_free": False,
    }
]

# Actions


def release(numbers: QuerySet[PhoneNumber] | None = None, **params: Any) -> Task:
    """A task that releases them, all of ours where none are named."""
    rows = PhoneNumber.objects.all() if numbers is None else numbers
    params = {"comment": "contract ended"} | params
    return ON_NUMBERS["release"].submit(rows, params, title="Release", by=SYSTEM, channel="web")


def rows(world: World, numbers: list[str], **more: Any) -> upload.Rows:
    """Numbers for users of the world's customer, who may choose the address themselves."""
    values: dict[str, Any] = {
        "customer": world.customer.pk,
        "calling_profile": world.profile.pk,
        "usage": "CallingUserAssignment",
        "capabilities": ("InboundCalling", "OutboundCalling"),
        "allow_tenant_address_update": True,
    }
    wanted = upload.Settings(**values | more)
    return upload.rows_of((e164, wanted) for e164 in numbers)


def start_upload(world: World, numbers: list[str]) -> Task:
    """A task that uploads them to the world's customer."""
    return upload.submit(rows(world, numbers), title="Upload", by=SYSTEM, channel="web")


def asked_at_once(task: Task) -> None:
    """Let the time come to ask for the task's jobs again."""
    UpstreamJob.objects.filter(task=task, completed_at=None).update(poll_at=timezone.now())


def warm() -> None:
    """Have a token, so that the next request is the one that a scenario is about."""
    list(OperatorConnect().calling_profiles())


# What people see


def text(answer: HttpResponse) -> str:
    """The words on a page."""
    source = re.sub(r"(?s)<(script|style|template)\b.*?</\1>|<!--.*?-->", " ", answer.content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", source)).split()).replace(" .", ".").replace(" ,", ",")


def page(client: Client, address: str) -> str:
    """The words at an address."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return text(answer)


def task_page(client: Client, task: Task) -> str:
    """The words on the page of a task."""
    return page(client, f"/tasks/{task.pk}/")


def number_page(client: Client, e164: str, tab: str = "details") -> str:
    """The words on the page of a number."""
    return page(client, f"/numbers/{e164}/?tab={tab}")


def upload_page(client: Client, world: World, numbers: list[str]) -> HttpResponse:
    """What follows the form for an upload to the world's customer: the plan, or the form with what is wrong."""
    fields = {
        "numbers": "\n".join(numbers),
        "calling_profile": str(world.profile.pk),
        "usage": "CallingUserAssignment",
        "capabilities": ["InboundCalling", "OutboundCalling"],
        "allow_tenant_address_update": "on",
    }
    return client.post(f"/numbers/upload/?customer={world.customer.tenant_id}", fields, follow=True)


def plan_of(client: Client, kind: str, numbers: list[PhoneNumber], **fields: Any) -> tuple[str, HttpResponse]:
    """Tick numbers and choose an action: the address of its plan, and the plan. `fields`: what the action asks for."""
    ticked = {"action": kind, "back": "/numbers/", "row": [number.e164 for number in numbers]}
    address = client.post("/numbers/actions/", ticked)["Location"]
    if fields:
        address += f"&{urlencode({'set': 1, **fields}, doseq=True)}"
    return address, client.get(address)


# What the database holds


def wait_of(task: Task) -> float:
    """For how many seconds the last slice has sent the task to sleep."""
    assert task.heartbeat_at is not None
    return (task.next_run_at - task.heartbeat_at).total_seconds()


def outcomes(task: Task) -> dict[str, tuple[str, str]]:
    """Number to state and code."""
    return {item.key: (item.state, item.code) for item in task.items.all()}


def message_of(task: Task, number: PhoneNumber | str) -> str:
    """The sentence that one number of a task has."""
    return task.items.get(key=number if isinstance(number, str) else number.e164).message


def counters(task: Task) -> tuple[str, int, int]:
    """State, and how many numbers have succeeded and failed."""
    return task.state, task.succeeded, task.failed


def standing(number: PhoneNumber) -> tuple[Status, str]:
    """Status and its reason."""
    number.refresh_from_db()
    return Status(number.status), number.status_reason


def history(number: PhoneNumber | str) -> list[str]:
    """What has happened to a number, in order."""
    e164 = number if isinstance(number, str) else number.e164
    return list(AuditEntry.objects.filter(object_id=e164).order_by("pk").values_list("action", flat=True))


def jobs() -> list[tuple[str, int, int, int]]:
    """Status, numbers, succeeded and failed of each of our job rows, in order."""
    return list(UpstreamJob.objects.order_by("pk").values_list("status", "total", "succeeded", "failed"))


def known_rules() -> dict[str, tuple[bool, bool | None]]:
    """Prefix to whether we want its rule, and whether it was there when we last looked."""
    return {row.prefix: (row.wanted, row.present) for row in DialPlanRule.objects.all()}


# What the others were asked, and have


def asked(world: World, kind: str) -> list[str]:
    """Requests about jobs of a kind: “send 202”, “look up 200”, “follow 200”; “–” for one that got no answer."""
    found = []
    for row in world.sandbox.requests()["value"]:
        _head, kinds, tail = row["path"].partition(f"/{kind}")
        if row["mount"] != "oc" or not kinds:
            continue
        what = "send" if row["method"] == "POST" else "follow" if tail else "look up"
        found.append(f"{what} {row['status'] or '–'}")
    return found


def marks(world: World, kind: str) -> set[str]:
    """Under which marks jobs of a kind were sent: one mark is one job, however often it was sent."""
    return {row["repeatabilityId"] for row in world.posts(f"/{kind}")}


def once_each(world: World, kind: str, numbers: list[str]) -> bool:
    """Whether Microsoft has been given each of the world's customer's numbers in just one job."""
    found = world.asked_about(kind)
    return all(found[e164] == 1 for e164 in numbers)


def asked_of_sbc(world: World) -> list[str]:
    """The requests to the SBC so far, such as “GET /status 200”."""
    base = f"/sbc/{EMEA_SLUG}/api/v1"
    log = [row for row in world.sandbox.requests()["value"] if row["path"].startswith(base)]
    return [f"{row['method']} {row['path'].removeprefix(base)} {row['status'] or '–'}" for row in log]


def sbc(world: World, **change: Any) -> None:
    """What somebody does to the SBC: online, haSync, capacity, hang, restart, rules, deletePlan."""
    world.sandbox.call("POST", f"/sbc/{EMEA_SLUG}", change)


def tags(world: World, where: str = "running", slug: str = EMEA_SLUG) -> dict[str, str]:
    """Prefix, as it stands on the SBC, to the tag of its rule. `where`: running or saved."""
    found = world.sandbox.call("GET", f"/sbc/{slug}")[where]
    return {rule["prefix"]: rule["tag"] for rule in found}


def customer_does(world: World, action: str, **more: Any) -> dict[str, Any]:
    """An act of the customer's own administrator, for /_sim/customer or as part of a fault."""
    return {"tenantId": str(world.customer.tenant_id), "action": action, **more}


def timeout(patch: Any, seconds: float) -> None:
    """For how long an answer is waited for."""
    patch.setattr(settings.ENV, "http_timeout", seconds)
