"""Endpoints of the REST interface that are about numbers: one file for each kind, each with a router."""

from ninja import Router

from . import dial_plans, directory, lists, releasing, removing, tasks, uploading

ROUTERS: tuple[Router, ...] = tuple(
    kind.router for kind in (lists, uploading, releasing, removing, tasks, directory, dial_plans)
)
