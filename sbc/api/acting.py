"""The buttons of an SBC's page: test the connection, write what is outstanding, save the configuration."""

import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Schema

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import principal_behind
from ocadmin.api import once
from ocadmin.api.authentication import may
from ocadmin.api.problems import Problem
from ocadmin.api.rest import DryRun, answers, json_answer
from ocadmin.tasks.api import TaskRecord, already_running, told
from ocadmin.tasks.models import Task
from ocadmin.tasks.services import AlreadyRunning
from sbc import outstanding, records
from sbc.examination import Verdict
from sbc.models import SBC, State

from .reading import ASKED, ONE, SbcId, router, the_sbc
from .records import SbcCertificate, of_certificate


class ExaminedStep(Schema):
    """One step: what was looked at, how it went (good; note: works, but look at it; bad), and what was found."""

    name: str
    verdict: Verdict
    text: str


class ConnectionTest(Schema):
    """What a test has found. `works`: no step went wrong. `certificate`: what the device presents; null without TLS."""

    at: datetime.datetime
    works: bool
    state: State
    steps: list[ExaminedStep]
    certificate: SbcCertificate | None


class PlannedWrite(Schema):
    """What would be done: rules to write and to remove, and whether to save. `begins`: whether a task would begin."""

    operation: str
    begins: bool
    write: int
    remove: int
    save: bool


@router.post(
    f"{ONE}/test",
    auth=may(Permission.PUSH_SBC),
    throttle=ASKED,
    response=answers(ConnectionTest),
    summary="Test the connection",
)
@once.outside  # the SBC is asked
def try_connection(request: HttpRequest, sbcId: int = SbcId) -> HttpResponse:
    """Asks the SBC now, step by step, also after it has refused our login; takes up to half a minute.

    At most 20 times a minute. Nothing is changed on it, and how it is is kept. After 401 or 403 the schedule asks again
    only once this went well.
    """
    sbc = the_sbc(request, sbcId, Permission.PUSH_SBC)
    found = records.examine(sbc, by=principal_behind(request), channel=Channel.API)
    steps = [{"name": step.name, "verdict": step.verdict, "text": step.text} for step in found.steps]
    shown = of_certificate(found.certificate)
    return json_answer(
        {"at": found.at, "works": not found.bad, "state": sbc.state, "steps": steps, "certificate": shown}
    )


@router.post(
    f"{ONE}/write",
    auth=may(Permission.PUSH_SBC),
    response=answers(TaskRecord | PlannedWrite, 409),
    summary="Write what is outstanding",
)
def write_outstanding(request: HttpRequest, asked: Query[DryRun], sbcId: int = SbcId) -> HttpResponse:
    """Writes rules that are wanted and not there, removes those that are not wanted, and saves. Answers the task.

    409: nothing is outstanding, its rules are written by hand, or such a task is at work (Location).
    """
    return _begin(request, the_sbc(request, sbcId, Permission.PUSH_SBC), asked, save=False)


@router.post(
    f"{ONE}/save",
    auth=may(Permission.PUSH_SBC),
    response=answers(TaskRecord | PlannedWrite, 409),
    summary="Save the configuration",
)
def save_configuration(request: HttpRequest, asked: Query[DryRun], sbcId: int = SbcId) -> HttpResponse:
    """Writes the running configuration to flash, also what somebody else has changed. Answers the task.

    409: its rules are written by hand, or such a task is at work (Location).
    """
    return _begin(request, the_sbc(request, sbcId, Permission.PUSH_SBC), asked, save=True)


def _begin(request: HttpRequest, sbc: SBC, asked: DryRun, *, save: bool) -> HttpResponse:
    todo, by = outstanding.todo(sbc), principal_behind(request)
    if asked.dryRun:
        alive = Task.objects.alive().filter(unique_key=outstanding.key_of(sbc))
        begins = bool(todo or save) and not sbc.by_hand and not alive.exists()
        rules = {"write": 0, "remove": 0} if save else {"write": todo.write, "remove": todo.remove}
        planned: dict[str, Any] = {"operation": outstanding.KIND, "begins": begins, **rules, "save": True}
        return json_answer(planned)
    if sbc.by_hand:
        raise Problem(409, "sbc_by_hand", _("A person loads the rules of this SBC by hand."))
    if not (todo or save):
        raise Problem(
            409, "nothing_outstanding", _("Nothing is outstanding: the SBC has all rules as they are wanted.")
        )
    try:
        task = outstanding.start(sbc, by=by, channel=Channel.API, save=save)
    except AlreadyRunning as running:
        raise already_running(running) from None
    return told(task, by)
