"""Endpoints of the REST interface that are about numbers: one file for each kind, each with a router."""

from ninja import Router

from . import catalogue, changes, changing, exports, imports, lists, releasing

ROUTERS: tuple[Router, ...] = (
    lists.router,
    exports.router,
    catalogue.router,
    releasing.router,
    changing.router,
    imports.router,
    changes.router,
)
