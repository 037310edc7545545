"""Endpoints of the REST interface that are about numbers: one file for each kind, each with a router."""

from ninja import Router

from . import lists, releasing

ROUTERS: tuple[Router, ...] = (lists.router, releasing.router)
