"""F25 over real HTTP: one case of each kind in the sandbox's seed, found once after a move-in and a synchronisation."""

import pytest
from django.core.management import call_command

from ocadmin.numbers.models import DriftFinding, Kind, PhoneNumber
from ocadmin.tasks.models import Task, TaskState
from tests.numbers import passes
from tests.sandbox_process import Sandbox

from . import runs

pytestmark = [pytest.mark.django_db, pytest.mark.failure("F25")]

US, EMEA = 11, 12


@pytest.fixture
def drifted(sandbox: Sandbox, db: None, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Everything moved in and synchronised; kind of drift to its number."""
    sandbox.reset("drift")
    call_command("load_demo")
    passes.finish(Task.objects.get(kind="sync"))
    return {case["kind"]: case["telephoneNumber"] for case in sandbox.state()["sbcDrift"]}


def test_each_kind_is_found_once_and_repaired(drifted: dict[str, str]) -> None:
    task = runs.compare()
    assert task.state == TaskState.PARTIAL  # one SBC of the demonstration is offline
    assert "APAC SP1 SBC: it could not be reached" in task.message
    conflict = DriftFinding.objects.current().get(kind=Kind.OWNERSHIP_CONFLICT)
    rules = {
        (drifted["orphan_rule"], Kind.ORPHAN_RULE, US),
        (drifted["missing_rule"], Kind.NO_ROUTING, EMEA),
        (drifted["wrong_tag"], Kind.WRONG_TAG, US),
        (drifted["unmanaged_number_with_rule"], Kind.UNMANAGED, EMEA),
    }
    assert runs.found() == rules | {(conflict.e164, Kind.OWNERSHIP_CONFLICT, None)}
    assert "5 new, 0 gone, 5 in all" in task.message

    assert runs.compare().result["new_findings"] == 0
    assert {row.first_run for row in DriftFinding.objects.current()} != {runs.report().pk}

    done = runs.repair(params={"unmanaged": "adopt"})
    assert (done.state, done.succeeded, done.refused) == (TaskState.SUCCEEDED, 4, 1), done.message
    assert runs.found() == {(conflict.e164, Kind.OWNERSHIP_CONFLICT, None)}
    assert PhoneNumber.objects.get(e164=drifted["unmanaged_number_with_rule"]).source == "webui"
    assert runs.compare().result["findings"] == 1
