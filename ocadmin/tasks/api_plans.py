"""The answer to a dry run, the same for everything that acts: ?dryRun=true."""

from django.http import HttpResponse
from ninja import Schema

from ocadmin.api.problems import Problem
from ocadmin.api.rest import json_answer

from .models import ItemState
from .plans import Group, Plan


class PlannedGroup(Schema):
    """Numbers that share a verdict; `sample` holds the first few, `remedy` the action that would do instead."""

    code: str
    message: str
    outcome: str
    count: int
    sample: list[str]
    remedy: str | None = None


class PlannedChange(Schema):
    """How many numbers would change, or be compared, or be stopped; and the first few."""

    count: int
    sample: list[str]


class Planned(Schema):
    """What a request would do. `begins`: whether the same request without dryRun would do it.

    `leftAlone`: the numbers that it would not touch, and what keeps the whole request from beginning.
    """

    operation: str
    begins: bool
    total: int
    will: PlannedChange
    leftAlone: list[PlannedGroup]
    cautions: list[PlannedGroup]


def told(kind: str, plan: Plan, *, begins: bool = True) -> HttpResponse:
    """The answer."""
    return json_answer({"operation": kind, "begins": begins} | plan.as_dict())


def hindered(kind: str, plan: Plan, problem: Problem | None) -> HttpResponse:
    """The answer where something may keep the whole of it from beginning: then none of the numbers would change."""
    if problem is None:
        return told(kind, plan)
    group = Group(problem.code, problem.detail, ItemState.REFUSED, plan.will, plan.sample)
    return told(kind, Plan(0, [], [group, *plan.left_alone], []), begins=False)
