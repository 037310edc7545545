"""Endpoints of the REST interface that are about numbers: one file for each kind, each with a router."""

from ninja import Router

from . import (
    catalogue,
    changes,
    changing,
    dial_plans,
    directory,
    drift,
    exports,
    imports,
    lists,
    quarantine,
    releasing,
    removing,
    sbc_usage,
    tasks,
    uploading,
)

ROUTERS: tuple[Router, ...] = tuple(
    kind.router
    for kind in (
        lists,
        exports,
        uploading,
        releasing,
        changing,
        removing,
        quarantine,
        tasks,
        imports,
        catalogue,
        directory,
        dial_plans,
        sbc_usage,
        drift,
        changes,
    )
)
