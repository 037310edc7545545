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
    sync_hold,
    tasks,
    uploading,
)

ROUTERS: tuple[Router, ...] = tuple(
    kind.router
    for kind in (
        exports,  # before the lists: export.csv is no number
        lists,
        uploading,
        releasing,
        changing,
        removing,
        quarantine,
        tasks,
        imports,
        catalogue,
        sync_hold,
        directory,
        dial_plans,
        sbc_usage,
        drift,
        changes,
    )
)
