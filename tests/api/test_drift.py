"""/api/v3/oc/drift: the report, its counts, comparing now, and repairing."""

from typing import Any

import pytest

from ocadmin.access.permissions import Role
from ocadmin.numbers.models import MicrosoftNumber
from ocadmin.tasks.models import Task
from tests.factories import CustomerFactory
from tests.numbers import passes
from tests.numbers.drift import runs
from tests.numbers.drift.runs import rule
from tests.numbers.world import EMEA_SBC, World

from .acting import TENANT, of, task_of
from .conftest import Program, Programs

pytestmark = pytest.mark.django_db

ORPHAN = "+442079460990"


@pytest.fixture
def numbers(world: World) -> list[str]:
    """One number without a rule, one that Microsoft lost; beside them a rule that nobody needs."""
    runs.device(world, rules=[])
    runs.microsoft([])
    missing, lost = runs.settled(world, 2, routed=False)
    MicrosoftNumber.objects.filter(e164=lost.e164).delete()
    runs.device(world, rules=[rule(lost.e164), rule(ORPHAN)])
    runs.compare()
    return [missing.e164, lost.e164]


def listed(program: Program, **asked: Any) -> list[tuple[str, str]]:
    """Number and kind of the findings that are answered."""
    answer = program.get("v3/oc/drift", asked)
    assert answer.status_code == 200, answer.content
    return [(one["telephoneNumber"], one["kind"]) for one in answer.json()["data"]]


def test_a_finding_says_what_each_side_says(program: Programs, world: World, numbers: list[str]) -> None:
    (one,) = program().get("v3/oc/drift", {"kind": "no_routing"}).json()["data"]
    assert one.pop("id")
    assert one.pop("firstFoundAt")
    assert one == {
        "key": f"{numbers[0]} no_routing {EMEA_SBC}",
        "reportId": runs.report().pk,
        "telephoneNumber": numbers[0],
        "kind": "no_routing",
        "severity": "critical",
        "msTenantId": str(world.customer.tenant_id),
        "customerName": world.customer.full_name,
        "sbcId": EMEA_SBC,
        "sbcName": world.sbc.name,
        "isNew": True,
        "inDatabase": True,
        "atMicrosoft": True,
        "onSbc": False,
        "msOwnerTenantId": None,
        "foundRules": [],
        "expectedRule": {"name": one["expectedRule"]["name"], "tag": runs.TAG},
        "stale": False,
    }


def test_filters_and_pages(program: Programs, world: World, numbers: list[str]) -> None:
    client = program()
    every = listed(client)
    assert set(every) == {
        (numbers[0], "no_routing"),
        (numbers[1], "lost_at_microsoft"),
        (ORPHAN, "orphan_rule"),
    }
    assert listed(client, severity="critical") == [(numbers[0], "no_routing")]
    assert listed(client, telephoneNumber=ORPHAN) == [(ORPHAN, "orphan_rule")]
    assert set(listed(client, msTenantId=world.customer.tenant_id)) == set(every) - {(ORPHAN, "orphan_rule")}
    assert listed(client, sbcId=EMEA_SBC + 1) == listed(client, isNew=False) == []
    walked, page = [], client.get("v3/oc/drift", {"pageSize": 1}).json()
    while True:
        walked += [(one["telephoneNumber"], one["kind"]) for one in page["data"]]
        if page["nextLink"] is None:
            break
        page = client.http.get(page["nextLink"]).json()
    assert walked == every


def test_what_is_anothers_is_not_there(program: Programs, world: World, numbers: list[str]) -> None:
    """What is nobody's is seen in the whole system only, as on the screen."""
    own, other = program(Role.ADMIN, customer=world.customer), program(Role.ADMIN, customer=CustomerFactory())
    assert len(listed(own)) == own.get("v3/oc/drift/summary").json()["totalCount"] == 2
    assert listed(other) == other.get("v3/oc/drift/summary").json()["counts"] == []
    assert other.get("v3/oc/drift", of(world)).status_code == 404
    answer = other.post("v3/oc/drift/repair", {"telephoneNumbers": numbers})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "finding_not_found")
    assert other.post("v3/oc/drift/repair", {TENANT: str(world.customer.tenant_id)}).status_code == 404


def test_the_counts(program: Programs, numbers: list[str]) -> None:
    summary = program().get("v3/oc/drift/summary").json()
    assert (summary["reportId"], summary["totalCount"], summary["unreadSbcs"]) == (runs.report().pk, 3, 0)
    assert summary["counts"] == [
        {"kind": "no_routing", "severity": "critical", "count": 1},
        {"kind": "lost_at_microsoft", "severity": "warning", "count": 1},
        {"kind": "orphan_rule", "severity": "notice", "count": 1},
    ]


def test_before_anything_was_compared(program: Programs) -> None:
    assert program().get("v3/oc/drift/summary").json()["reportId"] is None
    assert listed(program()) == []


def test_comparing_now(program: Programs, world: World) -> None:
    """Everybody's SBCs are read, so it takes the permission for everybody."""
    runs.device(world, rules=[rule(ORPHAN)])
    runs.microsoft([])
    assert program(Role.ADMIN, customer=world.customer).post("v3/oc/drift/run").status_code == 403
    begun = program(Role.OPERATOR).post("v3/oc/drift/run")
    assert (begun.status_code, begun.json()["kind"], begun.json()["through"]) == (200, "drift", "api")
    again = program().post("v3/oc/drift/run")
    assert (again.status_code, again.json()["errorCode"]) == (409, "already_running")
    assert again["Location"] == f"/api/v3/oc/tasks/{begun.json()['id']}"
    passes.finish(Task.objects.get(pk=begun.json()["id"]))
    assert listed(program()) == [(ORPHAN, "orphan_rule")]


def test_repairing(program: Programs, world: World, numbers: list[str]) -> None:
    client = program()
    before = Task.objects.count()
    body = {"keys": [f"{numbers[0]} no_routing {EMEA_SBC}", f"{ORPHAN} orphan_rule {EMEA_SBC}"]}
    plan = client.post("v3/oc/drift/repair", body, dryRun="true").json()
    assert (plan["begins"], plan["total"], plan["will"]["count"]) == (True, 2, 2)
    assert Task.objects.count() == before
    passes.finish(task_of(client.post("v3/oc/drift/repair", body)))
    assert listed(client) == [(numbers[1], "lost_at_microsoft")]
    assert set(runs.rules(world)) == {f"{numbers[0]}#", numbers[1]}


def test_what_is_for_people_is_refused(program: Programs, world: World, numbers: list[str]) -> None:
    client, before = program(), Task.objects.count()
    answer = client.post("v3/oc/drift/repair", {TENANT: str(world.customer.tenant_id)})
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "not_at_microsoft")
    assert [one["telephoneNumber"] for one in answer.json()["errors"]] == [numbers[1]]
    assert Task.objects.count() == before
    task = task_of(client.post("v3/oc/drift/repair", {"kind": "no_routing"}, allowPartial="true"))
    assert passes.finish(task).succeeded == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"unmanaged": "adopt"}, "invalid_request"),
        ({"kind": "no_routing", "unmanaged": "burn"}, "invalid_request"),
        ({"kind": "nothing"}, "invalid_request"),
        ({"keys": ["x"]}, "finding_not_found"),
        ({"keys": [f"{ORPHAN} no_routing 99999999999999999999"]}, "finding_not_found"),
        ({"keys": ["x"] * 501}, "invalid_request"),
    ],
)
def test_bad_bodies(program: Programs, numbers: list[str], body: dict[str, Any], code: str) -> None:
    answer = program().post("v3/oc/drift/repair", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
