"""All figures, one after the other."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

from django.db import connection

from ocadmin import garbage

from . import api, dial_plans, drift, exporting, importing, operations

MODULES: tuple[Any, ...] = (operations, exporting, importing, dial_plans, drift, api)  # each has figures()


def main(only: Sequence[str] = ()) -> int:
    """0 where every figure is within its limit, 1 where one is not, 2 without PostgreSQL.

    `only`: names of modules, such as "api"; all where none is given.
    """
    if connection.vendor != "postgresql":
        sys.stderr.write(
            "The benchmarks need PostgreSQL: set DATABASE_URL, such as postgres://oc:oc@127.0.0.1:5432/oc\n"
        )
        return 2
    logging.disable(logging.WARNING)  # no broker runs here, and every task would say so
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    garbage.settle()  # as every worker does
    kept = True
    try:
        for module in [module for module in MODULES if not only or module.__name__.rpartition(".")[2] in only]:
            for figure in module.figures():
                sys.stdout.write(f"{figure.line()}\n")
                sys.stdout.flush()
                kept = kept and figure.kept
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return 0 if kept else 1
