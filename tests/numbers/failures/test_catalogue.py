"""The catalogue is complete: each failure has a scenario, and each scenario names its failure."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from tests.numbers import failures

CATALOGUE = {f"F{number:02}" for number in range(1, 29)}


def scenarios() -> Iterator[tuple[str, set[str]]]:
    """Each test of the package with the failures that it and its file are marked with."""
    for found in pkgutil.iter_modules(failures.__path__, f"{failures.__name__}."):
        module = import_module(found.name)
        if not found.name.rpartition(".")[2].startswith("test_") or found.name == __name__:
            continue
        shared = getattr(module, "pytestmark", [])
        for name, test in vars(module).items():
            if name.startswith("test_"):
                marks = [*(shared if isinstance(shared, list) else [shared]), *getattr(test, "pytestmark", [])]
                yield f"{found.name}.{name}", {one for mark in marks if mark.name == "failure" for one in mark.args}


def test_every_failure_of_the_catalogue_is_played_through() -> None:
    covered = {failure for _name, marked in scenarios() for failure in marked}
    assert covered == CATALOGUE


def test_every_scenario_names_its_failure() -> None:
    assert [name for name, marked in scenarios() if not marked] == []
